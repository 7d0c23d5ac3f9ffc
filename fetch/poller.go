package fetch

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"popsync/deliver"
	"popsync/fetch/pop3"
	"popsync/uidl"
)

// A Poller polls accounts and keeps their records in one store. Its methods may be called at the
// same time: the limits hold for all of them together, and no mailbox has two sessions at once.
type Poller struct {
	Store       *uidl.DB                   // may be nil in a dry run: nothing was ever fetched
	Owner       deliver.Owner              // marks this process's staged files, as in the accounts' targets
	MaxParallel int                        // accounts polled at once; 0: 16
	MaxPerHost  int                        // ... of them on one host; 0: 4
	Notify      func(Event)                // of every poll; may be nil; called by one goroutine at a time
	Trace       func(account, line string) // the wire of every session, secrets masked; may be nil

	dialer    dialer        // of tests
	salt      func() string // of tests, in which no two secrets may look the same by chance
	once      sync.Once
	limits    *places
	desk      desk
	notifying sync.Mutex
	leftovers leftovers
}

// A Request says how accounts are to be polled. The zero value is what a clock asks for.
type Request struct {
	Retry  bool                       // ask also where refused log-ins forbid it
	Now    bool                       // ... and the time between two log-ins
	DryRun bool                       // say what would be fetched and deleted, and change nothing anywhere
	Notify func(Event)                // of these polls, those that are joined included; may be nil; called by one goroutine at a time
	Trace  func(account, line string) // their wire, but for polls that are joined; may be nil
}

// plain says whether any other poll answers the request as well.
func (r Request) plain() bool { return !r.DryRun }

// answeredBy says whether a poll that was joined is as good as one's own.
func (r Request) answeredBy(result Result) bool {
	interrupted := result.Err != nil && result.Err.Kind == Interrupted // by who had asked for it
	return !interrupted && (result.asked || !r.Now && !r.Retry)
}

// queue is one that shares the Poller's places with others. Its jobs are for accounts.
func (p *Poller) queue(accounts []Account, r Request) *queue {
	return &queue{places: p.places(), beside: func(j job) beside {
		b := p.desk.beside(accounts[j.index].Mailbox())
		if b == joinable && !r.plain() {
			return busy
		}
		return b
	}}
}

func (p *Poller) places() *places {
	p.once.Do(func() { p.limits = newPlaces(p.MaxParallel, p.MaxPerHost) })
	return p.limits
}

// leave ends a visit, and lets those go on who wait for the mailbox.
func (p *Poller) leave(m uidl.Mailbox, v *visit, r Result) {
	p.desk.leave(m, v, r)
	p.places().over()
}

// Alone keeps sessions away from the mailbox m until leave is called, once the one that runs has
// ended: for changes of its records, which a session would write over. The error is that of ctx.
func (p *Poller) Alone(ctx context.Context, m uidl.Mailbox) (leave func(), err error) {
	_, leave, err = p.alone(ctx, m)
	return leave, err
}

// alone begins a visit of m that nobody joins, once there is none.
func (p *Poller) alone(ctx context.Context, m uidl.Mailbox) (v *visit, leave func(), err error) {
	for {
		v, begun := p.desk.enter(m, false)
		if begun {
			return v, func() { p.leave(m, v, Result{}) }, nil
		}
		select {
		case <-v.done:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// Fetch polls each of accounts once, as many at a time as the limits allow, and returns their
// results in the order of accounts. A poll that others have begun, and that has not logged in
// yet, is joined: its result is the account's. When ctx ends, sessions end in order within seconds.
func (p *Poller) Fetch(ctx context.Context, accounts []Account, r Request) []Result {
	results := make([]Result, len(accounts))
	q := p.queue(accounts, r)
	for i, a := range accounts {
		results[i] = notBegun(a)
		q.add(job{index: i, host: a.Server.Host})
	}
	dispatch(ctx, q, func(j job) (job, bool) {
		result, done := p.pollOrJoin(ctx, accounts[j.index], r, j.joins)
		if done {
			results[j.index] = result
		}
		return j, !done
	})
	return results
}

// Run polls accounts until ctx ends, each at its own interval, and returns once all sessions are
// over. A failure of an account is told by Notify and ends nothing.
func (p *Poller) Run(ctx context.Context, accounts []Account) {
	start := time.Now()
	q := p.queue(accounts, Request{})
	rhythms := make([]rhythm, len(accounts))
	for _, i := range rand.Perm(len(accounts)) {
		rhythms[i] = rhythm{interval: max(accounts[i].Interval, accounts[i].MinInterval), beat: start}
		q.add(job{index: i, host: accounts[i].Server.Host, due: start})
	}
	dispatch(ctx, q, func(j job) (job, bool) {
		r := &rhythms[j.index]
		result, done := p.pollOrJoin(ctx, accounts[j.index], Request{}, j.joins)
		if !done {
			return j, true
		}
		now, rest := time.Now(), r.rest(result)
		j.alone = result.Err != nil && result.Err.Kind == Refused
		j.due = r.next(now, rest, rand.Float64())
		if result.More { // a window of the mailbox, which moves on
			j.due = now.Add(max(rest, moreAfter))
		}
		return j, true
	})
}

// NotBegun is the result of an account whose turn does not come any more.
func NotBegun(account string, s Server) Result {
	return Result{Account: account, Server: s.String(), Err: &Error{
		Account: account, Server: s.String(), Step: "poll", Kind: Interrupted, Err: errInterrupted,
	}}
}

func notBegun(a Account) Result { return NotBegun(a.Name, a.Server) }

// pollOrJoin is one session of one account, or the one that is under way: only that where joins is
// set. It is not done where somebody else was faster, or the other's result is no answer.
func (p *Poller) pollOrJoin(ctx context.Context, a Account, r Request, joins bool) (result Result, done bool) {
	if joins {
		return p.join(ctx, a, r)
	}
	v, begun := p.desk.enter(a.Mailbox(), r.plain())
	if !begun {
		return Result{}, false
	}
	p.tellAlso(v, r.Notify)
	result = p.pollItself(ctx, a, r, v)
	p.leave(a.Mailbox(), v, result)
	return result, true
}

// join waits for the poll of a that is under way.
func (p *Poller) join(ctx context.Context, a Account, r Request) (result Result, done bool) {
	v := p.desk.find(a.Mailbox())
	if v == nil || !v.open.Load() {
		return Result{}, false
	}
	p.tellAlso(v, r.Notify)
	p.notify(a, Event{Kind: Joined}, v)
	select {
	case <-v.done:
		return v.result, r.answeredBy(v.result)
	case <-ctx.Done():
		return notBegun(a), true
	}
}

func (p *Poller) pollItself(ctx context.Context, a Account, r Request, v *visit) Result {
	s, failed := p.session(ctx, a, r, v)
	if failed != nil {
		return s.fail(failed)
	}
	return s.poll(ctx)
}

// session is one that has not begun, also where it cannot begin.
func (p *Poller) session(ctx context.Context, a Account, r Request, v *visit) (*session, *Error) {
	s := &session{account: a, owner: p.Owner, dryRun: r.DryRun, retry: r.Retry, urgent: r.Now, dialer: p.dialer, salt: p.salt, now: time.Now, leftovers: &p.leftovers}
	s.tell = func(e Event) { p.notify(a, s.concealing(e), v) }
	s.entering = func() { v.open.Store(false) }
	s.trace = traceOf(a.Name, p.Trace, r.Trace)
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

// traceOf tells all of tell what an account says and hears; it is nil where nobody wants to know.
func traceOf(account string, tell ...func(account, line string)) func(line string) {
	tell = slices.DeleteFunc(tell, func(t func(string, string)) bool { return t == nil })
	if len(tell) == 0 {
		return nil
	}
	return func(line string) {
		for _, t := range tell {
			t(account, line)
		}
	}
}

// tellAlso has notify told of what is still to come of v.
func (p *Poller) tellAlso(v *visit, notify func(Event)) {
	if notify == nil {
		return
	}
	p.notifying.Lock()
	defer p.notifying.Unlock()
	v.told = append(v.told, notify)
}

func (p *Poller) notify(a Account, e Event, v *visit) {
	e.Time, e.Account, e.Server = time.Now(), a.Name, a.Server.String()
	p.notifying.Lock()
	defer p.notifying.Unlock()
	if p.Notify != nil {
		p.Notify(e)
	}
	for _, notify := range v.told {
		notify(e)
	}
}

// nothing is the store of an account that was never polled, and is not to be.
type nothing struct{}

func (nothing) Records(context.Context) ([]uidl.Entry, error)  { return nil, nil }
func (nothing) Intents(context.Context) ([]uidl.Intent, error) { return nil, nil }
func (nothing) Poll(context.Context) (uidl.Poll, error)        { return uidl.Poll{}, nil }
func (nothing) Commit(context.Context, uidl.Change) error      { return nil }

// leftovers are what earlier runs left in staging places. Each account's is cleaned once, of all
// that no intent names.
type leftovers struct {
	cleaned sync.Map // by account

	mu    sync.Mutex
	names map[string]bool // of the intents when this process began; it never needs to grow
}

// clean removes the leftovers of a. A slow folder holds up its account only.
func (l *leftovers) clean(ctx context.Context, a Account, intentNames func(context.Context) (map[string]bool, error)) error {
	if _, done := l.cleaned.Load(a.Name); done {
		return nil
	}
	keep, err := l.intended(ctx, intentNames)
	if err != nil {
		return err
	}
	intended := func(name string) bool { return keep[name] }
	if err := a.Target.Clean(intended); err != nil {
		return err
	}
	if q := a.Quarantine; q != nil {
		if err := q.Clean(intended); err != nil {
			return err
		}
	}
	l.cleaned.Store(a.Name, true)
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
