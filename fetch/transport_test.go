package fetch

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"popsync/internal/poptest"
	"popsync/internal/secret"
	"popsync/internal/transport"
)

var noSecret secret.Value

// A proxy that takes CONNECT and passes everything on to one server, whatever name is asked for.
type proxy struct {
	net.Listener
	to      string
	running sync.WaitGroup

	mu    sync.Mutex
	asked []string
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	p.running.Go(p.serve)
	t.Cleanup(func() { l.Close(); p.running.Wait() })
	return p
}

func (p *proxy) serve() {
	for {
		conn, err := p.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.tunnel(conn) })
	}
}

func (p *proxy) tunnel(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := io.WriteString(conn, "HTTP/1.1 200 go on\r\n\r\n"); err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { _, _ = io.Copy(conn, server); conn.Close() })
	_, _ = io.Copy(server, in)
	server.Close()
	back.Wait()
}

// T8: a proxy changes nothing: names are looked up there, TLS is checked against the name, and
// nothing goes out in clear.
func TestThroughAProxy(t *testing.T) {
	ca := poptest.NewCA(t)
	for name, security := range map[string]Security{"implicit": ImplicitTLS, "STLS": StartTLS} {
		for _, kind := range []poptest.Kind{poptest.Good, poptest.WrongName} {
			t.Run(name+", "+string(kind), func(t *testing.T) {
				w := newWorld(t, poptest.Options{TLS: ca.Config(kind), STLS: security == StartTLS})
				p := newProxy(t, w.server.Addr())
				w.overTLS(ca, security)
				w.account.Server.Dial, w.account.Server.Far = transport.HTTPConnect(p.Addr().String(), "", noSecret, nil), true
				w.account.Server.Host, w.account.Server.TLS.ServerName = "pop.invalid", "localhost"
				w.add(1, 1)
				if kind == poptest.Good {
					w.good(1)
				} else {
					w.bad(Unreachable, "certificate")
				}
				w.wantNothingInClear()
				if len(p.asked) != 1 || !strings.HasPrefix(p.asked[0], "CONNECT pop.invalid:") {
					t.Errorf("the proxy was asked for %q", p.asked)
				}
			})
		}
	}
}

// T7: through a proxy or a program nothing is local, whatever address is connected to.
func TestProxyIsNeverLocal(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	p := newProxy(t, w.server.Addr())
	w.account.Server.Dial, w.account.Server.Far = transport.HTTPConnect(p.Addr().String(), "", noSecret, nil), true
	w.bad(Config, "allow_cleartext")
	w.wantNothingInClear()
	w.account.Server.AllowCleartext = true
	w.bad(Refused, "auth: user") // A1
	w.account.Auth = "user"
	w.good(0)
}

// T8: a proxy that is not there is named, with the way out.
func TestProxyIsDead(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Server.AllowCleartext = true
	w.account.Server.Dial, w.account.Server.Far = transport.SOCKS5("127.0.0.1:1", "", noSecret, nil), true
	w.bad(Unreachable, "proxy 127.0.0.1:1", "refused")
}

// T8: a program is the line to the server. What it says when it fails is shown.
func TestConnectCommand(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Server.AllowCleartext, w.account.Server.Far, w.account.Auth = true, true, "user"
	w.add(1, 3)
	w.account.Server.Dial = transport.Command([]string{os.Args[0], "-test.run=^$", "connect", w.server.Addr()}, append(os.Environ(), connectVariable+"="+w.server.Addr()))
	w.good(3)
	w.wantMail(letters(1, 3))
	w.account.Server.Dial = transport.Command([]string{"sh", "-c", "echo gate is closed >&2; exit 1"}, nil)
	w.bad(Unreachable, "gate is closed")
	w.account.Server.Dial = transport.Command([]string{"/no/such/program"}, nil)
	w.bad(Unreachable, "/no/such/program", "no such file")
}

// connectVariable makes the test program a connect_command.
const connectVariable = "POPSYNC_TEST_CONNECT"

func init() {
	addr := os.Getenv(connectVariable)
	if addr == "" {
		return
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		os.Exit(1)
	}
	go func() { _, _ = io.Copy(conn, os.Stdin); conn.(*net.TCPConn).CloseWrite() }()
	_, _ = io.Copy(os.Stdout, conn)
	os.Exit(0)
}

// T6: a client certificate is shown where the server wants one, and EXTERNAL logs in with it.
func TestClientCertificate(t *testing.T) {
	ca := poptest.NewCA(t)
	config := ca.Config(poptest.Good)
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	w := newWorld(t, poptest.Options{TLS: config, SASL: []string{"EXTERNAL"}})
	w.overTLS(ca, ImplicitTLS)
	w.server.Mailbox("localhost").Add("uid-1", []byte(letter(1)))
	w.account.User, w.account.Auth = "localhost", "external"
	w.setPassword("")
	w.bad(Unreachable) // without a certificate
	w.account.Server.TLS.Certificates = []tls.Certificate{ca.Issue(poptest.Client)}
	w.account.Certificate = true
	w.good(1)
	if talk := w.last().String(); !strings.Contains(talk, "AUTH EXTERNAL") || strings.Contains(talk, "PASS") {
		t.Errorf("got\n%s", talk)
	}
}

// C11: a name in another script is asked for as the resolver knows it.
func TestInternationalHostName(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	asked := ""
	w.dialer = func(_ context.Context, _, address string) (net.Conn, error) {
		asked = address
		return nil, errors.New("no such thing")
	}
	w.account.Server.Host = "pöp.example"
	w.bad(Unreachable)
	if !strings.HasPrefix(asked, "xn--pp-fka.example:") {
		t.Errorf("asked for %q", asked)
	}
}
