package deliver

import (
	"bytes"
	"io"
	"sync"
)

// A stream writes a message through a buffer of fixed size and, with lf, each pair CR LF as LF.
// No other byte is changed: a bare CR or LF stays, and CR CR LF becomes CR LF (W2).
//
// It is a [io.ReaderFrom], so that [io.Copy] needs no buffer of its own.
type stream struct {
	out  io.Writer
	buf  []byte // not written yet
	lf   bool
	size int64 // octets written to out
	err  error // of out: nothing is written any more
}

func (s *stream) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if err := s.makeRoom(); err != nil {
			return len(p) - len(rest), err
		}
		n := copy(s.room(), rest)
		s.take(n)
		rest = rest[n:]
	}
	return len(p), nil
}

func (s *stream) ReadFrom(r io.Reader) (total int64, err error) {
	for {
		if err := s.makeRoom(); err != nil {
			return total, err
		}
		n, err := r.Read(s.room())
		s.take(n)
		total += int64(n)
		switch err {
		case nil:
		case io.EOF:
			return total, nil
		default:
			return total, err
		}
	}
}

func (s *stream) room() []byte { return s.buf[len(s.buf):cap(s.buf)] }

// take adds the n bytes that lie in [stream.room], converted in place.
func (s *stream) take(n int) {
	fresh := s.room()[:n]
	if !s.lf || n == 0 {
		s.buf = s.buf[:len(s.buf)+n]
		return
	}
	// A CR at the end of the buffer is always the last byte of the chunk before.
	if fresh[0] == '\n' && len(s.buf) > 0 && s.buf[len(s.buf)-1] == '\r' {
		s.buf = s.buf[:len(s.buf)-1]
	}
	s.buf = appendLF(s.buf, fresh)
}

// appendLF appends p with LF for CR LF. dst may share p's memory as long as it does not reach
// beyond p's beginning: it never grows faster than p is read.
func appendLF(dst, p []byte) []byte {
	for {
		i := bytes.IndexByte(p, '\r')
		if i < 0 {
			return append(dst, p...)
		}
		dst = append(dst, p[:i]...)
		if i+1 == len(p) || p[i+1] != '\n' {
			dst = append(dst, '\r')
		}
		p = p[i+1:]
	}
}

// makeRoom writes a full buffer out. A CR at its end stays: its LF may be the next byte.
func (s *stream) makeRoom() error {
	if len(s.buf) < cap(s.buf) || s.err != nil {
		return s.err
	}
	end := len(s.buf)
	if s.lf && s.buf[end-1] == '\r' {
		end--
	}
	return s.write(end)
}

// flush writes what is left; the message ends here.
func (s *stream) flush() error {
	if len(s.buf) == 0 || s.err != nil {
		return s.err
	}
	return s.write(len(s.buf))
}

// write writes the first n bytes of the buffer and moves the others to its beginning.
func (s *stream) write(n int) error {
	written, err := s.out.Write(s.buf[:n])
	s.size += int64(written)
	s.err = err
	s.buf = s.buf[:copy(s.buf, s.buf[n:])]
	return err
}

// buffers are 64 KiB: most messages take one write.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 64<<10)
	return &b
}}

// A streamError is a failure of out, as against one of the message's reader.
type streamError struct{ error }

func (e streamError) Unwrap() error { return e.error }

// copyMessage copies msg to out and returns the octets written. An error of out is a
// streamError; one of msg is returned as it is.
func copyMessage(out io.Writer, msg io.Reader, lf bool) (size int64, err error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	s := &stream{out: out, buf: (*buf)[:0], lf: lf}
	_, err = io.Copy(s, msg)
	if err == nil {
		_ = s.flush() // kept in s.err
	}
	if s.err != nil { // whatever msg's WriteTo made of it
		return s.size, streamError{s.err}
	}
	return s.size, err
}
