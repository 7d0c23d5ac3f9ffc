// Package term knows what a terminal can show and what must never reach one.
package term

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxEscaped is how many characters of what a stranger says are shown, the ellipsis counted.
const maxEscaped = 500

// Escape makes what a stranger says harmless to print: what a terminal obeys, what begins a new
// line and what turns the direction of text becomes a visible escape such as \x1b or \u202e, and
// so does what is not UTF-8. What is longer than 500 characters is cut and ends in "…".
//
// A backslash stays as it is: the result is for people to read, not for programs to decode, and
// escaping it once more changes nothing.
func Escape(s string) string {
	var b strings.Builder
	var chars, cut int // cut: where b ends if the rest does not fit
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		piece := s[:n]
		if r == utf8.RuneError && n == 1 || !harmless(r) {
			piece = escape(r, piece)
		}
		s = s[n:]
		chars += utf8.RuneCountInString(piece)
		if chars > maxEscaped {
			return b.String()[:cut] + "…"
		}
		b.WriteString(piece)
		if chars < maxEscaped {
			cut = b.Len()
		}
	}
	return b.String()
}

// escape is the visible form of the rune r, or of the byte raw where that is no rune.
func escape(r rune, raw string) string {
	switch {
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r == '\n':
		return `\n`
	case len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	default:
		return fmt.Sprintf(`\u%04x`, r)
	}
}

// harmless reports whether r only ever shows itself.
func harmless(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r <= 0x9f: // C0, DEL, C1
		return false
	case r == 0x2028, r == 0x2029, r == 0xfeff: // line and paragraph separator, byte order mark
		return false
	case r == 0x061c, r == 0x200e, r == 0x200f, // marks, embeddings and isolates that change
		0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069: // the direction of what follows
		return false
	}
	return true
}
