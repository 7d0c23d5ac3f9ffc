package fetch

import (
	"context"
	"errors"

	"popsync/deliver"
	"popsync/uidl"
)

// settle finishes what a crash left: messages whose intent is recorded and whose delivery is not.
// Without guessing: each target says what became of its own (docs/architecture.md).
func (s *session) settle(ctx context.Context) error {
	intents, err := s.records.Intents(ctx)
	if err != nil {
		return s.stateFailed(err)
	}
	var change uidl.Change
	var drops []func() error
	var failed error
	targets := map[string]deliver.Target{s.account.Target.Location(): s.account.Target}
	for _, in := range intents {
		if ctx.Err() != nil {
			failed = context.Cause(ctx)
			break
		}
		target, err := s.targetAt(in.Target, targets)
		if err != nil {
			failed = s.deliveryFailed(err)
			break
		}
		st := deliver.Staged{Name: in.Name, UID: in.UID, Size: in.Staged}
		outcome, err := target.Settle(ctx, st, s.now().Sub(in.At.Time()))
		switch {
		case outcome == deliver.Delivered:
			rec := uidl.Record{State: uidl.Delivered, Size: in.Size, Changed: uidl.At(s.now())}
			change.Confirm = append(change.Confirm, uidl.Entry{Ref: in.Ref, Record: rec})
		case outcome == deliver.Again, verdict(err):
			change.Abandon = append(change.Abandon, in.Ref) // it is fetched again
		default:
			failed = firstError(failed, s.deliveryFailed(err))
			continue // it stays an intent; the others may be settled
		}
		drops = append(drops, func() error { return target.Drop([]deliver.Staged{st}) })
	}
	return firstError(failed, s.settled(change, drops))
}

// settled records what was found out, and then drops the staged files.
func (s *session) settled(change uidl.Change, drops []func() error) error {
	if err := s.commit(change); err != nil {
		return err
	}
	var errs error
	for _, drop := range drops {
		errs = errors.Join(errs, drop())
	}
	if errs != nil {
		s.tell(Event{Kind: Warned, Text: "staged files stay: " + errs.Error()})
	}
	return nil
}

// targetAt is where an intent was staged, which is not always where the account delivers now.
func (s *session) targetAt(location string, known map[string]deliver.Target) (deliver.Target, error) {
	if target, ok := known[location]; ok {
		return target, nil
	}
	target, err := deliver.Settling(location, s.owner)
	known[location] = target
	return target, err
}
