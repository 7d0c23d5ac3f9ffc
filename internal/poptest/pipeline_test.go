package poptest

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPipelinedCommandsAreAnsweredInOrder(t *testing.T) {
	for _, opts := range []Options{{}, {Chunk: 1}, {Chunk: 7}, {ReadAhead: 1}} {
		t.Run(fmt.Sprintf("chunk %d, read ahead %d", opts.Chunk, opts.ReadAhead), func(t *testing.T) {
			s := New(t, opts)
			box := mailbox(s, "alice", "1\r\n", "2\r\n", "3\r\n")
			c := dial(t, s)
			c.logIn("alice")
			c.send("RETR 2\r\nDELE 2\r\nRETR 9\r\nRETR 1\r\nQUIT\r\n")
			c.talk(`
				S: +OK 3 octets
				S: 2
				S: .
				S: +OK message 2 deleted
				S: -ERR no such message
				S: +OK 3 octets
				S: 1
				S: .
				S: +OK bye
				S: EOF
			`)
			if diff := cmp.Diff([]string{"uid-a", "uid-c"}, box.UIDs()); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPipelinedIsRecorded(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", "1\r\n")
	c := dial(t, s)
	c.logIn("alice")
	c.send("STAT\r\nNOOP\r\nRSET\r\n")
	c.talk(`
		S: +OK 1 3
		S: +OK
		S: +OK
		C: NOOP
		S: +OK
	`)
	want := `  "USER alice"
  "PASS secret"
  "STAT"
+ "NOOP"
+ "RSET"
  "NOOP"
`
	got := s.Sessions()[0]
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if got.Ahead != 3 {
		t.Errorf("ahead %d", got.Ahead)
	}
	if diff := cmp.Diff([]string{"USER", "PASS", "STAT", "NOOP", "RSET", "NOOP"}, got.Verbs()); diff != "" {
		t.Errorf("verbs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"secret"}, got.Args("PASS")); diff != "" {
		t.Errorf("args (-want +got):\n%s", diff)
	}
}

func TestClientThatWaitsIsNeverPipelined(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", strings.Repeat("a line of some length\r\n", 10_000))
	c := dial(t, s)
	c.logIn("alice")
	for range 20 {
		c.send("RETR 1\r\n")
		for line := ""; line != ".\r\n"; {
			var err error
			if line, err = c.r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := s.Sessions()[0]; got.Pipelined() || got.Ahead != 1 {
		t.Errorf("recorded as pipelined, ahead %d:\n%s", got.Ahead, got)
	}
}

func TestPatienceFindsCommandsThatComeSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{Patience: 10 * time.Second})
		mailbox(s, "alice")
		c := newClient(t, s.Pipe())
		c.SetDeadline(time.Time{})
		c.logIn("alice")
		c.send("STAT\r\n")
		time.Sleep(time.Second)
		c.send("NOOP\r\n")
		c.talk(`
			S: +OK 0 0
			S: +OK
		`)
		cmds := s.Sessions()[0].Commands
		if cmds[2].Pipelined || !cmds[3].Pipelined {
			t.Errorf("recorded:\n%s", s.Sessions()[0])
		}
	})
}

func TestUnansweredCommandsAreRecorded(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", "1\r\n")
	s.Hook("RETR", Always(Stall))
	c := dial(t, s)
	c.logIn("alice")
	c.send("RETR 1\r\nQUIT\r\n")
	c.Close()
	if got := ended(t, s, 1); !got.Quit || len(got.Deleted) > 0 {
		t.Errorf("recorded: quit %v\n%s", got.Quit, got)
	}
}

func TestForgetLosesEarlyCommands(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice", "1\r\n")
	s.Hook("STAT", func(c *Conn, _ string) Action {
		if c.Early(time.Second) {
			c.Forget()
		}
		return Default
	})
	c := dial(t, s)
	c.logIn("alice")
	c.send("STAT\r\nUIDL\r\n")
	c.expect("+OK 1 3")
	c.talk(`
		C: NOOP
		S: +OK
	`)
}

// A client that writes much while it reads nothing waits for a server that does the same.
func TestReadAheadBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{ReadAhead: 100})
		mailbox(s, "alice", strings.Repeat("a line\r\n", 10_000))
		c := newClient(t, s.Pipe())
		c.SetDeadline(time.Now().Add(time.Minute))
		c.logIn("alice")
		var err error
		for range 100 {
			if _, err = c.Write([]byte("RETR 1\r\n")); err != nil {
				break
			}
		}
		if err == nil {
			t.Error("all commands were read although no answer was")
		}
	})
}

// A client may write all it has to say before it reads anything, also where nothing has a buffer.
func TestWriterNeverWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewPipe(t, Options{})
		mailbox(s, "alice", strings.Repeat("a line\r\n", 10_000))
		c := newClient(t, s.Pipe())
		c.SetDeadline(time.Now().Add(time.Minute))
		c.logIn("alice")
		c.send(strings.Repeat("RETR 1\r\n", 100) + "QUIT\r\n")
		got, err := c.rest()
		if n := strings.Count(got, "\r\n.\r\n"); n != 100 || !strings.HasSuffix(got, "+OK bye\r\n") || err != nil {
			t.Errorf("%d messages, %v", n, err)
		}
	})
}
