package main

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// script is a connection of which only what comes matters.
type script struct {
	net.Conn
	r io.Reader
}

func (s script) Read(p []byte) (int, error) { return s.r.Read(p) }

func TestBodiesAsAMaildirHasThem(t *testing.T) {
	long := strings.Repeat("a line of a message\r\n..\r\n\r\n", 30)
	bodies := []struct{ name, sent, want string }{
		{"empty", "", ""},
		{"one empty line", "\r\n", "\n"},
		{"a line", "a\r\n", "a\n"},
		{"dots", "..\r\n...\r\n..a\r\na.\r\n", ".\n..\n.a\na.\n"},
		{"bare ends within lines", "a\rb\nc\r\n", "a\rb\nc\n"},
		{"more than the buffer", long, strings.NewReplacer("\r\n..", "\n.", "\r\n", "\n").Replace(long)},
		{"what looks like an answer", "+OK\r\n-ERR no\r\n", "+OK\n-ERR no\n"},
	}
	var all strings.Builder
	for _, b := range bodies {
		all.WriteString("+OK follows\r\n" + b.sent + ".\r\n")
	}
	all.WriteString("+OK bye\r\n")
	for name, pieces := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "octet by octet": iotest.OneByteReader, "in halves": iotest.HalfReader,
	} {
		for _, size := range []int{64, 100, 4096} {
			w := &wire{conn: script{r: pieces(strings.NewReader(all.String()))}, buf: make([]byte, size)}
			for _, b := range bodies {
				var got bytes.Buffer
				if err := w.multiline(&got); err != nil || got.String() != b.want {
					t.Fatalf("%s, %s, buffer of %d: %q, %v", b.name, name, size, &got, err)
				}
			}
			if line, err := w.answer(); string(line) != "+OK bye" || err != nil {
				t.Errorf("%s, buffer of %d: %q, %v", name, size, line, err)
			}
			w = &wire{conn: script{r: pieces(strings.NewReader(all.String()))}, buf: make([]byte, size)}
			for range bodies {
				if err := w.multiline(nil); err != nil {
					t.Fatalf("thrown away %s, buffer of %d: %v", name, size, err)
				}
			}
			if line, err := w.answer(); string(line) != "+OK bye" || err != nil {
				t.Errorf("thrown away %s, buffer of %d: %q, %v", name, size, line, err)
			}
		}
	}
}

func TestRefusalIsAnError(t *testing.T) {
	w := newWire(script{r: strings.NewReader("-ERR no\r\n+OK\r\n")})
	if err := w.multiline(nil); err == nil || !strings.Contains(err.Error(), "-ERR no") {
		t.Errorf("got %v", err)
	}
}

func TestCutBodyIsAnError(t *testing.T) {
	w := newWire(script{r: strings.NewReader("+OK\r\nhalf a mess")})
	if err := w.multiline(io.Discard); err == nil {
		t.Error("a body without an end is taken")
	}
}
