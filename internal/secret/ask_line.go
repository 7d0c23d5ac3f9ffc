package secret

import (
	"errors"
	"unicode/utf8"
)

// A typedLine is what somebody types without seeing it. The terminal's own line editing is off:
// it keeps 4095 bytes of a line and drops the rest in silence (N_TTY of Linux), and a token that
// is pasted may be longer.
type typedLine struct{ text []byte }

var errNoAnswer = errors.New("the question was not answered")

// add takes the next byte, and tells whether the line is complete. Ctrl-D in an empty line is the
// end of the file.
func (l *typedLine) add(c byte) (done bool, err error) {
	const ctrlD, ctrlH, ctrlU, del = 4, 8, 21, 127
	switch c {
	case '\r', '\n':
		return true, nil
	case ctrlD:
		if len(l.text) == 0 {
			return false, errNoAnswer
		}
	case ctrlH, del:
		_, n := utf8.DecodeLastRune(l.text)
		l.text = l.text[:len(l.text)-n]
	case ctrlU:
		l.text = l.text[:0]
	default:
		if len(l.text) <= maxSize { // one more than is allowed, for check to see
			l.text = append(l.text, c)
		}
	}
	return false, nil
}
