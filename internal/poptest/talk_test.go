package poptest

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// A client is one raw connection to a server.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, s *Server) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

func newClient(t testing.TB, conn net.Conn) *client {
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &client{t, conn, bufio.NewReaderSize(conn, 64<<10)}
}

// talk plays script: a line "C: text" is sent, "S: text" has to come, each with a CRLF; "S: EOF" is the end.
// Blanks around a line are nothing.
func (c *client) talk(script string) {
	c.t.Helper()
	for line := range strings.Lines(script) {
		side, text, _ := strings.Cut(strings.TrimSpace(line), ":")
		text = strings.TrimPrefix(text, " ")
		switch side {
		case "C":
			c.send(text + "\r\n")
		case "S":
			c.expect(text)
		}
	}
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		c.t.Fatalf("send %q: %v", raw, err)
	}
}

func (c *client) expect(want string) {
	c.t.Helper()
	got, err := c.r.ReadString('\n')
	if want == "EOF" && err == io.EOF && got == "" {
		return
	}
	if err != nil || got != want+"\r\n" {
		c.t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// rest is all that comes up to the end of the connection, and how that ended.
func (c *client) rest() (string, error) {
	raw, err := io.ReadAll(c.r)
	return string(raw), err
}

// logIn is the beginning of most talks.
func (c *client) logIn(user string) {
	c.t.Helper()
	c.talk(`
		S: +OK POP3 server ready
		C: USER ` + user + `
		S: +OK
		C: PASS secret
	`)
	if line, err := c.r.ReadString('\n'); !strings.HasPrefix(line, "+OK") {
		c.t.Fatalf("PASS: %q, %v", line, err)
	}
}

// secure goes on over TLS.
func (c *client) secure(config *tls.Config) *client {
	over := tls.Client(c.Conn, config)
	return &client{c.t, over, bufio.NewReader(over)}
}

func mailbox(s *Server, user string, raws ...string) *Mailbox {
	box := s.Mailbox(user)
	for i, raw := range raws {
		box.Add("uid-"+string(rune('a'+i)), []byte(raw))
	}
	return box
}

// ended waits for the n-th session's end, and is what was recorded of it.
func ended(t testing.TB, s *Server, n int) Session {
	t.Helper()
	for range 1000 {
		if all := s.Sessions(); len(all) >= n && !all[n-1].Ended.IsZero() {
			return all[n-1]
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("session %d does not end", n)
	return Session{}
}
