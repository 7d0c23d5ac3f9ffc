package poptest

import (
	"encoding/base64"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestHookTakesThePlaceOfAnAnswer(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", "1\r\n")
	s.Hook(Greeting, Always(Send("+OK good morning\r\n")))
	s.Hook("STAT", Nth(2, Send("+OK 1 0xff\r\n")))
	s.Hook("RETR", WithArg("1", Send("-ERR [SYS/TEMP] not now\r\n")))
	s.Hook("XFOO", Always(Send("+OK foo\r\n")))
	s.Hook("NOOP", InSession(2, Nothing))
	dial(t, s).talk(`
		S: +OK good morning
		C: USER alice
		S: +OK
		C: PASS secret
		S: +OK 1 messages
		C: STAT
		S: +OK 1 3
		C: STAT
		S: +OK 1 0xff
		C: STAT
		S: +OK 1 3
		C: RETR 1
		S: -ERR [SYS/TEMP] not now
		C: RETR 2
		S: -ERR no such message
		C: XFOO
		S: +OK foo
		C: NOOP
		S: +OK
	`)
	s.Hook("RETR", nil)
	dial(t, s).talk(`
		S: +OK good morning
		C: USER alice
		S: +OK
		C: PASS secret
		S: +OK 1 messages
		C: NOOP
		C: RETR 1
		S: +OK 3 octets
	`)
}

func TestAfterCutsAtEveryOctet(t *testing.T) {
	const answer = "+OK 6 octets\r\nx\r\n..\r\n.\r\n"
	for n := range len(answer) + 2 {
		s := NewPipe(t, Options{})
		mailbox(s, "alice", "x\r\n.\r\n")
		s.Hook("RETR", Always(After(int64(n), Cut)))
		c := newClient(t, s.Pipe())
		c.logIn("alice")
		c.send("RETR 1\r\n")
		if got, err := c.rest(); got != answer[:min(n, len(answer))] || err != nil {
			t.Errorf("after %d: got %q, %v", n, got, err)
		}
	}
}

func TestAfterGoesOn(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", "x\r\n")
	s.Hook("RETR", Nth(1, After(3, Send(" short\r\n"))))
	c := dial(t, s)
	c.logIn("alice")
	c.talk(`
		C: RETR 1
		S: +OK short
		C: RETR 1
		S: +OK 3 octets
		S: x
		S: .
	`)
}

func TestResetIsRST(t *testing.T) {
	s := New(t, Options{})
	s.Hook("CAPA", Always(Reset))
	c := dial(t, s)
	c.talk(`
		S: +OK POP3 server ready
		C: CAPA
	`)
	if _, err := c.rest(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
}

// What the client sends behind the end must not turn FIN into RST.
func TestCutIsFIN(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", "x\r\n")
	s.Hook("RETR", Always(After(5, Cut)))
	c := dial(t, s)
	c.logIn("alice")
	c.send("RETR 1\r\n")
	c.send(strings.Repeat("NOOP\r\n", 10_000))
	time.Sleep(10 * time.Millisecond)
	if got, err := c.rest(); got != "+OK 3" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWaitsAreVirtualInABubble(t *testing.T) {
	tests := []struct {
		name string
		hook HookFunc
		want time.Duration
	}{
		{"late", Late(time.Hour), time.Hour},
		{"drip", Always(Drip("+OK 0 0\r\n", time.Minute)), 8 * time.Minute},
		{"sleep in the middle", Always(Seq(Send("+OK "), Sleep(time.Second), Send("0 0\r\n"))), time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewPipe(t, Options{})
				mailbox(s, "alice")
				s.Hook("STAT", test.hook)
				c := newClient(t, s.Pipe())
				c.SetDeadline(time.Time{})
				c.logIn("alice")
				start := time.Now()
				c.talk(`
					C: STAT
					S: +OK 0 0
				`)
				if got := time.Since(start); got != test.want {
					t.Errorf("took %v, want %v", got, test.want)
				}
				if s.Sessions()[0].Pipelined() {
					t.Error("recorded as pipelined")
				}
			})
		})
	}
}

func TestStallEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{ReadAhead: 10})
		s.Hook("STLS", Always(Stall))
		c := newClient(t, s.Pipe())
		c.expect("+OK POP3 server ready")
		c.send("STLS\r\nSTLS\r\n" + strings.Repeat("NOOP\r\n", 10))
		synctest.Wait()
		c.Close()
		synctest.Wait()
		if s.Sessions()[0].Ended.IsZero() {
			t.Error("still there")
		}
	})
}

func TestFloodEndsAtItsLimit(t *testing.T) {
	s := New(t, Options{})
	s.Hook(Greeting, Always(Flood("x", 1<<20)))
	got, err := dial(t, s).rest()
	if len(got) < 1<<20 || len(got) > 1<<21 || err != nil {
		t.Errorf("%d octets, %v", len(got), err)
	}
	if sent := ended(t, s, 1).Sent; sent != int64(len(got)) {
		t.Errorf("recorded %d octets, got %d", sent, len(got))
	}
}

func TestMechanismByHook(t *testing.T) {
	s := New(t, Options{})
	s.Hook("AUTH", func(c *Conn, arg string) Action {
		if arg != "PLAIN" || c.Reply("+ ") != nil {
			return Send("-ERR no such mechanism\r\n")
		}
		line, _ := c.ReadLine()
		raw, _ := base64.StdEncoding.DecodeString(line)
		if string(raw) != "\x00alice\x00secret" || !c.LogIn("alice") {
			return Send("-ERR [AUTH] no\r\n")
		}
		return Send("+OK welcome\r\n")
	})
	mailbox(s, "alice", "1\r\n")
	c := dial(t, s)
	c.talk(`
		S: +OK POP3 server ready
		C: AUTH PLAIN
	`)
	c.expect("+ ")
	c.talk(`
		C: AGFsaWNlAHNlY3JldA==
		S: +OK welcome
		C: STAT
		S: +OK 1 3
	`)
	if got := s.Sessions()[0]; got.Commands[1].Verb != "" || got.Pipelined() {
		t.Errorf("recorded:\n%s", got)
	}
}

func TestLostAnswerToQuit(t *testing.T) {
	tests := []struct {
		name string
		hook Action
		left int
	}{
		{"with effect", Seq(Commit, Cut), 0},
		{"without effect", Cut, 1},
		{"+OK without effect", Seq(Send("+OK bye\r\n"), Cut), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, Options{})
			box := mailbox(s, "alice", "1\r\n")
			s.Hook("QUIT", Always(test.hook))
			c := dial(t, s)
			c.logIn("alice")
			c.send("DELE 1\r\nQUIT\r\n")
			c.rest()
			if got := len(box.Messages()); got != test.left {
				t.Errorf("%d left, want %d", got, test.left)
			}
		})
	}
}
