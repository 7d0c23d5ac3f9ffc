package fetch

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"popsync/internal/poptest"
)

// S5: who asks for a poll while one runs joins it: one session, one result, every message once.
func TestRequestsJoinTheRunningPoll(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	p := w.poller()
	began, goOn := make(chan struct{}), make(chan struct{})
	w.server.Hook("CAPA", poptest.Nth(1, func(c *poptest.Conn) error {
		close(began)
		<-goOn
		return poptest.Default(c)
	}))
	w.account.Timeout = time.Minute
	var all sync.WaitGroup
	results := make([]Result, 10)
	kinds := make([][]EventKind, len(results))
	for i := range results {
		r := Request{Notify: func(e Event) {
			kinds[i] = append(kinds[i], e.Kind)
			if e.Kind == Joined && len(joined(kinds)) == len(results)-1 {
				close(goOn)
			}
		}}
		all.Go(func() { results[i] = p.Fetch(t.Context(), []Account{w.account}, r)[0] })
		if i == 0 {
			<-began
		}
	}
	all.Wait()
	for i, r := range results {
		if r.Err != nil || r.New != 3 {
			t.Errorf("result %d: %+v", i, r)
		}
		if n := len(kinds[i]); n == 0 || kinds[i][n-1] != Ended {
			t.Errorf("%d was told %v", i, kinds[i])
		}
	}
	if n := len(w.server.Sessions()); n != 1 {
		t.Errorf("%d sessions", n)
	}
	w.wantMail(letters(1, 3))
}

// joined are those who were told that they joined.
func joined(kinds [][]EventKind) [][]EventKind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k []EventKind) bool { return len(k) == 0 || k[0] != Joined })
}

// S5: a poll that its own requester interrupts is no answer to those who joined it.
func TestInterruptedPollIsDoneAgainForOthers(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	p := w.poller()
	ctx, cancel := context.WithCancel(t.Context())
	var other sync.WaitGroup
	w.server.Hook("CAPA", poptest.Nth(1, func(c *poptest.Conn) error {
		told := make(chan struct{})
		r := Request{Notify: func(e Event) {
			if e.Kind == Joined {
				close(told)
			}
		}}
		other.Go(func() {
			if r := p.Fetch(t.Context(), []Account{w.account}, r)[0]; r.Err != nil || r.New != 3 {
				t.Errorf("the other: %+v", r)
			}
		})
		<-told
		cancel()
		return poptest.Default(c)
	}))
	if r := p.Fetch(ctx, []Account{w.account}, Request{})[0]; r.Err == nil || r.Err.Kind != Interrupted {
		t.Errorf("%+v", r)
	}
	other.Wait()
	w.wantMail(letters(1, 3))
}

// S5: who asks when the mailbox has been listed gets what came since.
func TestRequestAfterTheListingIsAnotherPoll(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	p := w.poller()
	var other sync.WaitGroup
	w.server.Hook("RETR", poptest.Nth(1, func(c *poptest.Conn) error {
		w.add(4, 4)
		other.Go(func() {
			if r := p.Fetch(t.Context(), []Account{w.account}, Request{})[0]; r.Err != nil || r.New != 1 {
				t.Errorf("the other: %+v", r)
			}
		})
		return poptest.Default(c)
	}))
	if r := p.Fetch(t.Context(), []Account{w.account}, Request{})[0]; r.Err != nil || r.New != 3 {
		t.Errorf("%+v", r)
	}
	other.Wait()
	w.wantMail(letters(1, 4))
}

// A5, S5: who asks although a pause holds is not answered with the pause.
func TestUrgentRequestIsNotAnsweredByAPause(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.setPassword(wrong)
		w.bad(Refused)
		p := w.poller()
		held := make(chan struct{})
		var urgent sync.WaitGroup
		first := Request{Notify: func(e Event) {
			if e.Kind == Begun {
				close(held)
				urgent.Go(func() { p.Fetch(t.Context(), []Account{w.account}, Request{Now: true}) })
			}
		}}
		p.Fetch(t.Context(), []Account{w.account}, first)
		<-held
		urgent.Wait()
		if n := w.logIns(); n != 2 {
			t.Errorf("%d log-ins, want the first and the urgent one", n)
		}
	})
}

// S5: a dry run or a check waits for the poll that runs, and nobody joins it.
func TestLooksTakeTurnsWithPolls(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 2)
	w.server.Hook("UIDL", poptest.Late(20*time.Millisecond))
	p := w.poller()
	var mu sync.Mutex
	running, most := 0, 0
	w.server.Hook(poptest.Greeting, poptest.Always(func(c *poptest.Conn) error {
		mu.Lock()
		defer mu.Unlock()
		running++
		most = max(most, running)
		return poptest.Default(c)
	}))
	w.server.Hook("QUIT", poptest.Always(func(c *poptest.Conn) error {
		mu.Lock()
		defer mu.Unlock()
		running--
		return poptest.Default(c)
	}))
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { p.Fetch(t.Context(), []Account{w.account}, Request{}) })
		all.Go(func() { p.Fetch(t.Context(), []Account{w.account}, Request{DryRun: true}) })
		all.Go(func() { p.Check(t.Context(), []Account{w.account}) })
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d sessions at once", most)
	}
	w.wantMail(letters(1, 2))
}

// P1, S5: the limits hold for all that is asked for, by whomever.
func TestLimitsAreSharedByRequests(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.server.Hook("UIDL", poptest.Late(10*time.Millisecond))
	p := w.poller()
	p.MaxPerHost = 2
	running, most := 0, 0
	p.Notify = func(e Event) {
		switch e.Kind {
		case Begun:
			running++
			most = max(most, running)
		case Ended:
			running--
		}
	}
	var all sync.WaitGroup
	for n := range 6 {
		a := w.at(letterUser(n), w.account.Server.Host, w.account.Server.Port)
		a.User = a.Name
		mailbox(w.server, a.User).Add("uid-1", []byte(letter(n)))
		all.Go(func() {
			if r := p.Fetch(t.Context(), []Account{a}, Request{})[0]; r.Err != nil || r.New != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
	all.Wait()
	if most != 2 {
		t.Errorf("%d at once", most)
	}
}

func letterUser(n int) string { return string(rune('a'+n)) + "-user" }
