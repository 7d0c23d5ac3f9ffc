package term

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"plain text stays":             {"[AUTH] invalid login", "[AUTH] invalid login"},
		"a backslash stays":            {`a\b`, `a\b`},
		"other scripts stay":           {"Grüße 日本語 שלום 👩‍👩‍👧", "Grüße 日本語 שלום 👩‍👩‍👧"},
		"an escape sequence shows":     {"\x1b]0;owned\x07", `\x1b]0;owned\x07`},
		"line ends show":               {"a\r\nb\tc", `a\r\nb\tc`},
		"NUL and DEL show":             {"\x00\x7f", `\x00\x7f`},
		"an 8-bit CSI shows":           {"\u009b31m", `\u009b31m`},
		"a raw C1 byte shows":          {"\x9b31m", `\x9b31m`},
		"what is not UTF-8 shows":      {"caf\xe9", `caf\xe9`},
		"a real U+FFFD stays":          {"\ufffd", "\ufffd"},
		"the direction is not changed": {"\u202egpj.exe\u2069\u200f\u061c", `\u202egpj.exe\u2069\u200f\u061c`},
		"separators and BOM show":      {"\u2028\u2029\ufeff", `\u2028\u2029\ufeff`},
		"500 characters fit":           {strings.Repeat("é", 500), strings.Repeat("é", 500)},
		"501 are cut":                  {strings.Repeat("é", 501), strings.Repeat("é", 499) + "…"},
		"no escape is cut in two":      {strings.Repeat("a", 498) + "\x1b", strings.Repeat("a", 498) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Escape(tt.in); got != tt.want {
				t.Errorf("Escape(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("+OK \x1b[31m\x9b\u202e\r\n")
	f.Add(strings.Repeat("\x00", 200))
	f.Add(strings.Repeat("a", 497) + "\u2028")
	f.Fuzz(func(t *testing.T, in string) {
		out := Escape(in)
		if !utf8.ValidString(out) {
			t.Errorf("%q is not UTF-8", out)
		}
		for _, r := range out {
			if !harmless(r) {
				t.Errorf("%q holds %U", out, r)
			}
		}
		if n := utf8.RuneCountInString(out); n > maxEscaped {
			t.Errorf("%d characters", n)
		}
		if again := Escape(out); again != out {
			t.Errorf("escaped again: %q, before: %q", again, out)
		}
	})
}
