package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// An Error says why a roundabout way did not lead to the server.
type Error struct {
	Via  string // "proxy 127.0.0.1:9050", "connect_command ssh"
	Err  error  // in plain words, a proxy's own ones raw; after the context's end [context.DeadlineExceeded] or its cause
	Hint string // what a person can do; may be empty
}

func (e *Error) Error() string { return e.Via + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// A fault is an error in words of our own.
type fault struct {
	text  string
	cause error // what programs ask for with errors.Is
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.cause }

// interrupted is why somebody ended ctx before its time, or nil.
func interrupted(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Cause(ctx)
	}
	return nil
}

// late says whether err means that the time of ctx is over. The connection's own deadline may
// ring a moment before the context's.
func late(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// hungUp says whether err means that the other side ended the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// plain is "connection refused" of what package net says at length. Of a name that cannot be looked
// up only the words remain: it is the proxy's, and nobody is to take it for the server's.
func plain(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return errors.New("no such host")
		}
		return errors.New("its name cannot be looked up: " + dns.Err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if sys, ok := errors.AsType[*os.SyscallError](err); ok {
		err = sys.Err
	}
	return err
}
