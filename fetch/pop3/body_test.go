package pop3

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// stuffed is a message as RETR sends it (RFC 1939, section 3), the closing dot included.
func stuffed(message []byte) []byte {
	wire := bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(wire, []byte(".")) {
		wire = append([]byte("."), wire...)
	}
	if len(wire) > 0 && !bytes.HasSuffix(wire, []byte("\r\n")) {
		wire = append(wire, "\r\n"...)
	}
	return append(wire, ".\r\n"...)
}

// received is what the client makes of octets that arrive in pieces of at most piece octets.
func received(t testing.TB, wire []byte, piece int) (message, rest []byte, err error) {
	t.Helper()
	c := newConn(&pieces{left: wire, most: piece}, time.Minute, nil)
	c.await(true)
	b := &Body{c: c}
	message, err = io.ReadAll(b)
	if int64(len(message)) != b.Size() {
		t.Errorf("Size() = %d, but %d octets came", b.Size(), len(message))
	}
	return message, append(bytes.Clone(c.buffered()), c.net.(*pieces).left...), err
}

// pieces is a connection that sends what is left in small pieces.
type pieces struct {
	net.Conn
	left []byte
	most int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), max(1, p.most))], p.left)
	p.left = p.left[n:]
	return n, nil
}

func (p *pieces) SetDeadline(time.Time) error { return nil }

// W1, W2: whatever the octets and wherever packets split, the message arrives as it was sent.
func TestBodyArrivesAsSent(t *testing.T) {
	alphabet := []string{"\r", "\n", ".", "\r\n", "\r\n.", "a", "\x00", "\xff", "From ", "+OK", "-ERR"}
	rapid.Check(t, func(t *rapid.T) {
		message := []byte(strings.Join(rapid.SliceOf(rapid.SampledFrom(alphabet)).Draw(t, "message"), ""))
		if len(message) > 0 && !bytes.HasSuffix(message, []byte("\r\n")) {
			message = append(message, "\r\n"...) // a server ends the last line (RFC 1939, section 3)
		}
		next := "+OK next\r\n"
		wire := append(stuffed(message), next...)
		got, rest, err := received(testing.TB(quiet{}), wire, rapid.IntRange(1, 9).Draw(t, "piece"))
		if err != nil || !bytes.Equal(got, message) || string(rest) != next {
			t.Fatalf("%q arrived as %q, %v, and %q is left", message, got, err, rest)
		}
	})
}

// quiet is a testing.TB for helpers in a property, which reports by itself.
type quiet struct{ testing.TB }

func (quiet) Helper() {}

// W19: cut anywhere before its last octet, a message is an error.
func TestCutBodyIsAnError(t *testing.T) {
	wire := stuffed([]byte("Subject: x\r\n\r\n.\r\nend\r\n"))
	for n := range len(wire) {
		if got, _, err := received(t, wire[:n], n+1); err == nil {
			t.Errorf("cut after %d octets, %q counts as a message", n, got)
		}
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte("a\r\n.\r\n"), uint8(1))
	f.Add([]byte("..\r\n.\n.\r\n\r\n.\r\n+OK"), uint8(2))
	f.Fuzz(func(t *testing.T, wire []byte, piece uint8) {
		whole, rest, err := received(t, wire, len(wire)+1)
		parts, rest2, err2 := received(t, wire, int(piece))
		if !bytes.Equal(whole, parts) || !bytes.Equal(rest, rest2) || (err == nil) != (err2 == nil) {
			t.Fatalf("in one piece %q, %q, %v; in pieces %q, %q, %v", whole, rest, err, parts, rest2, err2)
		}
		if err == nil && !bytes.HasPrefix(wire, stuffedAsSent(wire, rest)) {
			t.Fatal("more was taken than a message")
		}
	})
}

// stuffedAsSent is the part of wire before rest.
func stuffedAsSent(wire, rest []byte) []byte { return wire[:len(wire)-len(rest)] }

// endless is a connection that repeats a pattern for size octets and then sends an end.
type endless struct {
	net.Conn
	pattern []byte
	size    int64
	end     string
	at      int
}

func (e *endless) Read(b []byte) (int, error) {
	if e.size <= 0 {
		if e.end == "" {
			return 0, io.EOF
		}
		n := copy(b, e.end)
		e.end = e.end[n:]
		return n, nil
	}
	if len(e.pattern) < 4096 { // many small copies take their time
		e.pattern = bytes.Repeat(e.pattern, 1+4096/len(e.pattern))
	}
	n := 0
	for n < len(b) && e.size > 0 {
		k := copy(b[n:min(len(b), n+int(min(e.size, 1<<20)))], e.pattern[e.at:])
		n += k
		e.at = (e.at + k) % len(e.pattern)
		e.size -= int64(k)
	}
	return n, nil
}

func (e *endless) Write(b []byte) (int, error) { return len(b), nil }
func (e *endless) SetDeadline(time.Time) error { return nil }
func (e *endless) Close() error                { return nil }

// W3: a line of 200 MB takes no more memory than a short one.
func TestLongLineTakesNoMemory(t *testing.T) {
	allocated := allocation(func() {
		c := newConn(&endless{pattern: []byte("x"), size: 200 << 20, end: "\r\n.\r\n"}, time.Minute, nil)
		c.await(true)
		n, err := (&Body{c: c}).WriteTo(io.Discard)
		if err != nil || n != 200<<20+2 {
			t.Errorf("%d octets, %v", n, err)
		}
	})
	if allocated > 1<<20 {
		t.Errorf("%d octets were allocated", allocated)
	}
}

// allocation is how many octets f allocates.
func allocation(f func()) uint64 {
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		if b.N == 1 {
			f()
		}
	})
	return result.MemBytes
}

func BenchmarkBody(b *testing.B) {
	for name, line := range map[string]string{
		"text":       strings.Repeat("x", 70) + "\r\n",
		"dots":       ".\r\n",
		"long lines": strings.Repeat("x", 2*bufferSize) + "\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			const messages = 100
			wire := bytes.Repeat(stuffed([]byte(strings.Repeat(line, 1+2800/len(line)))), messages)
			b.ReportAllocs()
			b.SetBytes(int64(len(wire)))
			for b.Loop() {
				c := newConn(&pieces{left: wire, most: 1 << 16}, time.Minute, nil)
				for range messages {
					if _, err := (&Body{c: c}).WriteTo(io.Discard); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
