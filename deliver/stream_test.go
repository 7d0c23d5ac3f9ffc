package deliver

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// W2: whatever the chunks, and whichever of io.Copy's ways they take.
func TestStreamIsReplaceAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]byte("\r\r\r\n\n\nx\x00"))
		message := rapid.SliceOf(alphabet).Draw(t, "message")
		var out bytes.Buffer
		s := &stream{out: &out, buf: make([]byte, 0, rapid.IntRange(2, 20).Draw(t, "buffer")), lf: true}
		for rest := message; len(rest) > 0; {
			chunk := rest[:rapid.IntRange(1, len(rest)).Draw(t, "chunk")]
			rest = rest[len(chunk):]
			feed(t, s, chunk, rapid.Bool().Draw(t, "as a writer"))
		}
		if err := s.flush(); err != nil {
			t.Fatal(err)
		}
		want := bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
		if !bytes.Equal(out.Bytes(), want) || s.size != int64(len(want)) {
			t.Errorf("%q becomes %q (%d octets), want %q", message, out.Bytes(), s.size, want)
		}
	})
}

func feed(t *rapid.T, s *stream, chunk []byte, asWriter bool) {
	var n int64
	var err error
	if asWriter {
		var written int
		written, err = s.Write(chunk)
		n = int64(written)
	} else {
		n, err = s.ReadFrom(bytes.NewReader(chunk))
	}
	if err != nil || n != int64(len(chunk)) {
		t.Fatalf("took %d of %d bytes, %v", n, len(chunk), err)
	}
}

func TestStreamKeepsCRLF(t *testing.T) {
	var out bytes.Buffer
	const message = "a\r\nb\r\n"
	if _, err := copyMessage(&out, bytes.NewReader([]byte(message)), false); err != nil || out.String() != message {
		t.Errorf("%q, %v; want %q", out.String(), err, message)
	}
}

func TestStreamTellsWhoFailed(t *testing.T) {
	full := errors.New("full")
	message := bytes.NewReader(make([]byte, 1<<20))
	_, err := copyMessage(failingWriter{full}, message, true)
	if e, ok := errors.AsType[streamError](err); !ok || !errors.Is(e, full) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func BenchmarkStream(b *testing.B) {
	message := bytes.Repeat([]byte("This is a line of some sixty characters, as mail has them.\r\n"), 50)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	r := bytes.NewReader(message)
	for b.Loop() {
		r.Reset(message)
		if _, err := copyMessage(io.Discard, r, true); err != nil {
			b.Fatal(err)
		}
	}
}
