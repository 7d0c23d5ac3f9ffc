package pop3

import (
	"bytes"
	"io"
)

// A lineState is where in a line the last octet of a body stands.
type lineState uint8

const (
	atStart lineState = iota // of the body, or after CRLF
	afterCR
	within
)

// A dotScanner removes dot-stuffing and finds the end of a multi-line reply
// (RFC 1939, section 3): CRLF, a dot, CRLF. Only CRLF ends a line: a dot after a bare LF or a
// bare CR is an octet like any other, or mail could forge replies.
type dotScanner struct{ state lineState }

// next looks at the octets in b, which continue those of the last call. The first use octets are
// dealt with; content is the part of them that belongs to the message. A use of 0 without end
// asks for more octets than b has.
func (d *dotScanner) next(b []byte) (content []byte, use int, end bool) {
	if len(b) == 0 {
		return nil, 0, false
	}
	switch d.state {
	case afterCR:
		if b[0] == '\n' {
			d.state = atStart
			return b[:1], 1, false
		}
	case atStart:
		if b[0] == '.' {
			return d.dot(b)
		}
	case within:
	}
	return d.text(b)
}

// dot deals with a dot at the start of a line: the end, or a stuffed one.
func (d *dotScanner) dot(b []byte) (content []byte, use int, end bool) {
	switch {
	case bytes.HasPrefix(b, []byte(".\r\n")):
		return nil, 3, true
	case len(b) == 1, len(b) == 2 && b[1] == '\r':
		return nil, 0, false
	}
	d.state = within
	return nil, 1, false
}

// text takes everything up to the next line that begins with a dot.
func (d *dotScanner) text(b []byte) (content []byte, use int, end bool) {
	if i := bytes.Index(b, []byte("\r\n.")); i >= 0 {
		d.state = atStart
		return b[:i+2], i + 2, false
	}
	switch {
	case bytes.HasSuffix(b, []byte("\r\n")):
		d.state = atStart
	case b[len(b)-1] == '\r':
		d.state = afterCR
	default:
		d.state = within
	}
	return b, len(b), false
}

// A Body is one message on its way over the line: dot-stuffing removed, line ends still CRLF, no
// other octet changed. It has to be read to its end; [Body.WriteTo] copies nothing.
type Body struct {
	c    *conn
	done func() // is called at the end; nil where nobody cares
	scan dotScanner
	rest []byte // content found and not read yet
	size int64
	err  error // io.EOF after the end
}

// Size is the number of octets so far, dot-stuffing and the closing dot not counted.
func (b *Body) Size() int64 { return b.size }

// Read gives io.EOF after the closing dot and nowhere else: a connection that ends before it is
// an error of the kind [ErrClosed].
func (b *Body) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if err := b.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// WriteTo writes the rest of the message to w.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for {
		if len(b.rest) == 0 {
			if err := b.advance(); err == io.EOF {
				return written, nil
			} else if err != nil {
				return written, err
			}
		}
		n, err := w.Write(b.rest)
		written += int64(n)
		b.rest = b.rest[n:]
		if err != nil {
			return written, err
		}
	}
}

// advance finds more content; what it found lies in the connection's buffer until the next call.
func (b *Body) advance() error {
	for b.err == nil {
		content, use, end := b.scan.next(b.c.buffered())
		b.c.consume(use)
		switch {
		case end:
			b.err = io.EOF
			if b.done != nil {
				b.done()
			}
		case use == 0:
			b.err = b.c.fill()
		case len(content) > 0:
			b.rest = content
			b.size += int64(len(content))
			return nil
		}
	}
	return b.err
}

// discard reads the rest of the message and forgets it.
func (b *Body) discard() error {
	_, err := b.WriteTo(io.Discard)
	return err
}
