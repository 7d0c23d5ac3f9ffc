package fetch

import (
	"bytes"
	"strings"
	"testing"
)

const aHeader = "Return-Path: <a@example.org>\r\nReceived: from x\r\n\tby y\r\nFrom: Alice <a@example.org>\r\n" +
	"To: b@example.org,\r\n c@example.org\r\nSubject: one\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n"

// W15: a message is known by what its author wrote, whatever servers add on its way.
func TestHeaderDigest(t *testing.T) {
	want := headerDigest([]byte(aHeader))
	for name, c := range map[string]struct {
		header string
		same   bool
	}{
		"other trace fields":                 {"X-UIDL: 1\r\nStatus: RO\r\n" + strings.Replace(aHeader, "Received: from x\r\n\tby y\r\n", "", 1), true},
		"a body behind it":                   {aHeader + "Subject: two\r\n", true},
		"no blank line, as TOP may end it":   {strings.TrimSuffix(aHeader, "\r\n"), true},
		"bare line feeds":                    {strings.ReplaceAll(aHeader, "\r\n", "\n"), true},
		"another subject":                    {strings.Replace(aHeader, "one", "two", 1), false},
		"another continuation":               {strings.Replace(aHeader, " c@", " d@", 1), false},
		"another date":                       {strings.Replace(aHeader, "10:00", "10:01", 1), false},
		"a field without a colon is no name": {strings.Replace(aHeader, "Message-ID:", "Message-ID", 1), false},
	} {
		if got := headerDigest([]byte(c.header)); (got == want) != c.same {
			t.Errorf("%s: same is %v, want %v", name, got == want, c.same)
		}
	}
	for _, empty := range []string{
		"", "\r\n", "\r\nFrom: a\r\n", "X-Spam: no\r\n\r\n", ":\r\n", "\x00",
		"Subject: low battery\r\nFrom: ups@example.org\r\n\r\n", "Message-ID:\r\nDate: \r\n\r\n",
	} {
		if got := headerDigest([]byte(empty)); tells(got) {
			t.Errorf("%q: %d, and nothing tells it apart", empty, got)
		}
	}
}

// A header that passes in pieces has the digest of the whole.
func FuzzHeaderDigest(f *testing.F) {
	f.Add([]byte(aHeader+"body\r\n"), 3)
	f.Add([]byte("From: a\r\n\r\n\r\n"), 1)
	f.Add([]byte("\r\n\r"), 1)
	f.Add(bytes.Repeat([]byte("To: x\r\n"), 20_000), 4096)
	f.Fuzz(func(t *testing.T, msg []byte, step int) {
		step = max(1, step)
		p := passing{}
		for rest := msg; len(rest) > 0; {
			n := min(step, len(rest))
			if err := p.take(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		whole := passing{}
		if err := whole.take(msg); err != nil {
			t.Fatal(err)
		}
		if got, want := p.digest(), whole.digest(); got != want || got == 0 {
			t.Errorf("%d in pieces of %d, %d as a whole", got, step, want)
		}
		if want := headerDigest(msg); tells(want) && p.digest() != want {
			t.Errorf("%d, the header alone %d", p.digest(), want)
		}
		if len(p.header) > mostHeader {
			t.Errorf("%d octets of a header are kept", len(p.header))
		}
	})
}
