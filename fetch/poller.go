package fetch

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"popsync/deliver"
	"popsync/fetch/pop3"
	"popsync/uidl"
)

// A Poller polls accounts and keeps their records in one store.
type Poller struct {
	Store       *uidl.DB                   // may be nil in a dry run: nothing was ever fetched
	Owner       deliver.Owner              // marks this process's staged files, as in the accounts' targets
	MaxParallel int                        // accounts polled at once; 0: 16
	MaxPerHost  int                        // ... of them on one host; 0: 4
	Retry       bool                       // ask also where refused log-ins forbid it
	Now         bool                       // ... and the time between two log-ins
	DryRun      bool                       // say what would be fetched and deleted, and change nothing anywhere
	Notify      func(Event)                // may be nil; called by one goroutine at a time
	Trace       func(account, line string) // the wire, secrets masked; may be nil

	dialer    dialer        // of tests
	salt      func() string // of tests, in which no two secrets may look the same by chance
	notifying sync.Mutex
	leftovers leftovers
}

// Fetch polls each of accounts once, as many at a time as the limits allow, and returns their
// results in the order of accounts. When ctx ends, sessions end in order within seconds.
func (p *Poller) Fetch(ctx context.Context, accounts []Account) []Result {
	results := make([]Result, len(accounts))
	q := newQueue(p.MaxParallel, p.MaxPerHost)
	for i, a := range accounts {
		results[i] = notBegun(a)
		q.add(job{index: i, host: a.Server.Host})
	}
	dispatch(ctx, q, func(j job) (job, bool) {
		results[j.index] = p.poll(ctx, accounts[j.index])
		return j, false
	})
	return results
}

// Run polls accounts until ctx ends, each at its own interval, and returns once all sessions are
// over. A failure of an account is told by Notify and ends nothing.
func (p *Poller) Run(ctx context.Context, accounts []Account) {
	start := time.Now()
	q := newQueue(p.MaxParallel, p.MaxPerHost)
	rhythms := make([]rhythm, len(accounts))
	for _, i := range rand.Perm(len(accounts)) {
		rhythms[i] = rhythm{interval: max(accounts[i].Interval, accounts[i].MinInterval), beat: start}
		q.add(job{index: i, host: accounts[i].Server.Host, due: start})
	}
	dispatch(ctx, q, func(j job) (job, bool) {
		r := &rhythms[j.index]
		result := p.poll(ctx, accounts[j.index])
		now, rest := time.Now(), r.rest(result)
		j.alone = result.Err != nil && result.Err.Kind == Refused
		j.due = r.next(now, rest, rand.Float64())
		if result.More { // a window of the mailbox, which moves on
			j.due = now.Add(max(rest, moreAfter))
		}
		return j, true
	})
}

// notBegun is the result of an account whose turn does not come any more.
func notBegun(a Account) Result {
	server := a.Server.String()
	return Result{Account: a.Name, Server: server, Err: &Error{
		Account: a.Name, Server: server, Step: "poll", Kind: Interrupted, Err: errInterrupted,
	}}
}

// poll is one session of one account.
func (p *Poller) poll(ctx context.Context, a Account) Result {
	s, failed := p.session(ctx, a)
	if failed != nil {
		return s.fail(failed)
	}
	return s.poll(ctx)
}

// session is one that has not begun, also where it cannot begin.
func (p *Poller) session(ctx context.Context, a Account) (*session, *Error) {
	s := &session{account: a, owner: p.Owner, dryRun: p.DryRun, retry: p.Retry, urgent: p.Now, dialer: p.dialer, salt: p.salt, now: time.Now, leftovers: &p.leftovers}
	s.tell = func(e Event) { p.notify(a, s.concealing(e)) }
	if p.Trace != nil {
		s.trace = func(line string) { p.Trace(a.Name, line) }
	}
	if !pop3.Sendable(a.User, "") {
		return s, s.step("log in", pop3.ErrSecret)
	}
	if p.Store == nil {
		s.records = nothing{}
		return s, nil
	}
	box, err := p.Store.Box(ctx, a.Mailbox(), a.Name)
	if err != nil {
		return s, s.stateFailed(err)
	}
	if text := box.Note(); text != "" {
		s.tell(Event{Kind: Warned, Text: text})
	}
	s.records, s.intentNames = box, p.Store.IntentNames
	return s, nil
}

// nothing is the store of an account that was never polled, and is not to be.
type nothing struct{}

func (nothing) Records(context.Context) ([]uidl.Entry, error)  { return nil, nil }
func (nothing) Intents(context.Context) ([]uidl.Intent, error) { return nil, nil }
func (nothing) Poll(context.Context) (uidl.Poll, error)        { return uidl.Poll{}, nil }
func (nothing) Commit(context.Context, uidl.Change) error      { return nil }

func (p *Poller) notify(a Account, e Event) {
	if p.Notify == nil {
		return
	}
	e.Time, e.Account, e.Server = time.Now(), a.Name, a.Server.String()
	p.notifying.Lock()
	defer p.notifying.Unlock()
	p.Notify(e)
}

// leftovers are what earlier runs left in staging places. Each account's is cleaned once, of all
// that no intent names.
type leftovers struct {
	cleaned sync.Map // by account

	mu    sync.Mutex
	names map[string]bool // of the intents when this process began; it never needs to grow
}

// clean removes the leftovers of account from target. A slow folder holds up its account only.
func (l *leftovers) clean(ctx context.Context, account string, target deliver.Target, intentNames func(context.Context) (map[string]bool, error)) error {
	if _, done := l.cleaned.Load(account); done {
		return nil
	}
	keep, err := l.intended(ctx, intentNames)
	if err != nil {
		return err
	}
	if err := target.Clean(func(name string) bool { return keep[name] }); err != nil {
		return err
	}
	l.cleaned.Store(account, true)
	return nil
}

func (l *leftovers) intended(ctx context.Context, intentNames func(context.Context) (map[string]bool, error)) (map[string]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.names == nil {
		names, err := intentNames(ctx)
		if err != nil {
			return nil, err
		}
		l.names = names
	}
	return l.names, nil
}
