package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"popsync/deliver"
	"popsync/internal/shell"
	"popsync/uidl"
)

// A bringer delivers what is staged and durable, batch by batch.
type bringer struct {
	s       *session
	brought []Had            // delivered and recorded
	fresh   []Had            // delivered, recorded with the next commit
	orphans []deliver.Staged // staged, without an intent, and not wanted any more
	done    []leftover       // dropped once what became of it is recorded
	drops   sync.WaitGroup   // one, while the next message is under way
	next    uidl.Change      // recorded with the next batch's intents
}

// A leftover is a staged file that is not needed any more.
type leftover struct {
	target deliver.Target
	staged deliver.Staged
}

// dropLater has a staged file removed once what comes next is recorded.
func (b *bringer) dropLater(target deliver.Target, st deliver.Staged) {
	b.done = append(b.done, leftover{target, st})
}

// deliverAll returns once synced is closed, or on an error that concerns the target or the state
// as a whole.
func (b *bringer) deliverAll(ctx context.Context, synced <-chan syncedBatch) error {
	for batch := range synced {
		err := context.Cause(ctx)
		if err == nil {
			err = b.deliver(ctx, batch)
		} else {
			b.abandon(batch)
		}
		if err != nil {
			b.commit() // what did arrive is recorded if that can be; the first failure is told
			return err
		}
	}
	if b.s.account.Keep.Delete || b.s.quitCommits() {
		return b.commit() // before QUIT
	}
	b.putOff()
	return nil
}

// putOff leaves what is to be recorded last to the end of the poll: one transaction less.
func (b *bringer) putOff() {
	s := b.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved.Confirm = append(s.unsaved.Confirm, b.next.Confirm...)
	s.unsaved.Abandon = append(s.unsaved.Abandon, b.next.Abandon...)
	s.unsaved.Update = append(s.unsaved.Update, b.next.Update...)
	s.unsaved.History = append(s.unsaved.History, b.next.History...)
	s.needless = append(s.needless, b.done...)
	b.brought = append(b.brought, b.fresh...)
}

// deliver takes one batch through intent and publish. The deliveries are recorded with the next batch.
func (b *bringer) deliver(ctx context.Context, batch syncedBatch) error {
	durable, failed := b.sift(batch)
	if len(durable) == 0 {
		return failed
	}
	for _, a := range durable {
		b.next.Intend = append(b.next.Intend, b.s.intent(a))
	}
	if err := b.commit(); err != nil {
		// Whether the intents are durable is not known, so the staged files stay where they
		// are: the next start publishes those that are, and cleans the others.
		return err
	}
	for len(durable) > 0 {
		n := min(len(durable), b.s.account.Target.MaxBatch())
		if err := b.publish(ctx, durable[:n]); err != nil && failed == nil {
			failed = err
		}
		if durable = durable[n:]; len(durable) == 0 {
			break
		}
		if failed == nil {
			failed = context.Cause(ctx)
		}
		if failed != nil {
			for _, a := range durable {
				b.giveUp(a, a.attempts)
			}
			break
		}
		if err := b.commit(); err != nil {
			return err
		}
	}
	return failed
}

// sift takes out what did not arrive, and what could not be made durable, which has no intent yet and
// goes. Where other messages have the same UID it is recorded as failed, before any of those behind it
// is recorded as delivered: otherwise one of them would be taken for it at the next poll, by its size.
func (b *bringer) sift(batch syncedBatch) (durable []arrival, failed error) {
	for i, a := range batch.arrivals {
		err := batch.errs[i]
		if !a.failed && err == nil {
			durable = append(durable, a)
			continue
		}
		b.failed(a, a.attempts)
		if err != nil {
			b.orphans = append(b.orphans, a.staged)
			failed = firstError(failed, b.s.deliveryFailed(err))
		}
	}
	return durable, failed
}

// abandon gives up a batch that has no intents.
func (b *bringer) abandon(batch syncedBatch) {
	for _, a := range batch.arrivals {
		if !a.failed {
			b.orphans = append(b.orphans, a.staged)
		}
	}
}

// failed keeps the rank of a message that shares its UID with others, and the number of verdicts
// against it.
func (b *bringer) failed(a arrival, attempts uint16) {
	if !a.Shared && attempts == a.attempts {
		return // its record, if it has one, says so
	}
	rec := uidl.Record{State: uidl.Failed, Attempts: attempts, Shared: a.Shared, Size: a.Size, Changed: uidl.At(b.s.now()), Deletions: a.before}
	b.next.Update = append(b.next.Update, uidl.Entry{Ref: a.Ref(), Record: rec})
}

// publish delivers a batch whose intents are recorded. An error that concerns one message is
// noted; one that concerns the target is returned.
func (b *bringer) publish(ctx context.Context, batch []arrival) (failed error) {
	for i, err := range b.s.account.Target.Publish(ctx, stagedOf(batch)) {
		a := batch[i]
		if err == nil {
			b.delivered(a)
			continue
		}
		switch {
		case ctx.Err() != nil: // we ended the agent ourselves
			err = context.Cause(ctx)
		case verdict(err):
			b.refused(ctx, a, err)
			continue
		default:
			err = b.s.deliveryFailed(err)
		}
		b.giveUp(a, a.attempts)
		failed = firstError(failed, err)
	}
	return failed
}

// refused notes a verdict on one message. What an agent refuses for good is counted, and set aside in
// the end (D7); what it wants later is not.
func (b *bringer) refused(ctx context.Context, a arrival, err error) {
	e := b.s.deliveryFailed(err)
	if e.Kind == Busy || blameless(err) {
		b.giveUp(a, a.attempts)
	} else if where := b.setAside(ctx, a, err); where != "" {
		e.Err = fmt.Errorf("refused %s and set aside as %s: %w", times(int(a.attempts)+1), where, e.Err)
		e.Hint = "it stays on the server as well; to have it fetched again: popsync uidl forget " + b.s.account.Name + " " + shell.Quote(a.UID)
	} else {
		b.giveUp(a, oneMore(a.attempts))
		b.happened(a, uidl.HistoryRefused, b.s.account.Target.Where(a.staged), err.Error())
	}
	b.s.failOne(a.Item, e)
}

// blameless says whether a refusal is not the message's fault.
func blameless(err error) bool {
	e, ok := errors.AsType[*deliver.Error](err)
	return ok && e.Blameless
}

// oneMore counts up to what a record can hold.
func oneMore(attempts uint16) uint16 { return max(attempts, attempts+1) }

// happened writes into the history what became of a message.
func (b *bringer) happened(a arrival, what uidl.What, where, note string) {
	b.next.History = append(b.next.History, uidl.Event{
		At: uidl.At(b.s.now()), What: what, Ref: a.Ref(), Size: a.octets, MessageID: a.id, Where: where, Note: note,
	})
}

func (b *bringer) delivered(a arrival) {
	s := b.s
	rec := uidl.Record{State: uidl.Delivered, DeleteSent: s.account.Keep.Delete, Size: a.Size, Shared: a.Shared, Header: a.header, Changed: uidl.At(s.now()), Deletions: a.before}
	b.next.Confirm = append(b.next.Confirm, uidl.Entry{Ref: a.Ref(), Record: rec})
	b.fresh = append(b.fresh, Had{Item: a.Item, Record: rec})
	b.happened(a, uidl.HistoryDelivered, s.account.Target.Where(a.staged), "")
	b.dropLater(s.account.Target, a.staged)
	s.addDelivered(a.octets)
	s.tell(Event{Kind: Delivered, UID: a.UID, Bytes: a.octets})
}

// giveUp withdraws the intent of a message that was not delivered. Its staged file goes only once
// that is durable: an intent without its file means that a reader took the message away.
func (b *bringer) giveUp(a arrival, attempts uint16) {
	b.next.Abandon = append(b.next.Abandon, a.Ref())
	b.failed(a, attempts)
	b.dropLater(b.s.account.Target, a.staged)
}

// commit records what has come together, then drops what is not needed any more. Only what is
// recorded counts as brought: nothing else may be deleted on the server.
func (b *bringer) commit() error {
	change, fresh, done := b.next, b.fresh, b.done
	b.next, b.fresh, b.done = uidl.Change{}, nil, nil
	if err := b.s.commit(change); err != nil {
		return err
	}
	b.brought = append(b.brought, fresh...)
	b.drops.Wait()
	if len(done) > 0 {
		b.drops.Go(func() { b.s.drop(done) })
	}
	return nil
}

// drop removes staged files that are needless now.
func (s *session) drop(files []leftover) {
	if err := drop(files); err != nil {
		s.tell(Event{Kind: Warned, Text: "staged files stay: " + err.Error()})
	}
}

// drop removes leftovers, those of one target together.
func drop(all []leftover) (errs error) {
	for len(all) > 0 {
		target := all[0].target
		var batch []deliver.Staged
		for len(all) > 0 && all[0].target == target {
			batch, all = append(batch, all[0].staged), all[1:]
		}
		errs = errors.Join(errs, target.Drop(batch))
	}
	return errs
}

func (s *session) intent(a arrival) uidl.Intent {
	return uidl.Intent{
		Ref: a.Ref(), Size: a.Size, Staged: a.staged.Size, Header: a.header, Shared: a.Shared,
		Target: s.account.Target.Location(), Name: a.staged.Name, At: uidl.At(s.now()),
	}
}

// commit records change durably. It is never cut short: what has happened is recorded.
func (s *session) commit(change uidl.Change) error {
	if len(change.Confirm)+len(change.Update)+len(change.Forget) > 0 {
		s.last.Quiet, s.last.QuietUntil = "", 0 // with other records it was found out
	}
	err := s.records.Commit(context.Background(), change)
	if err == nil {
		return nil
	}
	e := s.stateFailed(err)
	s.mu.Lock()
	told := s.result.StateBroken || s.result.Err == nil
	s.result.StateBroken = true
	s.mu.Unlock()
	if !told { // another failure came first, and is the poll's
		s.tell(Event{Kind: Warned, Text: e.Err.Error()})
	}
	return e
}

func stagedOf(batch []arrival) []deliver.Staged {
	staged := make([]deliver.Staged, len(batch))
	for i, a := range batch {
		staged[i] = a.staged
	}
	return staged
}

// verdict says whether an error of a target concerns one message only.
func verdict(err error) bool {
	e, ok := errors.AsType[*deliver.Error](err)
	return ok && slices.Contains([]deliver.Kind{deliver.Refused, deliver.Later}, e.Kind)
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
