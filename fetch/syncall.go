package fetch

import (
	"context"
	"iter"
	"slices"
	"time"

	"popsync/deliver"
)

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
