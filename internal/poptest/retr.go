package poptest

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

func retr(c *Conn, arg string) error {
	n, m := c.pick(arg)
	if m == nil {
		return c.Reply("-ERR no such message")
	}
	if err := c.Reply("+OK %d octets", m.Size); err != nil {
		return err
	}
	c.retrieved[n] = true
	return c.body(c.text(m))
}

func top(c *Conn, arg string) error {
	number, count, _ := strings.Cut(arg, " ")
	_, m := c.pick(number)
	lines, err := strconv.Atoi(strings.TrimSpace(count))
	if m == nil || err != nil || lines < 0 {
		return c.Reply("-ERR no such message, or no number of lines")
	}
	if err := c.Reply("+OK top of message follows"); err != nil {
		return err
	}
	return c.body(func(w io.Writer) error {
		t := &topWriter{w: w, lines: lines}
		if err := c.text(m)(t); err != nil && !t.full {
			return err
		}
		return nil
	})
}

// body sends what write writes as the text of a multi-line answer.
func (c *Conn) body(write func(io.Writer) error) error {
	d := newDotWriter(c)
	if err := write(d); err != nil {
		return err
	}
	return d.end()
}

// A dotWriter adds a dot to every line that begins with one. A line ends with CRLF, and with nothing else
// (RFC 1939, section 3): a bare CR or LF is an octet like others.
type dotWriter struct {
	w     io.Writer
	fresh bool // at the beginning of a line
	cr    bool // behind a CR
}

func newDotWriter(w io.Writer) *dotWriter {
	return &dotWriter{w: w, fresh: true}
}

func (d *dotWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if d.fresh && rest[0] == '.' {
			if _, err := d.w.Write([]byte(".")); err != nil {
				return 0, err
			}
		}
		piece := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			piece = rest[:i+1]
		}
		if _, err := d.w.Write(piece); err != nil {
			return 0, err
		}
		d.note(piece)
		rest = rest[len(piece):]
	}
	return len(p), nil
}

// note keeps in mind how piece, which has an LF at its end or none, has ended.
func (d *dotWriter) note(piece []byte) {
	last := piece[len(piece)-1]
	if len(piece) > 1 {
		d.cr = piece[len(piece)-2] == '\r'
	}
	d.fresh = d.cr && last == '\n'
	d.cr = last == '\r'
}

// end completes an unfinished line and sends the closing dot.
func (d *dotWriter) end() error {
	terminator := ".\r\n"
	if !d.fresh {
		terminator = "\r\n.\r\n"
	}
	_, err := io.WriteString(d.w, terminator)
	return err
}

// errFull makes the writer of a message stop once TOP has what it wants.
var errFull = errors.New("enough lines")

// A topWriter passes the header, the blank line and the first lines of the body on (RFC 1939, "TOP").
type topWriter struct {
	w     io.Writer
	lines int  // of the body that may still come
	body  bool // behind the blank line
	open  bool // within a line that is not blank
	full  bool
}

func (t *topWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if t.body && t.lines == 0 {
			t.full = true
			return 0, errFull
		}
		piece, ended := rest, false
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			piece, ended = rest[:i+1], true
		}
		if _, err := t.w.Write(piece); err != nil {
			return 0, err
		}
		t.note(piece, ended)
		rest = rest[len(piece):]
	}
	return len(p), nil
}

// note counts the line that piece belongs to.
func (t *topWriter) note(piece []byte, ended bool) {
	if len(bytes.Trim(piece, "\r\n")) > 0 {
		t.open = true
	}
	switch {
	case !ended:
		return
	case t.body:
		t.lines--
	case !t.open:
		t.body = true
	}
	t.open = false
}
