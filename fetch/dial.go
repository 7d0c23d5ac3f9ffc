package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"popsync/fetch/pop3"
	"popsync/internal/transport"
)

var errNoSTLS = errors.New("the server does not offer STLS")

// A line is an open connection to a server.
type line struct {
	conn      net.Conn
	tls       tls.ConnectionState // zero in the clear
	exposed   bool                // in the clear, and not on this machine only
	complaint func() string       // of a program that connects, what it says about it; nil without one
}

// dial connects to server within timeout, all of its addresses together, and makes TLS of it
// where that comes first.
func (d dialer) dial(ctx context.Context, server Server, timeout time.Duration) (line, *Error) {
	conn, err := d.open(ctx, server, timeout)
	if err != nil {
		return line{}, unreachable(ctx, err, timeout)
	}
	l := line{conn: conn, exposed: server.Security == Cleartext && (server.Far || !local(conn.RemoteAddr()))}
	if program, ok := conn.(interface{ Complaint() string }); ok {
		l.complaint = program.Complaint
	}
	if l.exposed && !server.AllowCleartext {
		conn.Close()
		return line{}, &Error{
			Step: "connect", Kind: Config,
			Err:  errors.New("tls: none would send the password in the clear to " + conn.RemoteAddr().String()),
			Hint: "use tls: implicit or tls: starttls; allow_cleartext: true if the line is safe in another way",
		}
	}
	if server.Security != ImplicitTLS {
		return l, nil
	}
	secured, err := pop3.Secure(ctx, conn, server.config(&l.tls), timeout)
	if ctx.Err() != nil {
		return line{}, &Error{Step: "TLS", Kind: Interrupted, Err: context.Cause(ctx)}
	}
	if err != nil {
		return line{}, withComplaint(tlsError("TLS", err), l.complaint)
	}
	l.conn = secured
	return l, nil
}

// A dialer opens connections as [net.Dialer.DialContext] does; nil is that one.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// open tries every address of the server, IPv6 and IPv4 side by side, within timeout.
func (d dialer) open(ctx context.Context, server Server, timeout time.Duration) (net.Conn, error) {
	switch {
	case d != nil:
	case server.Dial != nil:
		d = server.Dial
	default:
		nd := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true}}
		d = nd.DialContext
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, os.ErrDeadlineExceeded)
	defer cancel()
	if path, ok := strings.CutPrefix(server.Host, "unix:"); ok {
		return d(limited, "unix", path)
	}
	host, err := transport.ASCII(server.Host)
	if err != nil {
		return nil, err
	}
	return d(limited, "tcp", net.JoinHostPort(host, strconv.Itoa(server.Port)))
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
	var via *transport.Error
	switch {
	case ctx.Err() != nil:
		e.Kind, e.Err, e.Hint = Interrupted, context.Cause(ctx), ""
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Err, e.Hint = errors.New("no such host"), "check the spelling of host"
	case errors.As(err, &dns):
		e.Err, e.Hint = errors.New("the name cannot be looked up: "+dns.Err), "check this machine's name servers"
	case errors.As(err, &via):
		e.Err, e.Hint = via, via.Hint
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &op) && op.Timeout() && !errors.Is(err, syscall.ETIMEDOUT):
		e.Err = errors.New("no connection within " + timeout.String())
	case errors.As(err, &op):
		e.Err = plain(op)
	}
	return e
}

// withComplaint adds what a program that connects has said about it.
func withComplaint(e *Error, complaint func() string) *Error {
	if complaint == nil {
		return e
	}
	if said := complaint(); said != "" {
		e.Err = fmt.Errorf("%w; connect_command says %q", e.Err, said)
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
