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

// A request is a change on its way to the committer. check writes nothing: what it refuses does not
// spoil the transaction that others share. After an error of apply there is no transaction.
type request struct {
	check, apply func(*bolt.Tx) error
	answer       chan error // holds one
}

// Commit applies c as one and returns once it is durable. Changes that are committed at the same
// time, of any mailbox, share a transaction.
//
// Within c, intents end (Confirm, Abandon) before others begin (Intend); then records change in
// the order Confirm, Update, Forget. A message has at most one intent. Ending an intent or
// forgetting a record that is not there is no error. UIDs hold no NUL and at most 16 KiB; of
// c.Poll's texts, what is not UTF-8 is replaced. Events go behind those that are there; with
// c.Poll, those that are older than [Options] say go, a bounded number of them.
//
// The error is ctx's only if nothing was begun. It is a *[DamageError] where what the change
// touches is damaged, a *[WriteError] where the transaction failed, for this and all later calls,
// and another one where c cannot be applied: then nothing has changed.
func (b *Box) Commit(ctx context.Context, c Change) error {
	if b.db.keep == 0 {
		c.History = nil
	}
	if c.isEmpty() {
		return nil
	}
	if err := c.validate(); err != nil {
		return fmt.Errorf("mailbox %v: %w", b.mailbox, err)
	}
	return b.db.do(ctx,
		func(tx *bolt.Tx) error { return b.check(tx, c) },
		func(tx *bolt.Tx) error { return b.apply(tx, c) })
}

// do hands a change to the committer and waits until it is durable.
func (db *DB) do(ctx context.Context, check, apply func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.enter(); err != nil {
		return err
	}
	defer db.users.Done()
	r := &request{check: check, apply: apply, answer: make(chan error, 1)}
	select {
	case db.queue <- r:
		return <-r.answer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commitAll is the committer: it takes what waits, as one transaction, until Close.
func (db *DB) commitAll() {
	defer close(db.ended)
	debug.SetPanicOnFault(true)
	for group := range batches(db.queue, maxGroup) {
		failed := db.lastCommit()
		if failed == nil {
			failed = db.commit(group)
			db.mu.Lock()
			db.failed = failed
			db.mu.Unlock()
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

// lastCommit is why there are no more transactions, if one has failed.
func (db *DB) lastCommit() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.failed
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
	_ = db.gate.Acquire(context.Background(), 1) // nothing ends this wait but its success
	defer db.gate.Release(1)
	defer db.recovered(&err)
	tx, err := db.begin(true)
	if err != nil {
		return db.writeError(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	changed := false
	for _, r := range group {
		if err := r.check(tx); err != nil {
			r.answer <- err
			continue
		}
		if err := r.apply(tx); err != nil {
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
	if _, ok := errors.AsType[*WriteError](err); ok {
		return err
	}
	return &WriteError{Path: db.path, Err: err}
}
