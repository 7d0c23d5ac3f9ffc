package owner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

var (
	// ErrNobody means that nobody listens at the socket, or does not any more.
	ErrNobody = errors.New("nobody serves the state")
	// ErrSilent means that the owner does not answer: it is stopped, most likely.
	ErrSilent = errors.New("the owner of the state does not answer")
	// ErrGone means that the owner went away before it answered. What it did is not known.
	ErrGone = errors.New("the owner of the state went away")
)

const (
	answerTime   = 5 * time.Second       // until the owner has said hello, or has taken a request
	connectAgain = 20 * time.Millisecond // between two tries while its queue is full
)

// A Conn is a connection to the owner of a state, for one request. Only Close may be called from
// another goroutine.
type Conn struct {
	path   string
	within time.Duration // for the owner to take a request
	conn   *net.UnixConn
	owner  *patient
	in     *bufio.Reader // of owner
	asked  bool
}

// Dial connects to the owner of a state by its socket, and exchanges hellos.
//
// The error is [ErrNobody], [ErrSilent] after 5 seconds, the cause of ctx's end, a *[Failure] of
// [CodeBusy] or [CodeStranger], or says who listens there that must not, or what does not work.
func Dial(ctx context.Context, path string, mine Hello) (*Conn, Hello, error) {
	return dial(ctx, path, mine, answerTime)
}

func dial(ctx context.Context, path string, mine Hello, within time.Duration) (*Conn, Hello, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, ErrSilent)
	defer cancel()
	conn, err := connect(ctx, path)
	if err != nil {
		return nil, Hello{}, err
	}
	c := newConn(path, conn, within)
	theirs, err := c.greet(ctx, mine)
	switch {
	case ctx.Err() != nil: // then the connection is of no use, even if all went well
		err = context.Cause(ctx)
	case errors.Is(err, ErrGone):
		err = ErrNobody
	}
	if err != nil {
		conn.Close()
		return nil, Hello{}, err
	}
	return c, theirs, nil
}

func newConn(path string, conn *net.UnixConn, within time.Duration) *Conn {
	p := &patient{conn: conn, tick: tick}
	return &Conn{path: path, within: within, conn: conn, owner: p, in: bufio.NewReader(p)}
}

// connect waits while the owner's queue is full.
func connect(ctx context.Context, path string) (*net.UnixConn, error) {
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		switch {
		case err == nil:
			return conn.(*net.UnixConn), nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
			return nil, ErrNobody
		case !os.IsTimeout(err): // EAGAIN is one, and ctx's deadline, which may be noticed before ctx ends
			return nil, cannotConnect(path, err)
		}
		sleep(ctx, connectAgain)
	}
}

// cannotConnect says whose socket it is, which is what matters where we may not.
func cannotConnect(path string, err error) error {
	err = &os.PathError{Op: "connect to", Path: path, Err: reason(err)}
	if info, statErr := os.Lstat(path); statErr == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			return fmt.Errorf("%w; the socket belongs to %s", err, userName(int(st.Uid)))
		}
	}
	return err
}

// greet exchanges hellos.
func (c *Conn) greet(ctx context.Context, mine Hello) (Hello, error) {
	if err := c.checkPeer(); err != nil {
		return Hello{}, err
	}
	defer c.until(ctx)()
	mine.Schema, mine.PID = Schema, os.Getpid()
	if err := c.send(ctx, map[string]any{"hello": mine}); err != nil {
		return Hello{}, err
	}
	m, err := c.receive(ctx)
	switch {
	case err != nil:
		return Hello{}, err
	case m.Failed != nil:
		return Hello{}, m.Failed
	case m.Hello == nil || m.Hello.Schema == 0:
		return Hello{}, c.wrong(errors.New("no hello"))
	}
	return *m.Hello, nil
}

func (c *Conn) checkPeer() error {
	p, err := peerOf(c.conn)
	if err != nil {
		return err
	}
	if me := os.Geteuid(); !p.mayServe(me) {
		return fmt.Errorf("at %s listens %v, not of %s", c.path, p, userName(me))
	}
	return nil
}

// Call asks the owner to do something and returns its answer. Each event on the way there is
// given to each, unless that is nil; its error ends the call. Both the owner and each may take
// any time.
//
// The error is the owner's *[Failure], [ErrGone], [ErrSilent] after 15 seconds without a sign of
// life, the cause of ctx's end, each's, or says what is wrong with what the owner sent. After any
// but the first, the connection is of no more use than to be closed.
func (c *Conn) Call(ctx context.Context, do string, body any, each func(event json.RawMessage) error) (json.RawMessage, error) {
	if c.asked {
		return nil, errors.New("a connection is for one request")
	}
	c.asked = true
	c.conn.SetWriteDeadline(time.Now().Add(c.within))
	defer c.owner.expect(ctx)()
	defer c.until(ctx)()
	if err := c.send(ctx, map[string]any{"do": do, "body": body}); err != nil {
		return nil, err
	}
	for {
		m, err := c.receive(ctx)
		switch {
		case err != nil:
			return nil, err
		case m.Done != nil:
			return m.Done, nil
		case m.Failed != nil:
			return nil, m.Failed
		case m.Event != nil && each != nil:
			if err := each(m.Event); err != nil {
				return nil, err
			}
		case m.Event == nil && !m.Alive:
			return nil, c.wrong(errors.New("neither an event nor an answer"))
		}
	}
}

// WaitGone waits until the owner has ended and returns nil, or the cause of ctx's end. It may be
// called instead of Call, or after it.
func (c *Conn) WaitGone(ctx context.Context) error {
	defer c.until(ctx)()
	_, err := io.Copy(io.Discard, c.in)
	if err == nil || ended(err) {
		return nil
	}
	return c.fault(ctx, err)
}

// Close ends the connection, and with it a request whose answer has not come.
func (c *Conn) Close() error { return c.conn.Close() }

// send sends a line. An owner that ends the connection may have said why: then it is for receive
// to find out.
func (c *Conn) send(ctx context.Context, fields map[string]any) error {
	line, err := encode(fields)
	if err != nil {
		return err
	}
	if _, err = c.conn.Write(line); err == nil || ended(err) {
		return nil
	}
	return c.fault(ctx, err)
}

func (c *Conn) receive(ctx context.Context) (message, error) {
	m, err := read(c.in)
	if err != nil {
		return message{}, c.fault(ctx, err)
	}
	return m, nil
}

// until lets the end of ctx end what waits for the owner; afterwards the connection is of no use.
func (c *Conn) until(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { c.conn.SetDeadline(past) })
}

// fault is what an error of the connection means.
func (c *Conn) fault(ctx context.Context, err error) error {
	switch wrong, ok := errors.AsType[*wrongError](err); {
	case ok:
		return c.wrong(wrong)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case ended(err):
		return ErrGone
	case errors.Is(err, ErrSilent), errors.Is(err, os.ErrDeadlineExceeded):
		return ErrSilent
	}
	return &os.PathError{Op: "ask at", Path: c.path, Err: reason(err)}
}

func (c *Conn) wrong(what error) error {
	return fmt.Errorf("what listens at %s is no popsync, or another version: it sends %w", c.path, what)
}

// ended reports whether err means that the other end is closed, or ours.
func ended(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE, syscall.ECONNRESET, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
