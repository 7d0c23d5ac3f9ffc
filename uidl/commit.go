package uidl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// maxGroup is the most changes that share a transaction; those of 1,000 accounts may wait at once.
const maxGroup = 256

// A request is a change on its way to the committer.
type request struct {
	box    *Box
	change Change
	answer chan error // holds one
}

// Commit applies c as one and returns once it is durable. Changes that are committed at the same
// time, of any mailbox, share a transaction.
//
// Within c, intents end (Confirm, Abandon) before others begin (Intend); then records change in
// the order Confirm, Update, Forget. A message has at most one intent. Ending an intent or
// forgetting a record that is not there is no error. UIDs hold no NUL and at most 16 KiB; of
// c.Poll's texts, what is not UTF-8 is replaced.
//
// The error is ctx's only if nothing was begun. It is a *[DamageError] where what the change
// touches is damaged, a *[WriteError] where the transaction failed, for this and all later calls,
// and another one where c cannot be applied: then nothing has changed.
func (b *Box) Commit(ctx context.Context, c Change) error {
	if c.isEmpty() {
		return nil
	}
	if err := c.validate(); err != nil {
		return fmt.Errorf("mailbox %v: %w", b.mailbox, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.db.enter(); err != nil {
		return err
	}
	defer b.db.users.Done()
	r := &request{box: b, change: c, answer: make(chan error, 1)}
	select {
	case b.db.queue <- r:
		return <-r.answer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commitAll is the committer: it takes what waits, as one transaction, until Close.
func (db *DB) commitAll() {
	defer close(db.ended)
	debug.SetPanicOnFault(true)
	var failed error
	for group := range batches(db.queue, maxGroup) {
		if failed == nil {
			failed = db.commit(group)
		}
		for _, r := range group {
			// Those that were refused by themselves have their answer.
			select {
			case r.answer <- failed:
			default:
			}
		}
	}
}

// batches yields what waits in the channel, at least one and at most n at a time.
func batches[T any](in <-chan T, n int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for v := range in {
			batch := []T{v}
			for len(batch) < n {
				more, ok := waiting(in)
				if !ok {
					break
				}
				batch = append(batch, more)
			}
			if !yield(batch) {
				return
			}
		}
	}
}

// waiting receives what is there already.
func waiting[T any](in <-chan T) (v T, ok bool) {
	select {
	case v, ok = <-in:
	default:
	}
	return v, ok
}

// commit applies group in one transaction. It answers the requests that are refused; its error is
// that of the transaction, and final: after it nobody knows what is on the disk.
func (db *DB) commit(group []*request) (err error) {
	defer db.recovered(&err)
	tx, err := db.begin(true)
	if err != nil {
		return db.writeError(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	changed := false
	for _, r := range group {
		if err := r.box.check(tx, r.change); err != nil {
			r.answer <- err
			continue
		}
		if err := r.box.apply(tx, r.change); err != nil {
			return db.writeError(err)
		}
		changed = true
	}
	if !changed {
		return nil
	}
	if err := db.upgrade(tx); err != nil {
		return db.writeError(err)
	}
	if err := tx.Commit(); err != nil {
		return db.writeError(err)
	}
	db.version = Version
	db.measure()
	return nil
}

// upgrade says in the state that it holds what only this version understands.
func (db *DB) upgrade(tx *bolt.Tx) error {
	if db.version == Version {
		return nil
	}
	return putSealed(tx.Bucket(bucketMeta), keyVersion, []byte(strconv.Itoa(Version)))
}

func (db *DB) writeError(err error) error {
	if _, ok := errors.AsType[*DamageError](err); ok {
		return err
	}
	return &WriteError{Path: db.path, Err: err}
}
