package fetch

import (
	"context"
	"time"

	"popsync/fetch/pop3"
)

// Check logs in to a's server, looks at what lies there without fetching anything, and leaves.
// Where it fails the Probe has what was seen until then. trace may be nil.
func Check(ctx context.Context, a Account, trace func(line string)) (Probe, *Error) {
	return check(ctx, a, trace, nil)
}

func check(ctx context.Context, a Account, trace func(line string), d dialer) (Probe, *Error) {
	s := &session{account: a, dialer: d, now: time.Now, trace: trace, records: nothing{}, entering: func() {}}
	return s.check(ctx)
}

// check keeps to no pause, for a person asks; it remembers that there was a log-in.
func (s *session) check(ctx context.Context) (Probe, *Error) {
	s.tell, s.begun = func(Event) {}, s.now()
	s.result = Result{Account: s.account.Name, Server: s.account.Server.String()}
	soft, release := interruptible(ctx)
	defer release()
	hard, release := s.lingering(soft)
	defer release()
	listing, err := s.visit(soft)
	s.leave(hard)
	s.note(err)
	s.note(s.rememberLogIn())
	return s.probe(listing, err == nil), s.result.Err
}

// Check is [Check] for each of accounts, as many at a time as the limits allow. Probes and errors
// are in the order of accounts; an error is nil where all is well.
func (p *Poller) Check(ctx context.Context, accounts []Account) ([]Probe, []*Error) {
	probes, errs := make([]Probe, len(accounts)), make([]*Error, len(accounts))
	q := p.queue(accounts, Request{DryRun: true}) // nobody joins a look
	for i, a := range accounts {
		errs[i] = notBegun(a).Err
		q.add(job{index: i, host: a.Server.Host})
	}
	dispatch(ctx, q, func(j job) (job, bool) {
		probes[j.index], errs[j.index] = p.checkOne(ctx, accounts[j.index])
		return j, false
	})
	return probes, errs
}

func (p *Poller) checkOne(ctx context.Context, a Account) (Probe, *Error) {
	v, leave, err := p.alone(ctx, a.Mailbox())
	if err != nil {
		return Probe{}, notBegun(a).Err
	}
	defer leave()
	s, failed := p.session(ctx, a, Request{}, v)
	if failed != nil {
		return Probe{}, s.fail(failed).Err
	}
	return s.check(ctx)
}

// visit is a session that only looks.
func (s *session) visit(ctx context.Context) (listing pop3.Listing, err error) {
	if s.last, err = s.records.Poll(ctx); err != nil {
		return listing, s.stateFailed(err)
	}
	if err := s.askPassword(ctx); err != nil {
		return listing, err
	}
	if err := s.logIn(ctx, ctx); err != nil {
		return listing, err
	}
	if listing, err = s.list(ctx); err != nil {
		return listing, err
	}
	if !listing.Sized {
		if err := s.client.AddSizes(ctx, &listing); err != nil {
			return listing, s.step("list", err)
		}
	}
	if listing.Count < 0 {
		if err := s.client.AddStat(ctx, &listing); err != nil {
			return listing, s.step("list", err)
		}
	}
	return listing, nil
}
