package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// A wire is a POP3 connection of a floor: whatever comes lies in one buffer, and is looked at once.
type wire struct {
	conn       net.Conn
	buf        []byte
	start, end int // what has come and is not taken yet

	writing sync.WaitGroup
	mu      sync.Mutex
	failed  error // of a write
}

// room is that of the buffer: a line, and any message that one write is to store, must fit.
const room = 1 << 20

func newWire(conn net.Conn) *wire { return &wire{conn: conn, buf: make([]byte, room)} }

// send writes while others read: the server may not take commands before its answers are read.
func (w *wire) send(commands string) {
	w.writing.Wait()
	w.writing.Go(func() {
		if _, err := io.WriteString(w.conn, commands); err != nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failed = err
		}
	})
}

// sent is the error of what was sent.
func (w *wire) sent() error {
	w.writing.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// fill reads more. A full buffer is an error.
func (w *wire) fill() error {
	if w.start > 0 && w.end == len(w.buf) {
		w.end = copy(w.buf, w.buf[w.start:w.end])
		w.start = 0
	}
	if w.end == len(w.buf) {
		return errors.New("a line does not fit into the buffer")
	}
	n, err := w.conn.Read(w.buf[w.end:])
	w.end += n
	if n > 0 {
		return nil
	}
	return err
}

// answer takes a status line, without its end. It is good until the next call.
func (w *wire) answer() ([]byte, error) {
	line, err := w.status()
	if err == nil {
		w.start += len(crlf)
	}
	return line, err
}

// answers takes n status lines.
func (w *wire) answers(n int) error {
	for range n {
		if _, err := w.answer(); err != nil {
			return err
		}
	}
	return nil
}

const (
	crlf   = "\r\n"
	ending = "\r\n.\r\n"
)

// status takes a status line and leaves its end, to which the ending of an empty body belongs.
func (w *wire) status() ([]byte, error) {
	for {
		if i := bytes.Index(w.buf[w.start:w.end], []byte(crlf)); i >= 0 {
			line := w.buf[w.start : w.start+i]
			w.start += i
			if !strings.HasPrefix(string(line), "+OK") {
				return nil, fmt.Errorf("the server says %q", line)
			}
			return line, nil
		}
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
}

// multiline takes a status line and what follows. The lines go to out, unless it is nil, as a
// Maildir has them: in one piece if they fit into the buffer.
func (w *wire) multiline(out io.Writer) error {
	if _, err := w.status(); err != nil {
		return err
	}
	searched := w.start
	for {
		if i := bytes.Index(w.buf[searched:w.end], []byte(ending)); i >= 0 {
			end := searched + i
			err := write(out, w.buf[min(w.start+len(crlf), end+len(crlf)):end+len(crlf)])
			w.start = end + len(ending)
			return err
		}
		searched = max(w.start, w.end-len(ending)+1)
		if out == nil {
			w.start = searched
		} else if w.end-w.start == len(w.buf) {
			if err := w.spill(out); err != nil {
				return err
			}
			searched = max(w.start, w.end-len(ending)+1)
		}
		before := w.start
		if err := w.fill(); err != nil {
			return err
		}
		searched -= before - w.start // what fill has moved
	}
}

// spill writes the whole lines that there are, and leaves the end of the last.
func (w *wire) spill(out io.Writer) error {
	last := w.start + bytes.LastIndex(w.buf[w.start:w.end], []byte(crlf))
	if last <= w.start {
		return errors.New("a line does not fit into the buffer")
	}
	err := write(out, w.buf[w.start+len(crlf):last+len(crlf)])
	w.start = last
	return err
}

// write writes whole lines to out, or nowhere.
func write(out io.Writer, lines []byte) error {
	if out == nil || len(lines) == 0 {
		return nil
	}
	_, err := out.Write(unstuff(lines))
	return err
}
