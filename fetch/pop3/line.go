package pop3

import (
	"bytes"
	"strings"
)

const (
	keepStatus = 1 << 10  // octets of a status line that are kept
	keepLine   = 16 << 10 // ... of a line of a listing
	longest    = 4 << 20  // octets after which a line without an end is given up
)

// A line is one line of a reply without its end.
type line struct {
	text []byte // valid until the next read; cut where cut is set
	cut  bool   // it was longer than what is kept
	lf   bool   // it ended in a bare LF
}

// readLine reads a line and keeps at most keep octets of it; the rest is thrown away.
func (c *conn) readLine(keep int) (line, error) {
	b := c.buffered()
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		c.consume(i + 1)
		return endLine(b[:i], i, keep), nil
	}
	return c.readLongLine(keep)
}

// readLongLine reads a line that does not lie in the buffer as a whole.
func (c *conn) readLongLine(keep int) (line, error) {
	var text []byte
	size := 0
	for {
		part, _, ended := bytes.Cut(c.buffered(), []byte("\n"))
		text = append(text, part[:min(len(part), keep+1-len(text))]...)
		size += len(part)
		c.consume(len(part))
		if ended {
			c.consume(1)
			return endLine(text, size, keep), nil
		}
		if size > longest {
			return line{}, protocolErrorf("the server sends a line without end: %d octets so far", size)
		}
		if err := c.fill(); err != nil {
			return line{}, err
		}
	}
}

// endLine makes a line of size octets, LF not counted, of which text is the beginning.
func endLine(text []byte, size, keep int) line {
	n := len(text)
	switch {
	case size > n: // whether a CR came before its LF is not known any more
		return line{text: text[:min(n, keep)], cut: true}
	case n > 0 && text[n-1] == '\r':
		n--
		return line{text: text[:min(n, keep)], cut: n > keep}
	}
	return line{text: text[:min(n, keep)], cut: n > keep, lf: true}
}

// A status is the first line of a reply.
type status struct {
	command string // that it answers
	ok      bool
	more    bool   // "+ ": the server waits for an answer (RFC 5034)
	text    string // what follows, with secrets concealed
	raw     string // ... and without; what is decoded, and never shown
	cut     bool
	bareLF  bool
}

// parseStatus reads "+OK", "-ERR" and "+", each followed by a blank or nothing.
func parseStatus(l line) (status, bool) {
	s := status{cut: l.cut, bareLF: l.lf}
	word, text, _ := strings.Cut(string(l.text), " ")
	s.text = text
	switch word {
	case "+OK":
		s.ok = true
	case "+":
		s.more = true
	case "-ERR":
	default:
		return status{}, false
	}
	return s, true
}

// refusal is the error that -ERR is.
func (s status) refusal() *ResponseError {
	text := s.text
	if s.cut {
		text += "…"
	}
	return &ResponseError{Command: s.command, Code: responseCode(s.text), Text: text}
}

// responseCode is the extended response code that text begins with, in upper case: "IN-USE" of
// "[IN-USE] locked". One without its closing bracket is text like any other.
func responseCode(text string) string {
	inner, found := strings.CutPrefix(text, "[")
	code, _, closed := strings.Cut(inner, "]")
	if !found || !closed || strings.ContainsAny(code, " [") {
		return ""
	}
	return strings.ToUpper(code)
}
