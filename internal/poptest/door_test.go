package poptest

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/google/go-cmp/cmp"
)

// tries logs in as user with password in a session of its own, and is the answer and the time it took.
func tries(t *testing.T, s *Server, user, password string) (string, time.Duration) {
	t.Helper()
	c := newClient(t, s.Pipe())
	c.SetDeadline(time.Time{})
	defer c.Close()
	c.r.ReadString('\n')
	start := time.Now()
	got := c.auth(sasl.NewPlainClient("", user, password), false)
	return got, time.Since(start)
}

// A4: all answers, for every mechanism.
func TestRefusalsByCode(t *testing.T) {
	for _, reply := range []string{InUse, TooSoon, SysTemp, SysPerm, AuthRefused} {
		s := NewPipe(t, Options{SASL: []string{"PLAIN"}, Stamp: "<1@a>", Doors: []Door{Refuses(reply)}})
		mailbox(s, "alice")
		c := newClient(t, s.Pipe())
		c.expect("+OK POP3 server ready <1@a>")
		c.send("USER alice\r\n")
		c.expect("+OK")
		c.send("PASS secret\r\n")
		c.expect(reply)
		if got := c.auth(sasl.NewPlainClient("", "alice", "secret"), true); got != reply {
			t.Errorf("%q: got %q", reply, got)
		}
		if got := c.auth(sasl.NewPlainClient("", "alice", "wrong"), true); got != AuthRefused {
			t.Errorf("%q: got %q for a wrong password", reply, got)
		}
		if got := s.Sessions()[0]; len(got.Attempts) != 3 || got.User != "" {
			t.Errorf("recorded: %+v", got.Attempts)
		}
		s.Doors()
		if got := c.auth(sasl.NewPlainClient("", "alice", "secret"), true); got != "+OK 0 messages" {
			t.Errorf("without doors %q", got)
		}
	}
}

func TestRefusesFirst(t *testing.T) {
	s := NewPipe(t, Options{SASL: []string{"PLAIN"}, Doors: []Door{RefusesFirst(2, SysTemp)}})
	mailbox(s, "alice")
	var got []string
	for _, password := range []string{"secret", "wrong", "secret", "secret"} {
		answer, _ := tries(t, s, "alice", password)
		got = append(got, answer)
	}
	if diff := cmp.Diff([]string{SysTemp, AuthRefused, SysTemp, "+OK 0 messages"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A9: Dovecot holds back every answer after failures; the neighbours wait, too.
func TestPenalty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{SASL: []string{"PLAIN"}, Doors: []Door{Penalty(2*time.Second, 17*time.Second)}})
		mailbox(s, "alice")
		mailbox(s, "bob")
		steps := []struct {
			user, password string
			want           time.Duration
		}{
			{"alice", "secret", 0},
			{"bob", "wrong", 0},
			{"alice", "secret", 2 * time.Second},
			{"bob", "wrong", 2 * time.Second},
			{"bob", "wrong", 4 * time.Second},
			{"bob", "wrong", 8 * time.Second},
			{"alice", "secret", 16 * time.Second},
			{"bob", "wrong", 16 * time.Second},
			{"alice", "secret", 17 * time.Second},
		}
		for i, step := range steps {
			got, took := tries(t, s, step.user, step.password)
			if took != step.want || strings.HasPrefix(got, "+OK") != (step.password == "secret") {
				t.Errorf("log-in %d: %q after %v, want %v", i+1, got, took, step.want)
			}
		}
	})
}

// A9: WEB.DE answers an early log-in like a wrong password; a refused one does not count.
func TestEarlyLogIn(t *testing.T) {
	tests := []struct {
		door Door
		want string
	}{
		{EarlyIsWrong(15 * time.Minute), AuthRefused},
		{LoginDelay(15 * time.Minute), TooSoon},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := NewPipe(t, Options{SASL: []string{"PLAIN"}, Doors: []Door{test.door}})
			mailbox(s, "alice")
			mailbox(s, "bob")
			ok := "+OK 0 messages"
			steps := []struct {
				after                time.Duration
				user, password, want string
			}{
				{0, "alice", "secret", ok},
				{time.Minute, "alice", "secret", test.want},
				{0, "alice", "wrong", AuthRefused},
				{0, "bob", "secret", ok},
				{13 * time.Minute, "alice", "secret", test.want},
				{time.Minute, "alice", "secret", ok},
			}
			for i, step := range steps {
				time.Sleep(step.after)
				if got, _ := tries(t, s, step.user, step.password); got != step.want {
					t.Errorf("log-in %d: %q, want %q", i+1, got, step.want)
				}
			}
		})
	}
}

// A2, A5: some servers close behind a refusal, some behind the n-th.
func TestCloses(t *testing.T) {
	for n := 1; n <= 3; n++ {
		s := NewPipe(t, Options{SASL: []string{"XOAUTH2"}, Doors: []Door{Closes(n)}})
		mailbox(s, "alice")
		c := newClient(t, s.Pipe())
		c.expect("+OK POP3 server ready")
		for range n {
			if got := c.auth(tokenClient("alice", "old"), false); got != AuthRefused {
				t.Errorf("%d: %q", n, got)
			}
		}
		if got, err := c.rest(); got != "" || err != nil {
			t.Errorf("%d: then %q, %v", n, got, err)
		}
		if got := ended(t, s, 1).Attempts; len(got) != n || got[n-1].Answer != AuthRefused {
			t.Errorf("recorded: %+v", got)
		}
	}
}

// A4: Dovecot's lock is told after 11 s.
func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{SASL: []string{"PLAIN"}, Doors: []Door{Delays(11*time.Second, 5*time.Second), Refuses(InUse)}})
		mailbox(s, "alice")
		if got, took := tries(t, s, "alice", "secret"); got != InUse || took != 11*time.Second {
			t.Errorf("%q after %v", got, took)
		}
		if got, took := tries(t, s, "alice", "wrong"); got != AuthRefused || took != 5*time.Second {
			t.Errorf("%q after %v", got, took)
		}
	})
}

// A client that goes away ends the wait, and no goroutine is left in the bubble.
func TestWaitingDoorEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{Doors: []Door{Delays(time.Hour, time.Hour)}})
		mailbox(s, "alice")
		c := newClient(t, s.Pipe())
		start := time.Now()
		c.expect("+OK POP3 server ready")
		c.send("USER alice\r\nPASS secret\r\n")
		c.expect("+OK")
		c.Close()
		synctest.Wait()
		if got := s.Sessions()[0]; got.Ended.IsZero() || got.User != "" || time.Since(start) != 0 {
			t.Errorf("recorded: %+v", got)
		}
	})
}

// W19: the connection ends behind the credentials.
func TestDoorThatCuts(t *testing.T) {
	s := NewPipe(t, Options{SASL: []string{"XOAUTH2"}, Doors: []Door{func(*Conn, string, bool) Action { return Cut }}})
	s.Mailbox("alice").SetToken("t")
	c := newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	if got := c.auth(tokenClient("alice", "t"), false); got != "" {
		t.Error(got)
	}
	if got := ended(t, s, 1).Attempts[0]; got.OK || got.Answer != "" || got.Secret != "t" {
		t.Errorf("recorded: %+v", got)
	}
}
