package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// A hop is a proxy and how it is reached.
type hop struct {
	proxy string // host:port
	base  Dialer
}

func (h hop) via() string { return "proxy " + h.proxy }

func (h hop) failed(err error, hint string) *Error { return &Error{h.via(), err, hint} }

// through connects to the proxy and has ask ask it for a way to address. The error of ask is one
// of the connection, or a [*refusal].
func (h hop) through(ctx context.Context, network, address string, ask func(ctx context.Context, conn net.Conn, target string) error) (net.Conn, error) {
	target, err := target(network, address)
	if err != nil {
		return nil, h.failed(err, "set host and port to what the proxy can reach, or do without proxy")
	}
	conn, failed := h.reach(ctx)
	if failed != nil {
		return nil, failed
	}
	heard := &ear{Conn: conn}
	if err := ask(ctx, heard, target); err != nil {
		conn.Close()
		return nil, h.unanswered(ctx, err, target, heard.any)
	}
	return &proxied{conn, Addr{h.via(), target}}, nil
}

// reach connects to the proxy.
func (h hop) reach(ctx context.Context) (net.Conn, *Error) {
	host, port, err := net.SplitHostPort(h.proxy)
	if err == nil {
		host, err = ASCII(host)
	}
	if err != nil {
		return nil, h.failed(err, "write proxy as socks5://HOST:PORT or http://HOST:PORT")
	}
	conn, err := h.base.orDirect()(ctx, "tcp", net.JoinHostPort(host, port))
	switch {
	case err == nil:
		return conn, nil
	case interrupted(ctx) != nil:
		return nil, h.failed(interrupted(ctx), "")
	case late(ctx, err):
		return nil, h.failed(&fault{"cannot be reached in time", context.DeadlineExceeded}, hintReach)
	}
	return nil, h.failed(fmt.Errorf("cannot be reached: %w", plain(err)), hintReach)
}

const (
	hintReach  = "check that the proxy runs, and host and port in proxy"
	hintSilent = "check that there is a proxy at that port, and that proxy names its kind: socks5://... or http://..."
	hintFar    = "the proxy works; check host and port of the account"
)

// A refusal is a proxy's answer that is no way to the server.
type refusal struct{ text, hint string }

func (r *refusal) Error() string { return r.text }

// unanswered says why the proxy did not give us a way to target. heard: it has said something.
func (h hop) unanswered(ctx context.Context, err error, target string, heard bool) *Error {
	r, refused := errors.AsType[*refusal](err)
	switch {
	case interrupted(ctx) != nil:
		return h.failed(interrupted(ctx), "")
	case refused:
		return h.failed(r, r.hint)
	case late(ctx, err) && heard:
		return h.failed(&fault{"no connection to " + target + " in time", context.DeadlineExceeded}, hintFar)
	case late(ctx, err):
		return h.failed(&fault{"is silent: no answer in time", context.DeadlineExceeded}, hintSilent)
	case hungUp(err) && heard:
		return h.failed(&fault{"closes the connection instead of connecting to " + target, err}, hintFar)
	case hungUp(err):
		return h.failed(&fault{"closes the connection without an answer", err}, hintSilent)
	}
	return h.failed(fmt.Errorf("connection lost: %w", plain(err)), hintReach)
}

// An ear notes whether the other side has said anything.
type ear struct {
	net.Conn
	any bool
}

func (e *ear) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	e.any = e.any || n > 0
	return n, err
}

// A proxied connection ends at the server and not at the proxy.
type proxied struct {
	net.Conn
	remote Addr
}

func (p *proxied) RemoteAddr() net.Addr { return p.remote }
