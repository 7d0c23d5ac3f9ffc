package transport

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"popsync/internal/secret"
)

// An httpServer is an HTTP proxy for one connection.
type httpServer struct {
	answer string // "": a plain 200
	asked  *http.Request
}

func (s httpServer) serve(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	if s.asked != nil {
		*s.asked = *r
	}
	answer := s.answer
	if answer == "" {
		answer = "HTTP/1.1 200 Connection established\r\n\r\n"
	}
	if _, err := io.WriteString(c, answer); err == nil {
		server(c)
	}
}

// T8: the request, with names as they are and without a look-up.
func TestConnect(t *testing.T) {
	for address, want := range map[string]string{
		"does-not-exist.invalid:995": "does-not-exist.invalid:995",
		"192.0.2.1:110":              "192.0.2.1:110",
		"[2001:db8::1]:995":          "[2001:db8::1]:995",
	} {
		var r http.Request
		inBubble(t, httpServer{asked: &r}.serve, func(t *testing.T, f *fake) {
			if err := try(t, HTTPConnect(proxyAt, "", secret.Value{}, f.dial), address); err != nil {
				t.Fatal(err)
			}
		})
		if r.Method != "CONNECT" || r.RequestURI != want || r.Host != want || r.Proto != "HTTP/1.1" || r.Header.Get("Proxy-Authorization") != "" {
			t.Errorf("%s %s %s, Host %s, %v", r.Method, r.RequestURI, r.Proto, r.Host, r.Header)
		}
	}
}

// T8: credentials.
func TestConnectAuthentication(t *testing.T) {
	var r http.Request
	inBubble(t, httpServer{asked: &r}.serve, func(t *testing.T, f *fake) {
		if err := try(t, HTTPConnect(proxyAt, "alice", secret.New("geheim: ü"), f.dial), "h:1"); err != nil {
			t.Fatal(err)
		}
	})
	code, _ := strings.CutPrefix(r.Header.Get("Proxy-Authorization"), "Basic ")
	if text, err := base64.StdEncoding.DecodeString(code); err != nil || string(text) != "alice:geheim: ü" {
		t.Errorf("%q, %v", text, err)
	}
	inBubble(t, httpServer{}.serve, func(t *testing.T, f *fake) {
		wantError(t, try(t, HTTPConnect(proxyAt, "ali:ce", secret.New("geheim"), f.dial), "h:1"), "a user name with a colon")
	})
}

// Answers that are a way to the server.
func TestConnectGoodAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"HTTP/1.0":                "HTTP/1.0 200 OK\r\n\r\n",
		"without a reason":        "HTTP/1.1 200\r\n\r\n",
		"another 2xx":             "HTTP/1.1 204 No Content\r\n\r\n",
		"headers":                 "HTTP/1.1 200 OK\r\nVia: 1.1 squid\r\nX: y\r\n\r\n",
		"a length means nothing":  "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nTransfer-Encoding: chunked\r\n\r\n",
		"bare line feeds":         "HTTP/1.1 200 OK\nVia: x\n\n",
		"interim answers":         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"almost too long a head":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 16<<10-24) + "\r\n\r\n",
		"nothing but status line": "HTTP/1.1 299 \r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, httpServer{answer: answer}.serve, func(t *testing.T, f *fake) {
				if err := try(t, HTTPConnect(proxyAt, "", secret.Value{}, f.dial), "h:1"); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What the server says right behind the blank line, in the same packet, is not lost.
func TestConnectLosesNothingBehindTheHead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"+greeting+"more")
	}()
	conn, err := HTTPConnect(l.Addr().String(), "", secret.Value{}, nil)(t.Context(), "tcp", "h:1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := io.ReadAll(conn); err != nil || string(got) != greeting+"more" {
		t.Errorf("%q, %v", got, err)
	}
}

// T8: every other answer is told, and nothing in it that was secret.
func TestConnectRefusals(t *testing.T) {
	for answer, words := range map[string]string{
		"HTTP/1.1 403 Forbidden by rule\r\n\r\n":                                               "does not connect to h:1: HTTP/1.1 403 Forbidden by rule",
		"HTTP/1.1 502 Bad \x1b[31mGateway\r\n\r\n":                                             "502 Bad \x1b[31mGateway", // raw; escaped where it leaves
		"HTTP/1.1 407 geheim\r\nProxy-Authenticate: Basic realm=x\r\n\r\n":                     "authentication failed\n",
		"HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n": "it takes NTLM, Negotiate, and popsync knows Basic alone",
		"HTTP/1.1 407 No\r\nproxy-authenticate: Digest x, Basic y\r\n\r\n":                     "authentication failed\n",
		"HTTP/1.1 500 YWxpY2U6Z2VoZWlt, which is geheim\r\n\r\n":                               "500 [redacted], which is [redacted]",
		"HTTP/1.1 500 " + strings.Repeat("x", 198) + "geheim\r\n\r\n":                          "xxx...",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                                             "101 Switching",
		"HTTP/1.1 301 Moved\r\nLocation: http://other\r\n\r\n":                                 "301 Moved",
		"HTTP/1.1 2000 OK\r\n\r\n":                                                             "2000 OK",
		"HTTP/1.1 2x0 OK\r\n\r\n":                                                              "2x0 OK",
		"HTTP/1.1\r\n\r\n":                                                                     "does not connect",
		"HTTP/2 200\r\n\r\n":                                                                   "speaks no HTTP",
		"HTTP/1.1 200 OK\r\n":                                                                  "closes the connection instead of connecting",
		"HTTP/1.1 100 Continue\r\n\r\n":                                                        "closes the connection instead of connecting",
		"\x15\x03\x01\x00\x02\x02\x46":                                                         "speaks no HTTP",
		"\x05\xff":                                                                             "socks5://",
	} {
		inBubble(t, says(answer), func(t *testing.T, f *fake) {
			wantError(t, try(t, HTTPConnect(proxyAt, "alice", secret.New("geheim"), f.dial), "h:1"), words)
		})
	}
	inBubble(t, says("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), func(t *testing.T, f *fake) {
		wantError(t, try(t, HTTPConnect(proxyAt, "", secret.Value{}, f.dial), "h:1"), "wants a user name and a password", "http://USER:PASSWORD@")
	})
}

// A head without end is given up after 16 KiB, and one that drips at the end of the time.
func TestConnectHeadIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a line":              "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 64<<20),
		"a status line":       "HTTP/1.1 200 " + strings.Repeat("x", 1<<20),
		"lines":               "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1<<20),
		"interim without end": strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, says(text), func(t *testing.T, f *fake) {
				wantError(t, try(t, HTTPConnect(proxyAt, "", secret.Value{}, f.dial), "h:1"), "more than 16 KiB")
			})
		})
	}
	inBubble(t, func(c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		drip(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 100), time.Second)
	}, func(t *testing.T, f *fake) {
		begun := time.Now()
		wantError(t, try(t, HTTPConnect(proxyAt, "", secret.Value{}, f.dial), "h:1"), "no connection to h:1 in time")
		if took := time.Since(begun); took != timeout {
			t.Errorf("took %v, want %v", took, timeout)
		}
	})
}

func FuzzConnectAnswer(f *testing.F) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\n\r\n+OK", "HTTP/1.0 407 x\r\nProxy-Authenticate: Digest\r\n\r\n", "HTTP/1.1 100 \n\n", "\x05\x00", "",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		conn := &scripted{rest: answer}
		err := connect{conn, "h:1", "alice", secret.New("geheim")}.ask()
		if err == nil && !strings.Contains(string(answer), " 2") {
			t.Errorf("%q is no good answer", answer)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%v", err)
		}
	})
}

// A scripted connection reads what it was given and forgets what is written.
type scripted struct {
	net.Conn
	rest []byte
}

func (s *scripted) Write(p []byte) (int, error) { return len(p), nil }

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
