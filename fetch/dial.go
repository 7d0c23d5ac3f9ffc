package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"popsync/fetch/pop3"
)

var errNoSTLS = errors.New("the server does not offer STLS")

// A line is an open connection to a server.
type line struct {
	conn net.Conn
	tls  tls.ConnectionState // zero in the clear
}

// dial connects to server within timeout, all of its addresses together, and makes TLS of it
// where that comes first.
func (d dialer) dial(ctx context.Context, server Server, timeout time.Duration) (line, *Error) {
	conn, err := d.open(ctx, server, timeout)
	if err != nil {
		return line{}, unreachable(ctx, err, timeout)
	}
	if server.Security == Cleartext && !server.AllowCleartext && !local(conn.RemoteAddr()) {
		conn.Close()
		return line{}, &Error{
			Step: "connect", Kind: Config,
			Err:  errors.New("tls: none would send the password in the clear to " + conn.RemoteAddr().String()),
			Hint: "use tls: implicit or tls: starttls; allow_cleartext: true if the line is safe in another way",
		}
	}
	if server.Security != ImplicitTLS {
		return line{conn: conn}, nil
	}
	l := line{}
	secured, err := pop3.Secure(ctx, conn, server.config(&l.tls), timeout)
	if ctx.Err() != nil {
		return line{}, &Error{Step: "TLS", Kind: Interrupted, Err: context.Cause(ctx)}
	}
	if err != nil {
		return line{}, tlsError("TLS", err)
	}
	l.conn = secured
	return l, nil
}

// A dialer opens connections as [net.Dialer.DialContext] does; nil is that one.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// open tries every address of the server, IPv6 and IPv4 side by side, within timeout.
func (d dialer) open(ctx context.Context, server Server, timeout time.Duration) (net.Conn, error) {
	if d == nil {
		nd := net.Dialer{Timeout: timeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true}}
		d = nd.DialContext
	}
	if path, ok := strings.CutPrefix(server.Host, "unix:"); ok {
		return d(ctx, "unix", path)
	}
	return d(ctx, "tcp", net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
}

// local says whether what goes to addr stays on this machine.
func local(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	}
	return false
}

// unreachable says why no connection came about, in words without system call names.
func unreachable(ctx context.Context, err error, timeout time.Duration) *Error {
	e := &Error{Step: "connect", Kind: Unreachable, Err: err, Hint: "check host and port, and that this machine is on line"}
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case ctx.Err() != nil:
		e.Kind, e.Err, e.Hint = Interrupted, context.Cause(ctx), ""
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Err, e.Hint = errors.New("no such host"), "check the spelling of host"
	case errors.As(err, &dns):
		e.Err, e.Hint = errors.New("the name cannot be looked up: "+dns.Err), "check this machine's name servers"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &op) && op.Timeout():
		e.Err = errors.New("no connection within " + timeout.String())
	case errors.As(err, &op):
		e.Err = plain(op)
	}
	return e
}

// plain is "127.0.0.1:110: connection refused" of what package net says at length.
func plain(op *net.OpError) error {
	err := op.Err
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	if op.Addr == nil {
		return err
	}
	return errors.New(op.Addr.String() + ": " + err.Error())
}
