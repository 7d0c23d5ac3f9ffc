package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"popsync/internal/secret"
)

func TestMain(m *testing.M) {
	beHelper()
	goleak.VerifyTestMain(m)
}

const (
	proxyAt  = "proxy.example:1080"
	greeting = "+OK POP3 ready\r\n"
	timeout  = time.Minute
)

// A fake is a proxy at the other end of a pipe.
type fake struct {
	t     *testing.T
	serve func(net.Conn)
	dials []string // addresses that were dialled
	done  []chan struct{}
}

func (f *fake) dial(_ context.Context, network, address string) (net.Conn, error) {
	f.dials = append(f.dials, network+" "+address)
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	f.done = append(f.done, done)
	go func() {
		defer close(done)
		defer theirs.Close()
		f.serve(theirs)
	}()
	return ours, nil
}

// inBubble runs test with a proxy that does serve, in virtual time.
func inBubble(t *testing.T, serve func(net.Conn), test func(t *testing.T, f *fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{t: t, serve: serve}
		test(t, f)
		for _, done := range f.done {
			<-done
		}
	})
}

// try dials address and wants what a POP3 server sends first, at once and later.
func try(t *testing.T, d Dialer, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	conn, err := d(ctx, "tcp", address)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); !ok || e.Via != "proxy "+proxyAt {
			t.Errorf("%#v is no Error of the proxy", err)
		}
		return err
	}
	defer conn.Close()
	if want := address + " by proxy " + proxyAt; conn.RemoteAddr().String() != want {
		t.Errorf("remote address %q, want %q", conn.RemoteAddr(), want)
	}
	time.Sleep(2 * timeout) // deadlines of the hand-shake are gone
	got, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || got != greeting {
		t.Errorf("the server says %q, %v; want %q", got, err, greeting)
	}
	if _, err := io.WriteString(conn, "QUIT\r\n"); err != nil {
		t.Errorf("writing: %v", err)
	}
	return nil
}

// server is the POP3 server behind a proxy.
func server(c net.Conn) {
	if _, err := io.WriteString(c, greeting); err != nil {
		return
	}
	_, _ = bufio.NewReader(c).ReadString('\n')
}

// wantError says whether err has all of words in its text or its hint, and nothing secret.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	text := err.Error()
	if e, ok := errors.AsType[*Error](err); ok {
		text += "\n" + e.Hint
	}
	for _, word := range append(words, "proxy "+proxyAt) {
		if !strings.Contains(text, word) {
			t.Errorf("the error does not say %q: %s", word, text)
		}
	}
	for _, word := range []string{"geheim", "YWxpY2U6Z2VoZWlt", "socks connect", "OpError"} {
		if strings.Contains(text, word) {
			t.Errorf("the error says %q: %s", word, text)
		}
	}
}

// kinds are the two proxies, for what is the same with both.
var kinds = map[string]func(string, string, secret.Value, Dialer) Dialer{"SOCKS5": SOCKS5, "CONNECT": HTTPConnect}

// T8, P1: whatever a proxy does, the time of the context is the end of it.
func TestHostileProxies(t *testing.T) {
	for kind, way := range kinds {
		for name, c := range map[string]struct {
			serve func(net.Conn)
			words string
		}{
			"silent":            {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "is silent"},
			"reads nothing":     {func(c net.Conn) { time.Sleep(time.Hour) }, "is silent"},
			"closes":            {func(net.Conn) {}, "closes the connection without an answer"},
			"reads and closes":  {func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, "closes the connection without an answer"},
			"speaks otherwise":  {says("SSH-2.0-OpenSSH_9.2\r\n"), "speaks no"},
			"greets as POP3":    {says(greeting), "speaks no"},
			"one octet an hour": {func(c net.Conn) { go io.Copy(io.Discard, c); drip(c, "\x05\x00\x05\x00", time.Hour) }, "no answer in time"},
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				inBubble(t, c.serve, func(t *testing.T, f *fake) {
					begun := time.Now()
					wantError(t, try(t, way(proxyAt, "", secret.Value{}, f.dial), "pop.example.org:995"), c.words)
					if took := time.Since(begun); took > timeout {
						t.Errorf("took %v, longer than the context's %v", took, timeout)
					}
				})
			})
		}
	}
}

// says is a proxy that says text, whatever it is asked, and closes.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		_, _ = io.WriteString(c, text)
	}
}

// drip writes text octet by octet.
func drip(c net.Conn, text string, pause time.Duration) {
	for i := range len(text) {
		time.Sleep(pause)
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
	}
}

// A proxy that cannot be reached is told in words, and the end of the context is its cause.
func TestUnreachableProxy(t *testing.T) {
	why := errors.New("interrupted")
	for kind, way := range kinds {
		refused := func(context.Context, string, string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(t.Context(), "tcp", closedPort(t))
		}
		err := try(t, way(proxyAt, "", secret.Value{}, refused), "pop.example.org:995")
		wantError(t, err, "cannot be reached: connection refused", "check that the proxy runs")

		unknown := func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "proxy.example", IsNotFound: true}}
		}
		err = try(t, way(proxyAt, "", secret.Value{}, unknown), "pop.example.org:995")
		wantError(t, err, "cannot be reached: no such host")
		if _, ok := errors.AsType[*net.DNSError](err); ok {
			t.Error("the proxy's name looks like the server's")
		}

		t.Run(kind+" slow", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				err := try(t, way(proxyAt, "", secret.Value{}, slow), "pop.example.org:995")
				wantError(t, err, "cannot be reached in time")
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v is no end of time", err)
				}
			})
		})
		t.Run(kind+" interrupted", func(t *testing.T) {
			inBubble(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, func(t *testing.T, f *fake) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(why) })
				if _, err := way(proxyAt, "", secret.Value{}, f.dial)(ctx, "tcp", "pop.example.org:995"); !errors.Is(err, why) {
					t.Errorf("error %v, want %v", err, why)
				}
			})
		})
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// What no proxy can do is refused before it is called.
func TestWhatNoProxyReaches(t *testing.T) {
	for _, way := range kinds {
		f := &fake{t: t}
		d := way(proxyAt, "", secret.Value{}, f.dial)
		_, err := d(t.Context(), "unix", "/run/pop3.sock")
		wantError(t, err, "a Unix socket cannot be reached through a proxy")
		_, err = d(t.Context(), "tcp", "[fe80::1%eth0]:110")
		wantError(t, err, "fe80::1%eth0")
		_, err = d(t.Context(), "tcp", "a b\r\nX:110")
		wantError(t, err, "no host name")
		if len(f.dials) > 0 {
			t.Errorf("called nevertheless: %q", f.dials)
		}
	}
	_, err := SOCKS5("no-port", "", secret.Value{}, nil)(t.Context(), "tcp", "h:1")
	if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Hint, "socks5://HOST:PORT") {
		t.Errorf("%v", err)
	}
}

// C11: the proxy itself may have an international name.
func TestProxyWithInternationalName(t *testing.T) {
	f := &fake{t: t, serve: func(net.Conn) {}}
	_, _ = SOCKS5("bücher.example:1080", "", secret.Value{}, f.dial)(t.Context(), "tcp", "h:1")
	if len(f.dials) != 1 || f.dials[0] != "tcp xn--bcher-kva.example:1080" {
		t.Errorf("dialled %q", f.dials)
	}
}

// Over a proxy, nothing looks as if it stayed on this machine (T7).
func TestRemoteAddressIsNoLoopback(t *testing.T) {
	inBubble(t, socks(socksServer{}), func(t *testing.T, f *fake) {
		conn, err := SOCKS5(proxyAt, "", secret.Value{}, f.dial)(t.Context(), "tcp", "127.0.0.1:110")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, ok := conn.RemoteAddr().(Addr); !ok {
			t.Errorf("%T", conn.RemoteAddr())
		}
	})
}
