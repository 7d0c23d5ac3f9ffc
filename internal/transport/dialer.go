package transport

import (
	"context"
	"net"
	"time"
)

// A Dialer opens connections as [net.Dialer.DialContext] does. Where this package made it, its
// errors are an [*Error].
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// orDirect is d, or the plain way where there is none.
func (d Dialer) orDirect() Dialer {
	if d != nil {
		return d
	}
	return (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true}}).DialContext
}

// An Addr is the far end of a roundabout way. It never looks like an address of this machine,
// wherever the proxy runs: what is sent goes further.
type Addr struct {
	Via    string // "proxy 127.0.0.1:9050", "connect_command ssh"
	Target string // host:port as the proxy was told; empty for a program
}

// Network is no network of package net.
func (a Addr) Network() string { return "via" }

func (a Addr) String() string {
	if a.Target == "" {
		return a.Via
	}
	return a.Target + " by " + a.Via
}

// within runs do, which reads and writes conn, for as long as ctx allows, and leaves conn without
// deadlines where it succeeds.
func within(ctx context.Context, conn net.Conn, do func() error) error {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err := do()
	if !stop() && err == nil { // the deadline in the past is set, or is just being set
		return ctx.Err()
	}
	if err == nil {
		_ = conn.SetDeadline(time.Time{})
	}
	return err
}
