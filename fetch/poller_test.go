package fetch

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"popsync/internal/poptest"
)

// P1, D9: a server that hangs and one that refuses cost the others nothing: all of them are done
// while the one still hangs.
func TestHangingAccountHoldsUpNobody(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	hung := poptest.New(t, poptest.Options{})
	hung.Hook(poptest.Greeting, poptest.Always(poptest.Stall))

	w.account.Timeout = time.Minute
	accounts := []Account{w.at("hangs", hung.Host, hung.Port), w.at("refuses", "127.0.0.1", closedPort(t))}
	for n := range 8 {
		s := poptest.New(t, poptest.Options{})
		mailbox(s, "alice").Add("uid-1", []byte(letter(n)))
		accounts = append(accounts, w.at(fmt.Sprintf("good%d", n), s.Host, s.Port))
	}
	p := w.poller()
	p.MaxPerHost = 10 // all of them are on loopback
	left := len(accounts) - 1
	p.Notify = func(e Event) {
		if e.Kind != Ended {
			return
		}
		if left--; left == 0 { // only now may the one that hangs end
			go hung.Close()
		}
		if e.Account == "hangs" && left >= 0 {
			t.Error("the account that hangs was not the last")
		}
	}
	results := p.Fetch(t.Context(), accounts, Request{})
	for _, r := range results[2:] {
		if r.Err != nil || r.New != 1 {
			t.Errorf("%s: %+v", r.Account, r)
		}
	}
	for _, r := range results[:2] {
		if r.Err == nil || r.Err.Kind != Unreachable {
			t.Errorf("%s: %v", r.Account, r.Err)
		}
	}
	w.wantMail(letters(0, 7))
}

// at is the world's account under another name on another server, with the same Maildir.
func (w *world) at(name, host string, port int) Account {
	a := w.account
	a.Name, a.Server.Host, a.Server.Port = name, host, port
	a.Target = w.maildir()
	return a
}

func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// P1: max_per_host holds.
func TestMaxPerHost(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.server.Hook("UIDL", poptest.Late(20*time.Millisecond))
	var accounts []Account
	for n := range 10 {
		user := fmt.Sprintf("user%d", n)
		mailbox(w.server, user).Add("uid-1", []byte(letter(n)))
		a := w.at(user, w.account.Server.Host, w.account.Server.Port)
		a.User = user
		accounts = append(accounts, a)
	}
	p := w.poller()
	p.MaxPerHost = 2
	var running, peak int
	p.Notify = func(e Event) {
		switch e.Kind {
		case Begun:
			running++
			peak = max(peak, running)
		case Ended:
			running--
		}
	}
	for _, r := range p.Fetch(t.Context(), accounts, Request{}) {
		if r.Err != nil || r.New != 1 {
			t.Errorf("%+v", r)
		}
	}
	if peak != 2 {
		t.Errorf("%d sessions at once", peak)
	}
	w.wantMail(letters(0, 9))
}

// P4: once it is to end, no new RETR goes out, what is under way arrives and is recorded, QUIT is
// sent, all within 5 s.
func TestEndInTheMiddleOfAFetch(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: poptest.Capabilities("PIPELINING")})
	w.add(1, 50)
	ctx, cancel := context.WithCancel(t.Context())
	w.server.Hook("RETR", func(c *poptest.Conn, arg string) poptest.Action {
		if arg == "5" {
			cancel()
			return poptest.Seq(poptest.Sleep(50*time.Millisecond), poptest.Default)
		}
		return poptest.Default
	})
	began := time.Now()
	r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if r.Err == nil || r.Err.Kind != Interrupted || r.New != 5 || r.Left != 45 {
		t.Errorf("%+v", r)
	}
	if s := w.last(); !s.Quit || len(s.Args("RETR")) != 5 {
		t.Errorf("session:\n%s", s)
	}
	w.wantMail(letters(1, 5))
	w.good(45)
	w.wantMail(letters(1, 50))
}

// P4: the same where all RETR are on their way: they arrive, and QUIT goes out behind them.
func TestEndOfAPipelinedFetch(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 50)
	ctx, cancel := context.WithCancel(t.Context())
	w.server.Hook("RETR", poptest.WithArg("5", func(c *poptest.Conn) error {
		cancel()
		return poptest.Default(c)
	}))
	r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]
	if r.Err != nil || r.New != 50 || !w.last().Quit {
		t.Errorf("%+v\n%s", r, w.last())
	}
}

// P4: all that may take its time at the end shares the 3 s: a body that ends late, and a QUIT
// that is not answered.
func TestEndTakesItsTimeOnce(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.add(1, 1)
		ctx, cancel := context.WithCancel(t.Context())
		w.server.Hook("RETR", poptest.Always(poptest.Seq(func(*poptest.Conn) error { cancel(); return nil }, poptest.Sleep(2600*time.Millisecond), poptest.Default)))
		w.server.Hook("QUIT", poptest.Always(poptest.Stall))
		began := time.Now() // of the bubble
		r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]
		if took := time.Since(began); took != lingerFor {
			t.Errorf("took %v", took)
		}
		if r.Err != nil || r.New != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// P4: an end during the log-in waits for its answer, so that the server hears QUIT.
func TestEndDuringTheLogIn(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	ctx, cancel := context.WithCancel(t.Context())
	w.server.Hook("AUTH", poptest.Always(func(c *poptest.Conn) error { cancel(); return poptest.Default(c) }))
	w.server.Hook("PASS", poptest.Always(func(c *poptest.Conn) error { cancel(); return poptest.Default(c) }))
	r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]
	if r.Err == nil || r.Err.Kind != Interrupted {
		t.Errorf("%v", r.Err)
	}
	if s := w.last(); !s.Quit || slices.Contains(s.Verbs(), "UIDL") {
		t.Errorf("session:\n%s", s)
	}
	w.good(3)
}

// P4: an end during the hand-shake is no failure of the server.
func TestEndDuringTheHandshake(t *testing.T) {
	ca := poptest.NewCA(t)
	w := newWorld(t, poptest.Options{TLS: ca.Config(poptest.Good)})
	w.overTLS(ca, ImplicitTLS)
	ctx, cancel := context.WithCancel(t.Context())
	w.server.Hook(poptest.Accept, poptest.Always(poptest.Seq(func(*poptest.Conn) error { cancel(); return nil }, poptest.Stall)))
	if r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]; r.Err == nil || r.Err.Kind != Interrupted {
		t.Errorf("%v", r.Err)
	}
}

// P4: a server that stalls when the session is to end holds it up for 3 s.
func TestEndWhileTheServerStalls(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.add(1, 3)
		ctx, cancel := context.WithCancel(t.Context())
		w.server.Hook("RETR", poptest.WithArg("2", poptest.Seq(func(*poptest.Conn) error { cancel(); return nil }, poptest.Stall)))
		began := time.Now() // of the bubble
		r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]
		if took := time.Since(began); took != lingerFor {
			t.Errorf("took %v", took)
		}
		if r.Err == nil || r.Err.Kind != Interrupted {
			t.Errorf("%v", r.Err)
		}
		w.wantMail(letters(1, 1))
		w.server.Hook("RETR", nil)
		w.good(2)
		w.wantMail(letters(1, 3))
	})
}

// P4: a running agent gets 3 s, then its message counts as not delivered.
func TestEndWhileAnAgentHangs(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	agent := script(t, "trap '' TERM; touch $0.runs; while :; do sleep 1; done")
	w.account.Target = w.agent(agent)
	w.add(1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan time.Time, 1)
	go func() {
		for _, err := os.Stat(agent + ".runs"); err != nil && t.Context().Err() == nil; _, err = os.Stat(agent + ".runs") {
			time.Sleep(10 * time.Millisecond)
		}
		ended <- time.Now()
		cancel()
	}()
	r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]
	if took := time.Since(<-ended); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if r.New != 0 || r.Err == nil {
		t.Errorf("%+v", r)
	}
	w.account.Target = w.agent(script(t, "cat >/dev/null"))
	w.good(1)
}

// D7: the verdict on one message concerns no other, and it is handed over again at the next poll.
func TestAgentsVerdicts(t *testing.T) {
	for status, kind := range map[int]Kind{75: Busy, 67: CannotWrite, 1: CannotWrite} {
		w := newWorld(t, poptest.Options{})
		w.account.Target = w.agent(script(t, fmt.Sprintf("! grep -q 'letter 2' || { echo no room >&2; exit %d; }", status)))
		w.add(1, 3)
		r := w.bad(kind, "message 2", "no room")
		if r.New != 2 || r.Left != 1 {
			t.Errorf("%+v", r)
		}
		w.account.Target = w.agent(script(t, "cat >/dev/null"))
		w.good(1)
		w.good(0)
	}
}

// script is an agent.
func script(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// P2, P4: Run polls each account at its own interval, and ends when it is told to.
func TestRunPollsAtIntervals(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 1)
	mailbox(w.server, "bob")
	w.account.Interval = 100 * time.Millisecond
	slow := w.at("slow", w.account.Server.Host, w.account.Server.Port)
	slow.User, slow.Interval = "bob", time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	polls := make(map[string]int)
	p := w.poller()
	p.Notify = func(e Event) {
		if e.Kind != Ended {
			return
		}
		if e.Result.Err != nil {
			t.Errorf("%v", e.Result.Err)
		}
		if polls[e.Account]++; polls["work"] == 2 {
			w.add(2, 2)
		}
		if polls["work"] == 4 {
			cancel()
		}
	}
	p.Run(ctx, []Account{w.account, slow})
	if polls["slow"] != 1 {
		t.Errorf("the slow account was polled %d times", polls["slow"])
	}
	w.wantMail(letters(1, 2))
}

// P1: an account whose state is broken fails alone, and one whose turn never came says so.
func TestInterruptedBeforeItsTurn(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := w.poller().Fetch(ctx, []Account{w.account}, Request{})[0]
	if r.Err == nil || r.Err.Kind != Interrupted || !strings.Contains(r.Err.Error(), "work: ") {
		t.Errorf("%v", r.Err)
	}
}
