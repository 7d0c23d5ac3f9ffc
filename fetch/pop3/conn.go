package pop3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	bufferSize = 64 << 10

	// minProgress octets have to come within each timeout of a long reply: at the default of
	// 60 s that is 68 octets a second, so one octet a second cannot hold an account for ever.
	minProgress = 4 << 10
)

// A conn reads and writes bytes, and sees that every wait has an end.
//
// A wait begins with [conn.await] and lasts at most timeout, whatever trickles in; in a long
// reply it begins anew whenever minProgress octets have come. Only what the server takes counts:
// the time in which a body is written to a slow disk is nobody's fault.
type conn struct {
	timeout time.Duration
	trace   func(string)

	net    net.Conn // replaced under mu
	counts bool     // net tells by itself of octets that have come: see [counted]
	buf    []byte   // read and not consumed: buf[r:w]
	r, w   int
	out    []byte // commands that are not written yet

	bulk     bulk
	long     bool          // within a long reply
	progress int           // octets since the wait began
	left     time.Duration // of the wait, at began
	began    time.Time     // of reading or writing, or of the wait if that is later

	mu    sync.Mutex // guards ended against deadlines set at the same time
	ended error      // why the context ended
}

func newConn(nc net.Conn, timeout time.Duration, trace func(string)) *conn {
	c := &conn{timeout: timeout, trace: trace, buf: make([]byte, bufferSize)}
	c.use(nc)
	return c
}

// use reads from and writes to nc.
func (c *conn) use(nc net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.net, c.bulk = nc, bulkOf(nc)
	if secured, ok := nc.(*tls.Conn); ok {
		if below, ok := secured.NetConn().(*counted); ok {
			c.counts, below.arrived = true, c.arrivedBelow
		}
	}
}

// until ends every wait once ctx ends; the returned function gives the connection back.
func (c *conn) until(ctx context.Context) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended = context.Cause(ctx)
		c.net.SetDeadline(time.Unix(1, 0))
	})
	return func() { stop() }
}

// await begins a wait for a reply.
func (c *conn) await(long bool) {
	c.long = long
	c.awaitFor(c.timeout)
}

func (c *conn) awaitFor(d time.Duration) { c.progress, c.left = 0, d }

// timed runs do, which reads or writes, within a part of what is left of the wait, or all of it.
func (c *conn) timed(within time.Duration, do func([]byte) (int, error), b []byte) (int, error) {
	c.begin(within)
	n, err := do(b)
	c.left -= time.Since(c.began)
	return n, err
}

// begin sets the deadline.
func (c *conn) begin(within time.Duration) {
	c.began = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.net.SetDeadline(c.began.Add(within))
	}
}

// arrived counts n octets, and says whether a new wait begins with them.
func (c *conn) arrived(n int) bool {
	c.progress += n
	if !c.long || c.progress < minProgress {
		return false
	}
	c.await(true)
	return true
}

// arrivedBelow counts n octets of a TLS record, which is read as a whole: a slow line may take
// minutes for one.
func (c *conn) arrivedBelow(n int) {
	if c.long && c.arrived(n) {
		c.begin(c.left)
	}
}

// buffered is what has been read and not consumed.
func (c *conn) buffered() []byte { return c.buf[c.r:c.w] }

func (c *conn) consume(n int) { c.r += n }

// fill reads at least one octet more. What waits to be written goes out first, so that no reply
// is waited for whose command has not been sent.
func (c *conn) fill() error {
	if err := c.flush(); err != nil {
		return err
	}
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.w == len(c.buf):
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	n, err := c.read(c.buf[c.w:])
	c.w += n
	if !c.long || !c.counts {
		c.arrived(n)
	}
	if n > 0 {
		return nil // an error shows again at the next read
	}
	return c.failure(err)
}

func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.timed(c.left, c.net.Write, c.out)
	clear(c.out) // a password may have been in it
	c.out = c.out[:0]
	return c.failure(err)
}

// failure says in plain words why reading or writing ended.
func (c *conn) failure(err error) error {
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	switch {
	case err == nil:
		return nil
	case ended != nil:
		return ended
	case errors.Is(err, os.ErrDeadlineExceeded) && c.long:
		return &fault{kind: ErrTimeout, text: "no progress within " + c.timeout.String()}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &fault{kind: ErrTimeout, text: "no answer within " + c.timeout.String()}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &fault{kind: ErrClosed, text: "the server closed the connection"}
	}
	return &fault{kind: ErrClosed, text: "connection lost", err: cause(err)}
}

// cause strips addresses and system call names off a network error: "connection reset by peer".
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if sys, ok := errors.AsType[*os.SyscallError](err); ok {
		err = sys.Err
	}
	return err
}
