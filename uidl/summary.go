package uidl

import (
	"context"
	"fmt"
	"io/fs"

	bolt "go.etcd.io/bbolt"

	"popsync/internal/arena"
)

// A Summary is what is known of one mailbox, in numbers.
type Summary struct {
	Mailbox Mailbox
	Account string
	States  [Quarantined + 1]int // records by state
	Intents int
	History int   // events
	Missing int   // records of messages that are not listed any more
	Poll    Poll  // the last one
	Err     error // a *[DamageError] if something of it is damaged; then the rest is what could be read
}

// Records is how many there are, of whatever state.
func (s Summary) Records() int {
	n := 0
	for _, m := range s.States {
		n += m
	}
	return n
}

// Summaries returns one of each mailbox, sorted by account and mailbox. A mailbox that is damaged
// says so itself.
func (db *DB) Summaries(ctx context.Context) ([]Summary, error) {
	report := Report{Path: db.path}
	err := db.view(ctx, func(tx *bolt.Tx) error { return report.examine(ctx, tx) })
	return report.Mailboxes, err
}

// Each yields the records of mailbox m, by UID and rank. No transaction is open while yield runs;
// its error ends the reading and is returned as it is. Of a mailbox that is not there the error
// wraps [fs.ErrNotExist].
//
// What is damaged is left out; at the end there is a *[DamageError] then.
func (db *DB) Each(ctx context.Context, m Mailbox, yield func(Entry) error) error {
	b := &Box{db: db, mailbox: m, key: m.key()}
	view := func(f func(*shelf) error) error {
		missing := true
		err := b.view(ctx, func(s *shelf) error {
			missing = false
			return f(s)
		})
		if err == nil && missing {
			return fmt.Errorf("state %s: mailbox %v: %w", db.path, m, fs.ErrNotExist)
		}
		return err
	}
	var uids arena.Strings
	read := func(key, sealed []byte) (Entry, error) { return readRecord(&uids, key, sealed) }
	return inChunks(ctx, view, records, read, yield)
}

// count reads all that is on a shelf. found is told each fault; the error is ctx's.
func (sum *Summary) count(ctx context.Context, s *shelf, found func(error)) error {
	sum.Account = s.account
	var err error
	if sum.Poll, err = s.poll(); err != nil {
		found(err)
	}
	var uids arena.Strings
	for _, k := range kinds {
		add := func(key, sealed []byte) error { return sum.add(k, &uids, key, sealed) }
		if err := s.survey(ctx, k, add, found); err != nil {
			return err
		}
	}
	return nil
}

// add counts a value that is whole.
func (sum *Summary) add(k kind, uids *arena.Strings, key, sealed []byte) error {
	if k == records {
		return sum.addRecord(uids, key, sealed)
	}
	if err := k.whole(uids, key, sealed); err != nil {
		return err
	}
	switch k {
	case intents:
		sum.Intents++
	case history:
		sum.History++
	}
	return nil
}

func (sum *Summary) addRecord(uids *arena.Strings, key, sealed []byte) error {
	e, err := readRecord(uids, key, sealed)
	if err := firstOf(err, e.validate); err != nil {
		return err
	}
	sum.States[e.State]++
	if !e.MissingSince.IsZero() {
		sum.Missing++
	}
	return nil
}

// maxTold bounds the faults of a kind that are told one by one.
const maxTold = 20

// survey calls f for all values of a kind, as [shelf.all] does, and goes on after a fault.
func (s *shelf) survey(ctx context.Context, k kind, f func(key, sealed []byte) error, found func(error)) error {
	var there set
	var broken uint64
	err := s.each(ctx, k, func(key, sealed []byte) error {
		err := f(key, sealed)
		if err == nil {
			there.add(sealOf(sealed))
			return nil
		}
		if broken++; broken <= maxTold {
			found(k.at(key, err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if broken > maxTold {
		found(fmt.Errorf("%d more %vs are damaged", broken-maxTold, k))
	}
	want := s.tally.sets[k]
	if err := k.compare(there, want); err != nil && (broken == 0 || there.n+broken != want.n) {
		found(err)
	}
	return nil
}
