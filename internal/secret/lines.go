package secret

import (
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Lines are what somebody types or pastes on the terminal, in sight: lines of up to 64 KiB, where
// the terminal itself keeps 4095 bytes of one. Backspace, Ctrl-U and Ctrl-D do what they do
// everywhere.
type Lines struct {
	tty     *os.File
	fd      int
	restore func()

	line typedLine
	keys []byte // that were pressed, and not looked at yet
	text []byte // of lines that are complete
	over atomic.Bool
}

// OpenLines takes the terminal that popsync was started on; open is for another one, or nil.
func OpenLines(open func() (*os.File, error)) (*Lines, error) {
	if open == nil {
		open = openTerminal
	}
	tty, err := open()
	if err != nil {
		return nil, err
	}
	fd, restore, err := silence(tty)
	if err != nil {
		tty.Close()
		return nil, err
	}
	return &Lines{tty: tty, fd: fd, restore: restore}, nil
}

// Read gives complete lines, and io.EOF after Ctrl-D. One goroutine may read at a time.
func (l *Lines) Read(p []byte) (int, error) {
	for len(l.text) == 0 {
		switch {
		case l.over.Load():
			return 0, os.ErrDeadlineExceeded
		case len(l.keys) == 0:
			if err := l.wait(); err != nil {
				return 0, err
			}
		default:
			key := l.keys[0]
			l.keys = l.keys[1:]
			if err := l.press(key); err != nil {
				return 0, io.EOF
			}
		}
	}
	n := copy(p, l.text)
	l.text = l.text[n:]
	return n, nil
}

// wait takes the keys that are there, or waits a little for some.
func (l *Lines) wait() error {
	buf := make([]byte, 4096)
	n, err := unix.Read(l.fd, buf)
	switch {
	case err == nil && n == 0, err == unix.EIO: // hung up
		return io.EOF
	case err == unix.EAGAIN, err == unix.EINTR:
		time.Sleep(lookAgain)
		return nil
	case err != nil:
		return err
	}
	l.keys = buf[:n]
	return nil
}

// press is one key, and what the terminal shows of it.
func (l *Lines) press(key byte) error {
	before, size := utf8.RuneCount(l.line.text), len(l.line.text)
	done, err := l.line.add(key)
	switch after := utf8.RuneCount(l.line.text); {
	case done || err != nil:
		l.show("\n")
	case after < before:
		l.show(strings.Repeat("\b \b", before-after))
	case len(l.line.text) > size && (key >= ' ' || key == '\t'):
		l.show(string([]byte{key}))
	}
	if done {
		l.text = append(l.line.text, '\n')
		l.line = typedLine{}
	}
	return err
}

func (l *Lines) show(text string) { _, _ = io.WriteString(l.tty, text) }

// SetReadDeadline ends a Read that waits, whatever the time: nobody is waited for any more.
func (l *Lines) SetReadDeadline(time.Time) error {
	l.over.Store(true)
	return nil
}

// Close leaves the terminal as it was. Nobody reads any more.
func (l *Lines) Close() error {
	l.restore()
	return l.tty.Close()
}
