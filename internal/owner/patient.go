package owner

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

const (
	pulse   = 3 * time.Second // between two signs of life of an owner that has a request
	tick    = time.Second     // a look for them
	silence = 15              // looks in vain: the owner is silent
)

// A patient reads what an owner sends, and expects signs of life while a call is under way.
type patient struct {
	conn net.Conn
	call context.Context // nil: none is under way
	tick time.Duration
}

// Read fails with ErrSilent after so many looks in vain. It does not count the seconds from the
// last sign of life: who was stopped meanwhile would not see those that are waiting for it.
func (p *patient) Read(b []byte) (int, error) {
	if p.call == nil {
		return p.conn.Read(b)
	}
	for range silence {
		p.conn.SetReadDeadline(time.Now().Add(p.tick))
		if p.call.Err() != nil { // our deadline may have replaced the one that its end has set
			return 0, os.ErrDeadlineExceeded
		}
		n, err := p.conn.Read(b)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	return 0, ErrSilent
}

// expect begins a call, which stop ends.
func (p *patient) expect(ctx context.Context) (stop func()) {
	p.call = ctx
	return func() {
		p.call = nil
		p.conn.SetReadDeadline(time.Time{})
	}
}
