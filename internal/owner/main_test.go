package owner

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		playRole(role, os.Args[1])
		return
	}
	goleak.VerifyTestMain(m)
}

// socketPath is where a test's socket lies; the folder's path is short enough for one.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "owner")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "state.db.sock")
}

var (
	alice = Hello{Version: "1.4", Command: "run", Config: "/etc/popsync.yaml"}
	bob   = Hello{Version: "1.5", Command: "fetch", Config: "/home/bob/popsync.yaml"}
)

// quick are limits for tests that wait for them.
var quick = limits{clients: 3, pulse: 20 * time.Millisecond, promptly: 200 * time.Millisecond, patience: 200 * time.Millisecond, hurry: 100 * time.Millisecond}

// generous are limits that no test reaches.
var generous = limits{clients: 1000, pulse: time.Minute, promptly: time.Minute, patience: time.Minute, hurry: time.Minute}

// serve listens at path and serves until the test's end.
func serve(t testing.TB, path string, limits limits, handle Handler) *Listener {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.limits, l.seats = limits, make(chan struct{}, limits.clients)
	go l.Serve(func() Hello { return alice }, handle)
	t.Cleanup(func() { l.Close() })
	return l
}

// echo answers with what it was asked.
func echo(_ context.Context, r *Request) (any, error) { return r.Body, nil }

// untilEnd tells that it has begun and waits for the end of its context.
func untilEnd(ctx context.Context, r *Request) (any, error) {
	if err := r.Emit("begun"); err != nil {
		return nil, err
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// dialled connects bob to path until the test's end.
func dialled(t testing.TB, path string) *Conn {
	t.Helper()
	c, _, err := Dial(t.Context(), path, bob)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A wire is a client that is free to misbehave.
type wire struct {
	testing.TB
	*net.UnixConn
	in *bufio.Reader
}

func newWire(t testing.TB, path string) wire {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // of a test that hangs
	return wire{t, conn, bufio.NewReader(conn)}
}

// put writes text as it is. The other end may be closed by then.
func (w wire) put(text string) { w.WriteString(text) }

func (w wire) WriteString(text string) (int, error) { return w.Write([]byte(text)) }

// rest are the lines until the end.
func (w wire) rest() (lines []message) {
	w.Helper()
	for {
		line, err := readLine(w.in, maxLine)
		if err != nil {
			if !ended(err) {
				w.Errorf("after %d lines: %v", len(lines), err)
			}
			return lines
		}
		m, err := parse(line)
		if err != nil {
			w.Errorf("%q: %v", line, err)
		}
		lines = append(lines, m)
	}
}

// next is the next line.
func (w wire) next() message {
	w.Helper()
	m, err := read(w.in)
	if err != nil {
		w.Fatal(err)
	}
	return m
}

// waitFor waits until is.
func waitFor(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}

func decoded(t testing.TB, raw json.RawMessage) (value any) {
	t.Helper()
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func text(raw json.RawMessage) string { return string(raw) }
