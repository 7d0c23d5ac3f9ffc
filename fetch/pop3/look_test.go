package pop3

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// readListing reads a listing from octets that follow the +OK.
func readListing(t testing.TB, conn *endless) (Listing, error) {
	t.Helper()
	c := &Client{c: newConn(conn, time.Minute, func(string) {}), unanswered: []sent{{verb: "UIDL"}}}
	var l Listing
	err := c.readUIDL(&l)
	return l, err
}

// W3: an endless listing, line or capability list is given up, and nothing is allocated by what
// a server announces.
func TestEndlessRepliesAreGivenUp(t *testing.T) {
	for name, pattern := range map[string]string{
		"the same number":    "1 x\r\n",
		"lines of nonsense":  "nonsense\r\n",
		"empty lines":        "\r\n",
		"long lines":         "7 " + strings.Repeat("u", 10_000) + "\r\n",
		"lines cut at limit": "7 " + strings.Repeat("u", 1<<20) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readListing(t, &endless{pattern: []byte("+OK\r\n" + pattern), size: 1 << 40})
			if !errors.Is(err, ErrProtocol) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("a line without an end", func(t *testing.T) {
		c := newConn(&endless{pattern: []byte("x"), size: 1 << 40}, time.Minute, nil)
		if _, err := c.readLine(keepStatus); !errors.Is(err, ErrProtocol) {
			t.Errorf("%v", err)
		}
	})
	t.Run("short lines", func(t *testing.T) { // the number of messages is bounded, not only their octets
		conn := &endless{pattern: []byte("+OK\r\n"), size: 5}
		c := &Client{c: newConn(conn, time.Minute, func(string) {}), unanswered: []sent{{verb: "UIDL"}}}
		conn.size, conn.pattern = 1<<40, []byte("7\r\n")
		conn.at = 0
		c.c.buf = append([]byte("+OK\r\n"), make([]byte, bufferSize)...)
		c.c.w = 5
		var l Listing
		if err := c.readUIDL(&l); !errors.Is(err, ErrProtocol) || len(l.Messages) != mostMessages {
			t.Errorf("%v after %d messages", err, len(l.Messages))
		}
	})
	t.Run("capabilities", func(t *testing.T) {
		conn := &endless{pattern: []byte("+OK\r\n"), size: 1 << 40}
		c := &Client{c: newConn(conn, time.Minute, func(string) {}), unanswered: []sent{{verb: "CAPA"}}}
		if err := c.readCapa(); !errors.Is(err, ErrProtocol) {
			t.Errorf("%v", err)
		}
	})
}

// W3: a million messages are listed in less than 100 MB.
func TestMillionMessages(t *testing.T) {
	var text strings.Builder
	text.WriteString("+OK\r\n")
	for i := 1; i <= 1_000_000; i++ {
		fmt.Fprintf(&text, "%d uid-%016d\r\n", i, i)
	}
	text.WriteString(".\r\n")
	wire := []byte(text.String())
	var l Listing
	allocated := allocation(func() {
		var err error
		if l, err = readListing(t, &endless{pattern: wire, size: int64(len(wire))}); err != nil {
			t.Fatal(err)
		}
	})
	if n := len(l.Messages); n != 1_000_000 || l.Messages[n-1].UID != "uid-0000000001000000" {
		t.Errorf("%d messages, the last %v", n, l.Messages[n-1])
	}
	if allocated > 300<<20 { // with all that the growing slice leaves behind
		t.Errorf("%d MB were allocated", allocated>>20)
	}
}

// W4: of a status line 1 KiB is kept, and the line counts by its first octets.
func TestLongStatusLine(t *testing.T) {
	for _, size := range []int64{keepStatus - 4, keepStatus - 1, keepStatus, keepStatus + 1, bufferSize, 1 << 20} {
		conn := &endless{pattern: []byte("-ERR" + strings.Repeat(" no", 1<<20)), size: size, end: "\r\n+OK next\r\n"}
		c := &Client{c: newConn(conn, time.Minute, func(string) {}), unanswered: []sent{{verb: "PASS"}, {verb: "CAPA"}}}
		_, err := c.ok()
		refusal, ok := errors.AsType[*ResponseError](err)
		if !ok || len(refusal.Text) > keepStatus+len("…") {
			t.Fatalf("a line of %d octets: %v", size, err)
		}
		if s, err := c.ok(); err != nil || s.text != "next" {
			t.Errorf("behind a line of %d octets: %q, %v", size, s.text, err)
		}
	}
}

func FuzzListing(f *testing.F) {
	f.Add([]byte("+OK\r\n1 a\r\n2 b\r\n.\r\n"))
	f.Add([]byte("+OK\r\n2 \xff\x00 c\r\n2 x\r\n\r\n0 z\r\n..\r\n.\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		l, err := readListing(t, &endless{pattern: append(wire, 0), size: int64(len(wire))})
		if err != nil {
			return
		}
		for i, m := range l.Messages {
			if m.Number < 1 || i > 0 && m.Number <= l.Messages[i-1].Number {
				t.Fatalf("numbers are out of order: %v", l.Messages)
			}
			if strings.ContainsAny(m.UID, "\n") || len(m.UID) > keepLine {
				t.Fatalf("a UID that cannot be: %q", m.UID)
			}
		}
	})
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte("+OK [X] y\r"))
	f.Add([]byte("-ERR [IN-USE] z"))
	f.Add([]byte("+ Zm9v"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, ok := parseStatus(line{text: text})
		if ok && s.ok == s.more && (s.ok || string(text[:4]) != "-ERR") {
			t.Fatalf("%q is %+v", text, s)
		}
		responseCode(s.text)
	})
}

func FuzzCapabilities(f *testing.F) {
	f.Add("UIDL\nSASL PLAIN\nLOGIN-DELAY 5\nEXPIRE 99999999999999999999 USER\nIMPLEMENTATION x y")
	f.Fuzz(func(t *testing.T, text string) {
		caps := parseCapabilities(strings.Split(text, "\n"))
		if caps.LoginDelay < 0 || caps.LoginDelay > 24*time.Hour {
			t.Fatalf("LOGIN-DELAY %v", caps.LoginDelay)
		}
		if e := caps.Expire; e.Days < 0 || e.Days > 36500 || e.Never && e.Days != 0 || !e.Announced && e != (Expire{}) {
			t.Fatalf("EXPIRE %+v", e)
		}
	})
}

func BenchmarkListing(b *testing.B) {
	for _, n := range []int{20_000, 1_000_000} {
		for name, list := range map[string]bool{"UIDL": false, "UIDL LIST": true} {
			b.Run(fmt.Sprint(n, " ", name), func(b *testing.B) {
				wire := listingOf(n, list)
				b.ReportAllocs()
				b.SetBytes(int64(len(wire)))
				for b.Loop() {
					conn := &endless{pattern: wire, size: int64(len(wire))}
					c := &Client{c: newConn(conn, time.Minute, func(string) {}), unanswered: []sent{{verb: "UIDL"}, {verb: "LIST"}}}
					l := Listing{Count: -1}
					if err := c.readUIDL(&l); err != nil || len(l.Messages) != n {
						b.Fatal(len(l.Messages), err)
					}
					if !list {
						continue
					}
					if err := c.readList(&l); err != nil || !l.Sized {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// listingOf is what a server says to UIDL, and to LIST.
func listingOf(n int, list bool) []byte {
	wire := []byte("+OK\r\n")
	for i := range n {
		wire = fmt.Appendf(wire, "%d 0000%08x6b060667\r\n", i+1, i+1)
	}
	wire = append(wire, ".\r\n"...)
	if !list {
		return wire
	}
	wire = append(wire, "+OK\r\n"...)
	for i := range n {
		wire = fmt.Appendf(wire, "%d %d\r\n", i+1, 1000+i)
	}
	return append(wire, ".\r\n"...)
}
