package fetch

import (
	"context"
	"errors"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

// finish deletes what may go, and sees to it that QUIT takes nothing along that was not delivered.
// Everything that was delivered has been recorded before.
func (s *session) finish(ctx context.Context, due, brought []Had) error {
	if s.account.Keep.Delete {
		due = append(due, brought...)
	}
	if s.client.Err() != nil {
		return nil // and was told; what is due is deleted in the next session
	}
	if s.quitCommits() && s.bodies > len(brought)+s.aside {
		// QUIT would hide what was retrieved and not delivered: the session is closed without it.
		s.inTransaction = false
		s.leave(ctx)
		if len(due) == 0 {
			return nil
		}
		var err error
		if due, err = s.again(ctx, due); err != nil {
			return err
		}
	}
	if len(due) == 0 {
		return nil
	}
	return s.deleteAll(ctx, due)
}

// again opens a second session, without RETR, and finds there what is due.
func (s *session) again(ctx context.Context, due []Had) ([]Had, error) {
	if err := s.logIn(ctx, ctx); err != nil {
		return nil, err
	}
	listing, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	numbers := make(map[string]pop3.Message, len(listing.Messages))
	twice := make(map[string]bool)
	for _, m := range listing.Messages {
		_, twice[m.UID] = numbers[m.UID]
		numbers[m.UID] = m
	}
	var found []Had
	for _, h := range due {
		if m, ok := numbers[h.UID]; ok && !h.Shared && !twice[h.UID] {
			h.Message = m
			found = append(found, h)
		}
	}
	return found, nil
}

// deleteAll deletes due on the server. The deletions count as done only when QUIT says +OK; where
// its answer is lost, the next listing shows.
func (s *session) deleteAll(ctx context.Context, due []Had) error {
	kept := make(map[int32]bool)
	msgs := make([]pop3.Message, len(due))
	for i, h := range due {
		msgs[i] = h.Message
	}
	s.inTransaction = false
	err := s.client.DeleQuit(ctx, msgs, func(m pop3.Message, refusal *pop3.ResponseError) {
		kept[m.Number] = true
		s.note(s.refused("delete", refusal))
	})
	deleted := 0
	for _, h := range due {
		switch {
		case kept[h.Number]:
		case err != nil:
			h.Record.DeleteSent = true
			s.unsaved.Update = append(s.unsaved.Update, uidl.Entry{Ref: h.Ref(), Record: h.Record})
		default:
			s.deleted(h)
			deleted++
		}
	}
	if err != nil {
		return s.step("quit", err)
	}
	s.result.Deleted = deleted
	s.tell(Event{Kind: Deleted, New: deleted})
	return nil
}

// deleted remembers that a message was deleted, until a complete listing lacks it.
func (s *session) deleted(h Had) {
	h.Record.Deletions++
	h.Record.State, h.Record.Changed, h.Record.DeleteSent = uidl.Deleted, uidl.At(s.now()), false
	s.unsaved.Update = append(s.unsaved.Update, uidl.Entry{Ref: h.Ref(), Record: h.Record})
	s.unsaved.History = append(s.unsaved.History, uidl.Event{At: h.Record.Changed, What: uidl.HistoryDeleted, Ref: h.Ref(), Size: h.Size})
}

// remember writes down how the poll went, with all that waits for a commit.
func (s *session) remember() error {
	switch {
	case s.blind:
		return nil
	case s.dryRun:
		return s.rememberLogIn()
	case s.pausing && s.unsaved.Poll == nil:
		return nil // nothing has happened
	case !s.pausing:
		s.unsaved.Poll = s.summary()
	}
	if err := s.commit(s.unsaved); err != nil {
		return err
	}
	s.drop(s.needless)
	return nil
}

// rememberLogIn writes down no more than that there was a log-in, or a refused one: whatever it was
// for, the next one has to keep to the time between two, and the server counts refusals.
func (s *session) rememberLogIn() error {
	if s.loggedIn.IsZero() && !s.refusedLogIn {
		return nil
	}
	s.last.Refusals = s.refusals()
	if !s.loggedIn.IsZero() {
		s.last.LoggedIn, s.last.LoginDelay = uidl.At(s.loggedIn), int64(s.client.Capabilities().LoginDelay.Seconds())
	}
	return s.commit(uidl.Change{Poll: &s.last})
}

// lastingWay is the log-in to begin with next time; empty for the strongest that is offered.
func (s *session) lastingWay() string {
	if s.loggedIn.IsZero() {
		return s.last.Mechanism // a refusal says nothing of the way
	}
	return string(s.way)
}

func (s *session) summary() *uidl.Poll {
	p := uidl.Poll{
		Begun: uidl.At(s.begun), Ended: uidl.At(s.now()), Good: s.last.Good, LoggedIn: s.last.LoggedIn,
		New: s.result.New, Bytes: s.result.Bytes,
		Listed: s.last.Listed, LostPipeline: s.last.LostPipeline, LoginDelay: s.last.LoginDelay,
		Renumbered: s.renumbered, Refusals: s.refusals(), Noticed: s.last.Noticed, NoTOP: s.last.NoTOP, RenumberTold: s.last.RenumberTold, Mechanism: s.lastingWay(),
	}
	if !s.loggedIn.IsZero() {
		p.LoggedIn = uidl.At(s.loggedIn)
		p.LoginDelay = int64(s.client.Capabilities().LoginDelay.Seconds())
	}
	if s.topFailed {
		p.NoTOP = uidl.At(s.now())
	}
	e := s.result.Err
	if e != nil && e.Kind == Interrupted {
		p.Failures, p.Code, p.Step, p.Message, p.Hint = s.last.Failures, s.last.Code, s.last.Step, s.last.Message, s.last.Hint
		return &p
	}
	switch {
	case s.lost:
		p.LostPipeline = uidl.At(s.now())
	case e != nil && e.Step == s.last.Step && errors.Is(e, pop3.ErrTimeout):
		p.LostPipeline = 0 // it fails at the same step without pipelining: that was not the cause
	}
	if e == nil {
		p.Good, p.Listed = p.Ended, true
		if s.result.Left+s.result.TooLarge == 0 {
			p.Quiet, p.QuietUntil = s.quiet.listing, s.quiet.until
		}
		return &p
	}
	p.AskTold = s.last.AskTold
	p.Failures = s.last.Failures + 1
	p.Code, p.Step, p.Message, p.Hint = e.Kind.String(), e.Step, e.Err.Error(), e.Hint
	return &p
}
