package deliver

import (
	"io"
	"strings"
)

// A Trace makes the header that says how a message came, for one with that UID: whole lines with
// LF at their ends. They stand in front of the message, of which nothing is changed (D10).
type Trace func(uid string) string

// traced is msg with the trace header in front, in the line ends of the staged file.
func (s *staging) traced(uid string, msg io.Reader) io.Reader {
	if s.trace == nil {
		return msg
	}
	lines := s.trace(uid)
	if !s.lf {
		lines = strings.ReplaceAll(lines, "\n", "\r\n")
	}
	return io.MultiReader(strings.NewReader(lines), msg)
}
