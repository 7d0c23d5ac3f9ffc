package poptest

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/google/go-cmp/cmp"
)

// in is a session of user that has logged in.
func in(t *testing.T, s *Server, user string) *client {
	t.Helper()
	c := newClient(t, s.Pipe())
	c.r.ReadString('\n')
	c.send("USER " + user + "\r\n")
	c.expect("+OK")
	c.send("PASS secret\r\n")
	if line, err := c.r.ReadString('\n'); !strings.HasPrefix(line, "+OK") {
		t.Fatalf("PASS: %q, %v", line, err)
	}
	return c
}

// list sends verb and is the lines of the answer.
func (c *client) list(verb string) []string {
	c.t.Helper()
	c.send(verb + "\r\n")
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if err != nil || line == "." || strings.HasPrefix(line, "-ERR") {
			return lines
		}
		if !strings.HasPrefix(line, "+OK") {
			lines = append(lines, line)
		}
	}
}

// W12: a window that moves on with what was retrieved, at QUIT only.
func TestGmail(t *testing.T) {
	s := NewPipe(t, Gmail(2))
	box := mailbox(s, "alice", "1\r\n", "2\r\n", "3\r\n", "4\r\n")
	window := func(user string, want ...string) *client {
		t.Helper()
		c := in(t, s, user)
		if diff := cmp.Diff(want, c.list("UIDL")); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
		return c
	}
	c := window("alice", "1 uid-a", "2 uid-b")
	c.list("RETR 1")
	c.Close()
	ended(t, s, 1)
	c = window("alice", "1 uid-a", "2 uid-b")
	c.list("RETR 1")
	c.talk(`
		C: RETR 9
		S: -ERR no such message
		C: TOP 2 0
		S: +OK top of message follows
		S: 2
		S: .
		C: QUIT
		S: +OK bye
	`)
	ended(t, s, 2)
	c = window("alice", "1 uid-b", "2 uid-c")
	c.talk(`
		C: DELE 1
		S: +OK message 1 deleted
		C: QUIT
		S: +OK bye
	`)
	ended(t, s, 3)
	window("alice", "1 uid-c", "2 uid-d")
	window("recent:alice", "1 uid-a", "2 uid-c", "3 uid-d")
	if diff := cmp.Diff([]string{"uid-a", "uid-c", "uid-d"}, box.UIDs()); diff != "" {
		t.Errorf("in the mailbox (-want +got):\n%s", diff)
	}
	c = newClient(t, s.Pipe())
	c.r.ReadString('\n')
	want := []string{
		"USER", "RESP-CODES", "EXPIRE 0", "LOGIN-DELAY 300", "TOP", "UIDL", "X-GOOGLE-RICO",
		"SASL PLAIN XOAUTH2 OAUTHBEARER",
	}
	if diff := cmp.Diff(want, c.list("CAPA")); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
}

// R7: mailpit's window moves on with deletions alone.
func TestWindow(t *testing.T) {
	s := NewPipe(t, Options{Window: 1})
	mailbox(s, "alice", "1\r\n", "2\r\n")
	c := in(t, s, "alice")
	c.list("RETR 1")
	c.send("QUIT\r\n")
	c.rest()
	if diff := cmp.Diff([]string{"1 uid-a"}, in(t, s, "alice").list("UIDL")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A2: Exchange wants tokens in two lines, and closes otherwise.
func TestExchange(t *testing.T) {
	s := NewPipe(t, Exchange())
	token := strings.Repeat("t", 2000)
	s.Mailbox("alice").SetToken(token)
	c := newClient(t, s.Pipe())
	c.talk(`
		S: +OK The Microsoft Exchange POP3 service is ready.
		C: STLS
		S: -ERR Command is not valid in this state.
	`)
	if diff := cmp.Diff([]string{"TOP", "UIDL", "USER", "SASL PLAIN XOAUTH2"}, c.list("CAPA")); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
	if got := c.auth(tokenClient("alice", token), true); got != "-ERR Protocol error. Connection is closed. 10" {
		t.Error(got)
	}
	if got, err := c.rest(); got != "" || err != nil {
		t.Errorf("then %q, %v", got, err)
	}
	c = newClient(t, s.Pipe())
	c.r.ReadString('\n')
	if got := c.auth(tokenClient("alice", token), false); got != "+OK 0 messages" {
		t.Error(got)
	}
}

// W7, W8, W12: Courier and perdition lose what comes behind PASS before its answer.
func TestLostEarlyCommands(t *testing.T) {
	for _, opts := range []Options{Courier(), Perdition()} {
		t.Run(opts.Greeting, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewPipe(t, opts)
				mailbox(s, "alice", "1\r\n")
				c := newClient(t, s.Pipe())
				c.r.ReadString('\n')
				c.send("USER alice\r\nPASS secret\r\nSTAT\r\nUIDL\r\n")
				c.expect("+OK")
				c.expect("+OK 1 messages")
				c.SetReadDeadline(time.Now().Add(time.Hour))
				if got, err := c.rest(); got != "" || err == nil {
					t.Errorf("then %q, %v", got, err)
				}
				if got := s.Sessions()[0]; len(got.Commands) != 4 || !got.Pipelined() {
					t.Errorf("recorded:\n%s", got)
				}
				c = in(t, s, "alice") // in turn
				c.send("STAT\r\nNOOP\r\n")
				c.expect("+OK 1 3")
				c.expect("+OK")
			})
		})
	}
}

func TestLosesWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{Hooks: map[string]HookFunc{"PASS": Loses(time.Minute)}})
		mailbox(s, "alice")
		c := newClient(t, s.Pipe())
		c.SetDeadline(time.Time{})
		c.expect("+OK POP3 server ready")
		c.send("USER alice\r\nPASS secret\r\n")
		c.expect("+OK")
		time.Sleep(time.Second)
		c.send("STAT\r\n")
		c.expect("+OK 0 messages")
		c.send("NOOP\r\n")
		c.expect("+OK")
	})
}

// W12: a raw 8-bit header is wrapped, unless UTF8 was said.
func TestCourierWraps(t *testing.T) {
	const odd = "Subject: gr\xc3\xbc\xc3\x9fe\r\n\r\nbody\r\n"
	s := NewPipe(t, Options{WrapsUTF8: true})
	mailbox(s, "alice", odd, "Subject: plain\r\n\r\n\xc3\xbc\r\n")
	c := newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	if got := c.list("CAPA"); got[len(got)-1] != "UTF8 USER" {
		t.Errorf("capabilities %q", got)
	}
	c = in(t, s, "alice")
	first, second := strings.Join(c.list("RETR 1"), "\r\n"), strings.Join(c.list("RETR 1"), "\r\n")
	if !strings.Contains(first, "Cannot display Unicode content") || !strings.Contains(first, odd) || first == second {
		t.Errorf("got %q", first)
	}
	if top := strings.Join(c.list("TOP 1 0"), "\n"); !strings.Contains(top, "Mail Delivery Subsystem") || strings.Contains(top, "gr\xc3") {
		t.Errorf("TOP: %q", top)
	}
	c.send("LIST 1\r\n")
	c.expect(fmt.Sprintf("+OK 1 %d", len(odd)))
	if got := c.list("RETR 2"); len(got) != 3 {
		t.Errorf("8-bit body: %q", got)
	}
	c = newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	c.send("UTF8\r\nUSER alice\r\nPASS secret\r\n")
	for range 3 {
		c.r.ReadString('\n')
	}
	if got := strings.Join(c.list("RETR 1"), "\r\n") + "\r\n"; got != odd {
		t.Errorf("after UTF8 %q", got)
	}
	c.send("UTF8\r\n")
	c.expect("-ERR not in this state")
	if all := s.Sessions(); all[1].UTF8 || !all[2].UTF8 {
		t.Error("UTF8 is recorded wrongly")
	}
}

// W13: no CAPA, and few errors are allowed.
func TestSolidPOP3D(t *testing.T) {
	s := NewPipe(t, SolidPOP3D())
	mailbox(s, "alice")
	c := newClient(t, s.Pipe())
	c.r.ReadString('\n')
	for range 5 {
		c.send("CAPA\r\n")
		c.expect("-ERR unknown command")
	}
	if got, err := c.rest(); got != "" || err != nil {
		t.Errorf("then %q, %v", got, err)
	}
	c = newClient(t, s.Pipe())
	c.r.ReadString('\n')
	c.send("USER alice\r\n")
	c.expect("+OK")
	c.send("PASS wrong\r\n")
	c.expect("-ERR authentication failed")
	if got, err := c.rest(); got != "" || err != nil {
		t.Errorf("then %q, %v", got, err)
	}
}

// MaxErrors counts what a hook refuses, and what AUTH ends in; good answers cost nothing.
func TestMaxErrors(t *testing.T) {
	s := NewPipe(t, Options{MaxErrors: 3, SASL: []string{"PLAIN"}})
	mailbox(s, "alice")
	s.Hook("CAPA", Always(Send("-ERR no\r\n")))
	c := newClient(t, s.Pipe())
	c.talk(`
		S: +OK POP3 server ready
		C: CAPA
		S: -ERR no
		C: USER alice
		S: +OK
	`)
	if got := c.auth(sasl.NewPlainClient("", "alice", "wrong"), false); got != AuthRefused {
		t.Error(got)
	}
	c.talk(`
		C: XFOO
		S: -ERR unknown command
		S: EOF
	`)
}

func TestWebDE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, WebDE(15*time.Minute))
		mailbox(s, "alice")
		in(t, s, "alice")
		newClient(t, s.Pipe()).talk(`
			S: +OK POP3 server ready
			C: USER alice
			S: +OK
			C: PASS secret
			S: -ERR wrong username or password
		`)
		time.Sleep(15 * time.Minute)
		in(t, s, "alice")
	})
}

// R6: DELE without effect.
func TestYandex(t *testing.T) {
	s := NewPipe(t, Yandex())
	box := mailbox(s, "alice", "1\r\n")
	in(t, s, "alice").talk(`
		C: DELE 1
		S: +OK message 1 deleted
		C: QUIT
		S: +OK bye
		S: EOF
	`)
	if got := ended(t, s, 1); len(box.UIDs()) != 1 || len(got.Deleted) != 0 || !got.Quit {
		t.Errorf("left %q, recorded %q", box.UIDs(), got.Deleted)
	}
}

func TestDovecot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Dovecot())
		mailbox(s, "alice")
		for i, want := range []time.Duration{0, 500 * time.Millisecond, time.Second} {
			if got, took := tries(t, s, "alice", "wrong"); got != "-ERR [AUTH] Authentication failed." || took != want {
				t.Errorf("%d: %q after %v", i, got, took)
			}
		}
	})
}

// W16: a new UID in every session, the same within it.
func TestNewUIDs(t *testing.T) {
	s := NewPipe(t, Options{NewUIDs: true})
	box := mailbox(s, "alice", "1\r\n", "2\r\n")
	for _, want := range []string{"uid-a.session-1", "uid-a.session-2"} {
		c := in(t, s, "alice")
		if got := c.list("UIDL"); got[0] != "1 "+want {
			t.Errorf("got %q", got)
		}
		c.send("UIDL 1\r\n")
		c.expect("+OK 1 " + want)
		c.send("DELE 2\r\nQUIT\r\n")
		c.rest()
	}
	if got := ended(t, s, 1).Deleted; len(got) != 1 || got[0] != "uid-b" || len(box.UIDs()) != 1 {
		t.Errorf("deleted %q, left %q", got, box.UIDs())
	}
}

// W15: all UIDs at once; a session that runs keeps its own and still deletes.
func TestRenumber(t *testing.T) {
	s := NewPipe(t, Options{})
	box := mailbox(s, "alice", "1\r\n", "2\r\n")
	c := in(t, s, "alice")
	box.Renumber()
	if diff := cmp.Diff([]string{"1 uid-a", "2 uid-b"}, c.list("UIDL")); diff != "" {
		t.Errorf("in the old session (-want +got):\n%s", diff)
	}
	c.send("DELE 1\r\nQUIT\r\n")
	c.rest()
	c = in(t, s, "alice")
	if diff := cmp.Diff([]string{"1 renumbered-1-2"}, c.list("UIDL")); diff != "" {
		t.Errorf("in the new session (-want +got):\n%s", diff)
	}
	box.Renumber()
	if got := box.UIDs(); got[0] != "renumbered-2-1" {
		t.Errorf("again: %q", got)
	}
}

// R7, W3: a message without end, whatever LIST says.
func TestEndless(t *testing.T) {
	s := NewPipe(t, Options{})
	s.Mailbox("alice").AddFunc("endless", 100, Endless("spam\r\n"))
	c := in(t, s, "alice")
	c.send("RETR 1\r\n")
	c.expect("+OK 100 octets")
	for range 100_000 {
		c.expect("spam")
	}
	c.Close()
	ended(t, s, 1)
}

// W10: an answer that drips.
func TestSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{})
		mailbox(s, "alice", "12345\r\n")
		s.Hook("RETR", Nth(1, Slowly(1, time.Second)))
		c := in(t, s, "alice")
		c.SetDeadline(time.Time{})
		start := time.Now()
		c.list("RETR 1")
		c.send("NOOP\r\n")
		c.expect("+OK")
		if got, want := time.Since(start), time.Duration(len("+OK 7 octets\r\n12345\r\n.\r\n"))*time.Second; got != want {
			t.Errorf("took %v, want %v", got, want)
		}
		start = time.Now()
		c.list("RETR 1")
		if time.Since(start) != 0 {
			t.Error("still slow")
		}
	})
}

// T1: a server that shows nothing of its log-in in clear.
func TestInClear(t *testing.T) {
	ca := NewCA(t)
	s := New(t, Options{TLS: ca.Config(Good), STLS: true})
	mailbox(s, "alice")
	s.Hook("USER", InClear(Send("-ERR STLS first\r\n")))
	c := dial(t, s)
	c.talk(`
		S: +OK POP3 server ready
		C: USER alice
		S: -ERR STLS first
		C: STLS
		S: +OK begin TLS
	`)
	c = c.secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	c.talk(`
		C: USER alice
		S: +OK
	`)
}

// The presets are values: two servers of one share nothing but their doors.
func TestHooksOfOptionsAreCopied(t *testing.T) {
	opts := Yandex()
	one, two := NewPipe(t, opts), NewPipe(t, opts)
	one.Hook("QUIT", nil)
	for s, want := range map[*Server]int{one: 0, two: 1} {
		box := mailbox(s, "alice", "1\r\n")
		c := in(t, s, "alice")
		c.send("DELE 1\r\nQUIT\r\n")
		c.rest()
		if got := len(box.UIDs()); got != want {
			t.Errorf("%d left, want %d", got, want)
		}
	}
}
