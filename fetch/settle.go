package fetch

import (
	"context"
	"errors"

	"popsync/deliver"
	"popsync/uidl"
)

// settle finishes what a crash left: messages whose intent is recorded and whose delivery is not.
// Without guessing: each target says what became of its own (docs/architecture.md). Once soft
// ends, no other one is begun.
func (s *session) settle(soft, ctx context.Context) error {
	intents, err := s.records.Intents(ctx)
	if err != nil {
		return s.stateFailed(err)
	}
	if len(intents) == 0 {
		return nil
	}
	// No program is handed a message again before the state has shown that it can be written:
	// otherwise one would come at each poll for as long as the disk fails.
	last := s.last
	last.Begun = uidl.At(s.begun)
	if err := s.commit(uidl.Change{Poll: &last}); err != nil {
		return err
	}
	done := settling{s: s, targets: map[string]deliver.Target{s.account.Target.Location(): s.account.Target}}
	var failed error
	for _, in := range intents {
		if err := context.Cause(soft); err != nil {
			failed = firstError(failed, err)
			break
		}
		target, err := done.targetAt(in.Target)
		if err != nil {
			failed = firstError(failed, s.deliveryFailed(err))
			continue
		}
		if err := done.one(ctx, target, in); err != nil {
			failed = firstError(failed, err) // it stays an intent; the others may be settled
		}
		if done.count >= target.MaxBatch() {
			if err := done.record(); err != nil {
				return err
			}
		}
	}
	if err := done.record(); err != nil {
		return err
	}
	return failed
}

// A settling is what was found out of intents and not recorded yet: at most a batch of the target,
// so that a program is handed no message twice but the last.
type settling struct {
	s       *session
	targets map[string]deliver.Target // by location
	change  uidl.Change
	count   int
	drops   []func() error
}

// one settles a single intent.
func (d *settling) one(ctx context.Context, target deliver.Target, in uidl.Intent) error {
	st := deliver.Staged{Name: in.Name, UID: in.UID, Size: in.Staged}
	outcome, err := target.Settle(ctx, st, d.s.now().Sub(in.At.Time()))
	switch {
	case outcome == deliver.Delivered:
		rec := uidl.Record{State: settled(in), Size: in.Size, Shared: in.Shared, Header: in.Header, Changed: uidl.At(d.s.now())}
		d.change.Confirm = append(d.change.Confirm, uidl.Entry{Ref: in.Ref, Record: rec})
		d.change.History = append(d.change.History, d.event(in, target.Where(st)))
	case outcome == deliver.Again, verdict(err):
		d.change.Abandon = append(d.change.Abandon, in.Ref) // it is fetched again
	default:
		return d.s.deliveryFailed(err)
	}
	d.count++
	d.drops = append(d.drops, func() error { return target.Drop([]deliver.Staged{st}) })
	return nil
}

// settled is what a message is whose intent came to its end.
func settled(in uidl.Intent) uidl.State {
	if deliver.IsQuarantine(in.Target) {
		return uidl.Quarantined
	}
	return uidl.Delivered
}

func (d *settling) event(in uidl.Intent, where string) uidl.Event {
	e := uidl.Event{At: uidl.At(d.s.now()), What: uidl.HistoryDelivered, Ref: in.Ref, Size: in.Size, Where: where, Note: "found after an interrupted run"}
	if settled(in) == uidl.Quarantined {
		e.What = uidl.HistoryQuarantined
	}
	return e
}

// record makes durable what was found out, and then drops the staged files.
func (d *settling) record() error {
	change, drops := d.change, d.drops
	d.change, d.count, d.drops = uidl.Change{}, 0, nil
	if err := d.s.commit(change); err != nil {
		return err
	}
	var errs error
	for _, drop := range drops {
		errs = errors.Join(errs, drop())
	}
	if errs != nil {
		d.s.tell(Event{Kind: Warned, Text: "staged files stay: " + errs.Error()})
	}
	return nil
}

// targetAt is where an intent was staged, which is not always where the account delivers now.
func (d *settling) targetAt(location string) (deliver.Target, error) {
	if target, ok := d.targets[location]; ok {
		return target, nil
	}
	target, err := deliver.Settling(location, d.s.owner)
	if err == nil {
		d.targets[location] = target
	}
	return target, err
}
