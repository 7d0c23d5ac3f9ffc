package poptest

import (
	"errors"
	"math"
	"net"
)

const (
	outSize   = 32 << 10
	unlimited = math.MaxInt64
)

// errLimit ends an answer of which only the beginning is to be sent.
var errLimit = errors.New("limit of the answer reached")

// An out collects what is sent. It keeps back at least the last octet until flush: as long as that was
// not called, no client can have seen the end of an answer.
type out struct {
	conn  net.Conn
	log   *record
	buf   []byte
	chunk int          // most octets of one write to conn; 0: any number
	sleep func() error // between two writes, where there is a chunk
	limit int64        // octets that may still come
}

func (o *out) Write(p []byte) (int, error) {
	fit := p[:min(int64(len(p)), o.limit)]
	o.limit -= int64(len(fit))
	for rest := fit; len(rest) > 0; {
		if len(o.buf) >= outSize {
			if err := o.send(len(o.buf) - 1); err != nil {
				return 0, err
			}
		}
		n := min(len(rest), outSize-len(o.buf))
		o.buf = append(o.buf, rest[:n]...)
		rest = rest[n:]
	}
	if len(fit) < len(p) {
		return len(fit), errLimit
	}
	return len(p), nil
}

// flush sends all there is.
func (o *out) flush() error {
	return o.send(len(o.buf))
}

// send sends the first n octets, in pieces where the server has a chunk.
func (o *out) send(n int) error {
	for sent := 0; sent < n; {
		piece := o.buf[sent:n]
		if o.chunk > 0 && len(piece) > o.chunk {
			piece = piece[:o.chunk]
		}
		m, err := o.conn.Write(piece)
		o.log.sent(m)
		if err != nil {
			o.buf = o.buf[:0]
			return err
		}
		sent += m
		if o.chunk > 0 {
			if err := o.sleep(); err != nil {
				return err
			}
		}
	}
	o.buf = append(o.buf[:0], o.buf[n:]...)
	return nil
}
