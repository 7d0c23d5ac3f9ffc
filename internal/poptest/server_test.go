package poptest

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSessionOfRFC1939(t *testing.T) {
	s := New(t, Options{})
	box := mailbox(s, "mrose", "Subject: one\r\n\r\nfirst\r\n", "Subject: two\r\n\r\nsecond\r\n")
	dial(t, s).talk(`
		S: +OK POP3 server ready
		C: USER mrose
		S: +OK
		C: PASS secret
		S: +OK 2 messages
		C: STAT
		S: +OK 2 47
		C: LIST
		S: +OK listing follows
		S: 1 23
		S: 2 24
		S: .
		C: LIST 2
		S: +OK 2 24
		C: UIDL
		S: +OK listing follows
		S: 1 uid-a
		S: 2 uid-b
		S: .
		C: UIDL 1
		S: +OK 1 uid-a
		C: RETR 1
		S: +OK 23 octets
		S: Subject: one
		S:
		S: first
		S: .
		C: DELE 1
		S: +OK message 1 deleted
		C: STAT
		S: +OK 1 24
		C: LIST
		S: +OK listing follows
		S: 2 24
		S: .
		C: noop
		S: +OK
		C: QUIT
		S: +OK bye
		S: EOF
	`)
	if diff := cmp.Diff([]string{"uid-b"}, box.UIDs()); diff != "" {
		t.Errorf("left in the mailbox (-want +got):\n%s", diff)
	}
	got := ended(t, s, 1)
	if diff := cmp.Diff([]string{"uid-a"}, got.Deleted); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if got.User != "mrose" || !got.Quit || got.Pipelined() || got.Ahead != 1 {
		t.Errorf("recorded: user %q, quit %v, ahead %d:\n%s", got.User, got.Quit, got.Ahead, got)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct{ name, script string }{
		{"before the log-in", `
			C: STAT
			S: -ERR not in this state
			C: RETR 1
			S: -ERR not in this state
			C: PASS secret
			S: -ERR USER first
			C: QUIT
			S: +OK bye
			S: EOF`},
		{"wrong password", `
			C: USER alice
			S: +OK
			C: PASS Secret
			S: -ERR [AUTH] invalid user name or password
			C: PASS secret
			S: -ERR USER first`},
		{"unknown user", `
			C: USER nobody
			S: +OK
			C: PASS secret
			S: -ERR [AUTH] invalid user name or password`},
		{"unknown commands", `
			C: XTND XMIT
			S: -ERR unknown command
			C: UTF8
			S: -ERR unknown command
			C: STLS
			S: -ERR no TLS here`},
		{"numbers", `
			C: USER alice
			S: +OK
			C: PASS secret
			S: +OK 1 messages
			C: RETR 0
			S: -ERR no such message
			C: RETR 2
			S: -ERR no such message
			C: LIST -1
			S: -ERR no such message
			C: UIDL 4294967297
			S: -ERR no such message
			C: TOP 1
			S: -ERR no such message, or no number of lines
			C: DELE 1
			S: +OK message 1 deleted
			C: DELE 1
			S: -ERR no such message
			C: RETR 1
			S: -ERR no such message`},
		{"log-in twice", `
			C: USER alice
			S: +OK
			C: PASS secret
			S: +OK 1 messages
			C: USER alice
			S: -ERR not in this state`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, Options{})
			mailbox(s, "alice", "\r\n")
			c := dial(t, s)
			c.expect("+OK POP3 server ready")
			c.talk(test.script)
		})
	}
}

func TestNamesAndPasswordsAreTakenByteForByte(t *testing.T) {
	s := New(t, Options{})
	s.Mailbox(` a "b" `).SetPassword(" p%s\xff ")
	c := dial(t, s)
	c.expect("+OK POP3 server ready")
	c.send("USER  a \"b\" \r\n")
	c.expect("+OK")
	c.send("PASS  p%s\xff \r\n")
	c.expect("+OK 0 messages")
}

func TestOnlyQuitDeletes(t *testing.T) {
	tests := []struct {
		name, end string
		want      []string
	}{
		{"QUIT", "QUIT\r\n", []string{"uid-b"}},
		{"QUIT after RSET", "RSET\r\nQUIT\r\n", []string{"uid-a", "uid-b"}},
		{"connection closed", "", []string{"uid-a", "uid-b"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, Options{})
			box := mailbox(s, "alice", "1\r\n", "2\r\n")
			c := dial(t, s)
			c.logIn("alice")
			c.talk(`
				C: DELE 1
				S: +OK message 1 deleted
			`)
			c.send(test.end)
			if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			ended(t, s, 1)
			if diff := cmp.Diff(test.want, box.UIDs()); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSessionSeesItsSnapshot(t *testing.T) {
	s := New(t, Options{})
	box := mailbox(s, "alice", "1\r\n", "2\r\n")
	c := dial(t, s)
	c.logIn("alice")
	box.Remove("uid-a")
	box.Add("late", []byte("3\r\n"))
	c.talk(`
		C: UIDL
		S: +OK listing follows
		S: 1 uid-a
		S: 2 uid-b
		S: .
		C: RETR 1
		S: +OK 3 octets
		S: 1
		S: .
		C: DELE 2
		S: +OK message 2 deleted
		C: QUIT
		S: +OK bye
	`)
	if diff := cmp.Diff([]string{"late"}, box.UIDs()); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestDeletionsGoByMessageNotByUID(t *testing.T) {
	s := New(t, Options{})
	box := s.Mailbox("alice")
	box.Add("twin", []byte("first\r\n"))
	box.Add("twin", []byte("second\r\n"))
	c := dial(t, s)
	c.logIn("alice")
	c.talk(`
		C: DELE 1
		S: +OK message 1 deleted
		C: QUIT
		S: +OK bye
	`)
	var left strings.Builder
	for _, m := range box.Messages() {
		if _, err := m.WriteTo(&left); err != nil {
			t.Fatal(err)
		}
	}
	if left.String() != "second\r\n" {
		t.Errorf("left: %q", left.String())
	}
}

func TestExclusiveMailboxIsInUse(t *testing.T) {
	s := New(t, Options{Exclusive: true})
	s.Mailbox("alice")
	first, second := dial(t, s), dial(t, s)
	first.logIn("alice")
	second.talk(`
		S: +OK POP3 server ready
		C: USER alice
		S: +OK
		C: PASS secret
		S: -ERR [IN-USE] the mailbox is in use by another session
	`)
	first.talk(`
		C: QUIT
		S: +OK bye
	`)
	second.talk(`
		C: USER alice
		S: +OK
		C: PASS secret
		S: +OK 0 messages
	`)
	if got := s.Peak(); got != 2 {
		t.Errorf("peak %d", got)
	}
}

func TestUsersHaveMailboxesOfTheirOwn(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", "a\r\n")
	mailbox(s, "bob", "b\r\n", "c\r\n")
	var clients sync.WaitGroup
	for range 20 {
		for user, answer := range map[string]string{"alice": "+OK 1 3", "bob": "+OK 2 6"} {
			clients.Go(func() {
				c := dial(t, s)
				c.logIn(user)
				c.send("STAT\r\n")
				c.expect(answer)
			})
		}
	}
	clients.Wait()
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pop3")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := New(t, Options{Listener: l})
	mailbox(s, "alice")
	conn, err := net.Dial("unix", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, conn).logIn("alice")
}

func TestClosedServerTakesNoSession(t *testing.T) {
	s := NewPipe(t, Options{})
	s.Close()
	if n, err := s.Pipe().Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d octets, %v", n, err)
	}
}

func TestServeConnReturnsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{})
		mailbox(s, "alice", "1\r\n")
		near, far := net.Pipe()
		returned := make(chan struct{})
		go func() {
			s.ServeConn(far)
			close(returned)
		}()
		c := newClient(t, near)
		c.logIn("alice")
		c.Close()
		<-returned
	})
}

func TestCloseEndsSessions(t *testing.T) {
	s, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Hook("NOOP", Late(time.Hour))
	s.Hook("RSET", Always(Stall))
	for _, command := range []string{"", "NOOP\r\n", "RSET\r\n"} {
		c := dial(t, s)
		c.expect("+OK POP3 server ready")
		c.send(command)
	}
	s.Close()
	for i, session := range s.Sessions() {
		if session.Ended.IsZero() {
			t.Errorf("session %d goes on", i+1)
		}
	}
}
