package transport

import "testing"

// C11: international host names are looked up, and stand in certificates, in ASCII.
func TestASCII(t *testing.T) {
	for host, want := range map[string]string{
		"pop.example.org":       "pop.example.org",
		"under_score.example":   "under_score.example",
		"POP.Example.ORG":       "POP.Example.ORG",
		"127.0.0.1":             "127.0.0.1",
		"::1":                   "::1",
		"fe80::1%eth0":          "fe80::1%eth0",
		"":                      "",
		"pop.bücher.example":    "pop.xn--bcher-kva.example",
		"pop.BÜCHER.example":    "pop.xn--bcher-kva.example",
		"bücher.example.":       "xn--bcher-kva.example.",
		"bu\u0308cher.example":  "xn--bcher-kva.example", // u and a combining diaeresis
		"straße.example":        "xn--strae-oqa.example", // not "strasse": IDNA 2008
		"почта.рф":              "xn--80a1acny.xn--p1ai",
		"メール。例え.テスト":            "xn--4dkua4c.xn--r8jz45g.xn--zckzah", // with the ideographic full stop
		"xn--bcher-kva.example": "xn--bcher-kva.example",
		"a\u200bb.example":      "ab.example", // a zero width space is nothing
		"pop．example\uff0eorg":  "pop.example.org",
	} {
		got, err := ASCII(host)
		if err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", host, got, err, want)
		}
	}
	for _, host := range []string{"ü b.example", "ü\r\nQUIT", "\u2028", "ü/x", "ü\x00", "\xff\xfe", "ü@host", "-ü.example"} {
		if got, err := ASCII(host); err == nil {
			t.Errorf("%q becomes %q", host, got)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, host := range []string{"pop.example.org", "bücher.example", "::1", "127.0.0.1", "a b", "a\r\nb", "fe80::1%lo", "ü\r\nHost: x"} {
		f.Add(host, "995")
	}
	f.Fuzz(func(t *testing.T, host, port string) {
		got, err := target("tcp", "["+host+"]:"+port)
		if err != nil {
			return
		}
		for _, r := range got {
			if r <= ' ' || r >= 0x7f {
				t.Errorf("%q and %q give %q: not fit for a request", host, port, got)
			}
		}
	})
}

func TestTarget(t *testing.T) {
	for address, want := range map[string]string{
		"pop.example.org:995":    "pop.example.org:995",
		"bücher.example:110":     "xn--bcher-kva.example:110",
		"192.0.2.1:110":          "192.0.2.1:110",
		"[2001:db8::1]:995":      "[2001:db8::1]:995",
		"[2001:DB8:0::0001]:995": "[2001:db8::1]:995",
		"[fe80::1%eth0]:995":     "",
		"host:0":                 "",
		"host:65536":             "",
		"host:pop3":              "",
		"host":                   "",
		":110":                   "",
		"a b:110":                "",
		"a\r\nX: y:110":          "",
	} {
		got, err := target("tcp", address)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q gives %q, %v; want %q", address, got, err, want)
		}
	}
}
