package pop3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A counted connection lies below TLS and tells of octets as they arrive.
type counted struct {
	net.Conn
	arrived func(octets int) // nil: nobody listens yet
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.arrived != nil && n > 0 {
		c.arrived(n)
	}
	return n, err
}

func tlsClient(nc net.Conn, config *tls.Config) *tls.Conn {
	return tls.Client(&counted{Conn: nc}, config)
}

// TLS is the state of the session's TLS, nil in the clear: what a log-in can be bound to.
func (c *Client) TLS() *tls.ConnectionState {
	secured, ok := c.c.net.(*tls.Conn)
	if !ok {
		return nil
	}
	state := secured.ConnectionState()
	return &state
}

// Secure makes TLS of a fresh connection (RFC 8314, section 3.2); the hand-shake takes at most
// timeout. When it fails nc is closed.
func Secure(ctx context.Context, nc net.Conn, config *tls.Config, timeout time.Duration) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	secured := tlsClient(nc, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, handshakeFailure(err, timeout)
	}
	return secured, nil
}

func (c *conn) handshakeFailure(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return c.ended
	}
	return handshakeFailure(err, c.timeout)
}

// handshakeFailure says in plain words why a hand-shake ended. What concerns the certificate is
// left as it is.
func handshakeFailure(err error, timeout time.Duration) error {
	var header tls.RecordHeaderError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &fault{kind: ErrTimeout, text: "hand-shake: no answer within " + timeout.String()}
	case errors.As(err, &header):
		return &fault{kind: ErrNoTLS, text: "the server does not speak TLS here"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &fault{kind: ErrClosed, text: "hand-shake: the server closed the connection"}
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return &fault{kind: ErrClosed, text: "hand-shake", err: cause(err)}
	}
	return err
}
