package secret

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestNobodyIsAsked(t *testing.T) {
	opened := func() (*os.File, error) { return nil, errors.New("ENXIO") }
	wantSecret(t, (&Asker{Terminal: opened}).Source("work", "u", "h"), "",
		"no password is given, and there is no terminal to ask for it")
	opened = func() (*os.File, error) {
		t.Error("opens the terminal")
		return nil, os.ErrNotExist
	}
	wantSecret(t, (&Asker{Never: true, Terminal: opened}).Source("work", "u", "h"), "",
		"no password is given, and nobody is to be asked for it")
}

func TestAFileIsNoTerminal(t *testing.T) {
	a := Asker{Terminal: func() (*os.File, error) { return os.Open(os.DevNull) }}
	if _, err := a.Source("work", "u", "h")(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "/dev/null is no terminal: ") {
		t.Error(err)
	}
}

func TestWaitForTheTurnEndsWithTheContext(t *testing.T) {
	asking, done := make(chan struct{}), make(chan struct{})
	a := Asker{Terminal: func() (*os.File, error) {
		close(asking)
		<-done
		return nil, os.ErrNotExist
	}}
	first := make(chan struct{})
	go func() {
		defer close(first)
		_, _ = a.Source("a", "u", "h")(context.Background())
	}()
	<-asking
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Source("b", "u", "h")(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waits: %v", err)
	}
	close(done)
	<-first
}

func TestTypedLine(t *testing.T) {
	for name, c := range map[string]struct {
		typed, want string
		err         error
	}{
		"Enter":                      {"abc\rd", "abc", nil},
		"line feed":                  {"abc\n", "abc", nil},
		"nothing":                    {"\r", "", nil},
		"blanks, tabs, 8-bit, ESC":   {" a\tb\xff\x1b \r", " a\tb\xff\x1b ", nil},
		"backspace":                  {"abx\x7fcd\x08\r", "abc", nil},
		"backspace takes characters": {"aü\x7fb\x7f\x7f\x7f\x7fc\r", "c", nil},
		"Ctrl-U":                     {"abc\x15d\r", "d", nil},
		"Ctrl-D":                     {"\x04", "", errNoAnswer},
		"Ctrl-D within":              {"a\x04b\r", "ab", nil},
		"Ctrl-D after all is gone":   {"a\x7f\x04", "", errNoAnswer},
		"as long as can be":          {strings.Repeat("a", maxSize) + "\r", strings.Repeat("a", maxSize), nil},
		"longer":                     {strings.Repeat("a", maxSize+9) + "\r", strings.Repeat("a", maxSize+1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := typed(c.typed)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%.40q (%d), %v, want %.40q, %v", got, len(got), err, c.want, c.err)
			}
		})
	}
}

// typed is the line that the keys give.
func typed(keys string) (string, error) {
	var l typedLine
	for i := range len(keys) {
		if done, err := l.add(keys[i]); done || err != nil {
			return string(l.text), err
		}
	}
	return "", errors.New("goes on")
}
