package fetch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"popsync/deliver"
	"popsync/fetch/pop3"
	"popsync/internal/shell"
	"popsync/uidl"
)

const (
	aheadMessages = 256 // that staging may run ahead of durability
	batchMessages = 256 // that share the cost of being made durable

	// gathering is how long a batch waits for more where messages come one at a time.
	gathering = 250 * time.Millisecond
)

// An arrival is a message that is staged.
type arrival struct {
	Item
	staged deliver.Staged
	octets int64  // as they came over the line
	header uint64 // its digest
	id     string // its Message-ID

	failed bool // it was not: its rank is to be kept for it
}

// bringIn stages items, makes them durable and delivers them, each at its own pace. What ends the reading, such
// as a lost connection, ends nothing else: what is staged is delivered. What ends the delivering,
// such as a failed fsync, ends both. Once soft ends, no further message is asked for.
func (s *session) bringIn(soft, hard context.Context, items []Item) (brought []Had, err error) {
	if len(items) == 0 {
		return nil, nil
	}
	prepared := s.account.Target.Prepare(len(items))
	defer prepared()
	reading, stop := context.WithCancel(hard)
	defer stop()
	var lost error
	var behind sync.WaitGroup // the reader, and who syncs
	staged := make(chan arrival, aheadMessages)
	behind.Go(func() {
		defer close(staged)
		lost = s.stageAll(soft, reading, items, staged)
	})
	synced := make(chan syncedBatch)
	behind.Go(func() {
		defer close(synced)
		s.syncAll(reading, staged, synced)
	})
	b := bringer{s: s}
	if err = b.deliverAll(hard, synced); err != nil {
		stop()
	}
	for batch := range synced { // nothing of it has an intent
		b.abandon(batch)
	}
	behind.Wait()
	b.drops.Wait()
	s.account.Target.Drop(b.orphans) // what stays is cleaned at the next start
	if err == nil {
		err = lost
	}
	return b.brought, err
}

// stageAll retrieves items and stages each. Its errors are those of the connection and of the
// target as a whole; the server's refusal of one message is noted.
func (s *session) stageAll(soft, ctx context.Context, items []Item, staged chan<- arrival) error {
	next := 0
	wanted := func(yield func(pop3.Message) bool) {
		for _, m := range items {
			if s.enough(soft) || !yield(m.Message) {
				return
			}
		}
	}
	var failed error // of the target
	err := s.client.Retr(ctx, wanted, func(_ pop3.Message, body *pop3.Body, refusal *pop3.ResponseError) error {
		item := items[next] // replies come in the order of the commands
		next++
		if refusal != nil {
			s.failOne(item, s.refused("retrieve", refusal))
			return s.pass(ctx, staged, arrival{Item: item, failed: true})
		}
		s.bodies++
		msg := &passing{body: body, most: s.account.MaxMessageSize, header: s.header[:0]}
		st, err := s.account.Target.Stage(ctx, item.UID, msg)
		s.header = msg.header
		if errors.Is(err, errTooLarge) {
			s.outgrown(item)
			return err
		}
		if err != nil {
			if _, ours := errors.AsType[*deliver.Error](err); ours {
				failed = err
			}
			return err
		}
		s.tell(Event{Kind: Received, UID: item.UID, Bytes: body.Size()})
		if h, same := s.hadAllTheSame(item, msg.digest()); same {
			s.hadAgain(h)
			s.drop([]leftover{{s.account.Target, st}})
			return nil
		}
		err = s.pass(ctx, staged, arrival{Item: item, staged: st, octets: body.Size(), header: msg.digest(), id: messageID(msg.header)})
		if err != nil {
			s.account.Target.Drop([]deliver.Staged{st})
		}
		return err
	})
	switch {
	case errors.Is(err, errTooLarge):
		return nil // and was told
	case failed != nil:
		return s.deliveryFailed(failed)
	case err != nil:
		return s.step("retrieve", err)
	}
	return nil
}

// pass hands an arrival on to those who deliver.
func (s *session) pass(ctx context.Context, staged chan<- arrival, a arrival) error {
	select {
	case staged <- a:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hadAgain notes that a message was retrieved for nothing: it was had. It is deleted if its time has
// come; otherwise it is known from now on by what it has become.
func (s *session) hadAgain(h Had) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Left--
	s.aside++
	if s.account.Keep.over(h.Record) {
		s.due = append(s.due, h)
		return
	}
	h.Record.MissingSince, h.Record.Size = 0, h.Size
	s.unsaved.Update = append(s.unsaved.Update, uidl.Entry{Ref: h.Ref(), Record: h.Record})
}

// enough says whether no further message is to be asked for.
func (s *session) enough(soft context.Context) bool {
	return soft.Err() != nil || s.account.Session > 0 && s.now().Sub(s.begun) > s.account.Session
}

// A syncedBatch is what was made durable together.
type syncedBatch struct {
	arrivals []arrival
	errs     []error // nil: this one is durable, or did not arrive
}

// syncAll makes what is staged durable in the staging place, batch by batch, while the batch before is
// delivered. Once ctx ends it takes no more trouble. It returns once staged is closed.
func (s *session) syncAll(ctx context.Context, staged <-chan arrival, synced chan<- syncedBatch) {
	wait := time.Duration(0)
	if !s.client.Pipelining() {
		wait = gathering
	}
	for arrivals := range batches(staged, batchMessages, wait) {
		synced <- s.syncBatch(ctx, arrivals)
	}
}

func (s *session) syncBatch(ctx context.Context, arrivals []arrival) syncedBatch {
	batch := syncedBatch{arrivals, make([]error, len(arrivals))}
	var files []deliver.Staged
	var at []int // where each of files is among the arrivals
	for i, a := range arrivals {
		if !a.failed {
			files, at = append(files, a.staged), append(at, i)
		}
	}
	for n, err := range s.sync(ctx, files) {
		batch.errs[at[n]] = err
	}
	return batch
}

// sync is [deliver.Target.Sync] until ctx ends.
func (s *session) sync(ctx context.Context, files []deliver.Staged) []error {
	if err := context.Cause(ctx); err != nil {
		return slices.Repeat([]error{err}, len(files))
	}
	if len(files) == 0 {
		return nil
	}
	return s.account.Target.Sync(ctx, files)
}

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

// batches takes what is there, or comes while it waits, at least one and at most n, until in is closed.
func batches[E any](in <-chan E, n int, wait time.Duration) iter.Seq[[]E] {
	return func(yield func([]E) bool) {
		for first := range in {
			var over <-chan time.Time
			if wait > 0 {
				over = time.After(wait)
			}
			batch := []E{first}
			for len(batch) < n {
				e, ok := receive(in, over)
				if !ok {
					break
				}
				batch = append(batch, e)
			}
			if !yield(batch) {
				return
			}
		}
	}
}

// receive receives until over, or without waiting if that is nil.
func receive[E any](in <-chan E, over <-chan time.Time) (e E, ok bool) {
	if over == nil {
		select {
		case e, ok = <-in:
		default:
		}
		return e, ok
	}
	select {
	case e, ok = <-in:
	case <-over:
	}
	return e, ok
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
