package poptest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDotStuffing(t *testing.T) {
	tests := []struct{ name, raw, wire string }{
		{"nothing", "", ".\r\n"},
		{"one line", "a\r\n", "a\r\n.\r\n"},
		{"no last line end", "a", "a\r\n.\r\n"},
		{"a dot alone", ".\r\n", "..\r\n.\r\n"},
		{"a dot and no line end", ".", "..\r\n.\r\n"},
		{"dots that begin lines", "a\r\n.\r\n..\r\n.b\r\n", "a\r\n..\r\n...\r\n..b\r\n.\r\n"},
		{"dots elsewhere", "a.\r\n b. .\r\n", "a.\r\n b. .\r\n.\r\n"},
		{"dot behind a bare LF", "a\n.\nb\r\n", "a\n.\nb\r\n.\r\n"},
		{"dot behind a bare CR", "a\r.\rb\r\n", "a\r.\rb\r\n.\r\n"},
		{"dot behind CR CR LF", "a\r\r\n.\r\n", "a\r\r\n..\r\n.\r\n"},
		{"CR at the end", "a\r", "a\r\r\n.\r\n"},
		{"LF at the end", "a\n", "a\n\r\n.\r\n"},
		{"NUL and 8-bit", "\x00\xff\r\n.\x00\r\n", "\x00\xff\r\n..\x00\r\n.\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for size := 1; size <= len(test.raw)+1; size++ {
				var wire strings.Builder
				if err := stuff(&wire, test.raw, size); err != nil {
					t.Fatal(err)
				}
				if wire.String() != test.wire {
					t.Fatalf("in pieces of %d: got %q, want %q", size, wire.String(), test.wire)
				}
			}
		})
	}
}

// stuff passes raw through a dotWriter in pieces.
func stuff(w io.Writer, raw string, size int) error {
	d := newDotWriter(w)
	for len(raw) > 0 {
		n := min(size, len(raw))
		if _, err := io.WriteString(struct{ io.Writer }{d}, raw[:n]); err != nil {
			return err
		}
		raw = raw[n:]
	}
	return d.end()
}

func TestTop(t *testing.T) {
	const raw = "Subject: x\r\nTo: y\r\n\r\n.one\r\ntwo\r\n\r\nfour\r\n"
	tests := []struct {
		name, raw, arg, want string
	}{
		{"header alone", raw, "1 0", "Subject: x\r\nTo: y\r\n\r\n.\r\n"},
		{"some lines", raw, "1 3", "Subject: x\r\nTo: y\r\n\r\n..one\r\ntwo\r\n\r\n.\r\n"},
		{"more than there are", raw, "1 99", "Subject: x\r\nTo: y\r\n\r\n..one\r\ntwo\r\n\r\nfour\r\n.\r\n"},
		{"no blank line", "Subject: x\r\n", "1 0", "Subject: x\r\n.\r\n"},
		{"nothing", "", "1 5", ".\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, Options{})
			mailbox(s, "alice", test.raw)
			c := dial(t, s)
			c.logIn("alice")
			c.send("TOP " + test.arg + "\r\nQUIT\r\n")
			got, err := c.rest()
			want := "+OK top of message follows\r\n" + test.want + "+OK bye\r\n"
			if got != want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestTopOfAnEndlessMessageEnds(t *testing.T) {
	s := New(t, Options{})
	s.Mailbox("alice").AddFunc("endless", 1<<40, func(w io.Writer) error {
		for {
			if _, err := io.WriteString(w, "a: b\r\n\r\nc\r\n"); err != nil {
				return fmt.Errorf("line: %w", err)
			}
		}
	})
	c := dial(t, s)
	c.logIn("alice")
	c.talk(`
		C: TOP 1 1
		S: +OK top of message follows
		S: a: b
		S:
		S: c
		S: .
	`)
}

func TestLargeGeneratedMessage(t *testing.T) {
	const lines = 1 << 17
	s := New(t, Options{})
	write := func(w io.Writer) error {
		for i := range lines {
			if _, err := fmt.Fprintf(w, "line %d\r\n", i); err != nil {
				return err
			}
		}
		return nil
	}
	want := sha256.New()
	if err := write(want); err != nil {
		t.Fatal(err)
	}
	s.Mailbox("alice").AddFunc("large", 0, write)
	c := dial(t, s)
	c.logIn("alice")
	c.talk(`
		C: RETR 1
		S: +OK 0 octets
	`)
	got := sha256.New()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == ".\r\n" {
			break
		}
		io.WriteString(got, line)
	}
	if string(got.Sum(nil)) != string(want.Sum(nil)) {
		t.Error("another message came")
	}
}

func TestFailingMessageIsCut(t *testing.T) {
	s := New(t, Options{})
	s.Mailbox("alice").AddFunc("broken", 10, func(w io.Writer) error {
		_, err := io.Copy(w, io.MultiReader(strings.NewReader("begin"), iotest.ErrReader(errors.New("broken"))))
		return err
	})
	c := dial(t, s)
	c.logIn("alice")
	c.send("RETR 1\r\n")
	if got, err := c.rest(); strings.HasSuffix(got, "\r\n.\r\n") {
		t.Errorf("got %q, %v", got, err)
	}
}
