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

// Secure makes TLS of a fresh connection (RFC 8314, section 3.2); the hand-shake takes at most
// timeout. When it fails nc is closed.
func Secure(ctx context.Context, nc net.Conn, config *tls.Config, timeout time.Duration) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	secured := tls.Client(nc, config)
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
