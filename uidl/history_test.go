package uidl

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

func events(t testing.TB, b *Box) (all []Event, err error) {
	t.Helper()
	err = b.History(t.Context(), 0, func(e Event) error {
		all = append(all, e)
		return nil
	})
	return all, err
}

func told(uid string, at Stamp) Event {
	return Event{At: at, What: HistoryDelivered, Ref: Ref{UID: uid}, Size: -1}
}

// withHistory opens a state that keeps one for an hour.
func withHistory(t testing.TB) *DB {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), Options{History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestWhatHasAName(t *testing.T) {
	for w := HistoryDelivered; w <= HistoryForgotten; w++ {
		if s := w.String(); s == "" || s == fmt.Sprintf("What(%d)", w) {
			t.Errorf("%d is called %q", w, s)
		}
	}
	if s := What(0).String(); s != "What(0)" {
		t.Errorf("none is called %q", s)
	}
}

// O4: with `history: 0` none is kept, and what there is goes.
func TestNoHistoryIsKeptWhereNoneIsWanted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := Open(t.Context(), path, Options{History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := boxOf(t, db, alice).Commit(t.Context(), Change{History: []Event{told("a", 1e9)}}); err != nil {
		t.Fatal(err)
	}
	db.Close()

	db = openAt(t, path)
	b := boxOf(t, db, alice)
	before := transactions(t, db)
	if err := b.Commit(t.Context(), Change{History: []Event{told("b", 1)}}); err != nil {
		t.Fatal(err)
	}
	if n := transactions(t, db) - before; n != 0 {
		t.Errorf("%d transactions for events that are not kept", n)
	}
	if all, err := events(t, b); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	if err := b.Commit(t.Context(), Change{Poll: &Poll{Begun: 1}}); err != nil {
		t.Fatal(err)
	}
	if all, err := events(t, b); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	sound(t, db)
}

// A commit forgets a bounded number, and the next one goes on.
func TestOldEventsGoAFewAtATime(t *testing.T) {
	db := withHistory(t)
	b := boxOf(t, db, alice)
	c := Change{}
	for i := range 2*forgetMost + 10 {
		c.History = append(c.History, told("a", Stamp(i+1)))
	}
	if err := b.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{forgetMost + 10, 10, 0} {
		if err := b.Commit(t.Context(), Change{Poll: &Poll{Begun: 1e6}}); err != nil {
			t.Fatal(err)
		}
		if all, err := events(t, b); err != nil || len(all) != want {
			t.Errorf("%d are left, %v; want %d", len(all), err, want)
		}
	}
	sound(t, db)
}

func TestHistoryHasABound(t *testing.T) {
	db := withHistory(t)
	b := boxOf(t, db, alice)
	for _, n := range []int{maxEvents - 1, 3, maxEvents + 5, 1} {
		c := Change{}
		for i := range n {
			c.History = append(c.History, told("a", Stamp(i+1)))
		}
		if err := b.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		all, err := events(t, b)
		if err != nil || len(all) > maxEvents || all[len(all)-1] != c.History[n-1] {
			t.Errorf("%d events, the last at %v, %v", len(all), all[len(all)-1].At, err)
		}
	}
	sound(t, db)
}

// A damaged history is told by who reads it; polls go on, and it goes on itself.
func TestDamagedHistoryStopsNoCommit(t *testing.T) {
	bucketOf := func(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket(bucketMailboxes).Bucket(alice.key()) }
	const n = 10
	for name, c := range map[string]struct {
		spoil func(mailbox *bolt.Bucket) error
		left  int
	}{
		"a value is damaged": {func(b *bolt.Bucket) error {
			return b.Bucket(history.bucket()).Put(numberKey(0), []byte("nothing that was sealed"))
		}, n},
		"a value is cut short": {func(b *bolt.Bucket) error {
			return b.Bucket(history.bucket()).Put(numberKey(0), []byte("x"))
		}, n},
		"the last key is damaged": {func(b *bolt.Bucket) error {
			return b.Bucket(history.bucket()).Put(numberKey(1<<64-1), []byte("nothing that was sealed"))
		}, n + 1},
		"keys are none, and too many": {func(b *bolt.Bucket) error {
			h := b.Bucket(history.bucket())
			return errors.Join(putSealed(h, []byte("x"), told("x", 1).append(nil)), putSealed(h, []byte("y"), told("y", 1).append(nil)))
		}, n + 1},
		"there are more than there must be": {func(b *bolt.Bucket) error {
			h := b.Bucket(history.bucket())
			return errors.Join(putSealed(h, numberKey(1e6), told("x", 3500).append(nil)), putSealed(h, numberKey(2e6), told("y", 3500).append(nil)))
		}, n + 3},
		"one is missing": {func(b *bolt.Bucket) error {
			return b.Bucket(history.bucket()).Delete(numberKey(3))
		}, n},
		"all of it is missing": {func(b *bolt.Bucket) error {
			return b.DeleteBucket(history.bucket())
		}, 1},
		"it is no bucket any more": {func(b *bolt.Bucket) error {
			return errors.Join(b.DeleteBucket(history.bucket()), b.Put(history.bucket(), []byte("x")))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := withHistory(t)
			b := boxOf(t, db, alice)
			change := Change{Update: one("a").Update}
			for i := range n {
				change.History = append(change.History, told(fmt.Sprint(i), 3000))
			}
			if err := b.Commit(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if err := db.bolt.Update(func(tx *bolt.Tx) error { return c.spoil(bucketOf(tx)) }); err != nil {
				t.Fatal(err)
			}
			b = boxOf(t, db, alice)
			for _, change := range []Change{
				{Update: one("b").Update, History: []Event{told("new", 4000)}},
				{Poll: &Poll{Begun: 4000}},
			} {
				if err := b.Commit(t.Context(), change); err != nil {
					t.Fatal(err)
				}
			}
			if all, err := b.Records(t.Context()); err != nil || len(all) != 2 {
				t.Errorf("records: %v, %v", all, err)
			}
			all, err := events(t, b)
			if _, ok := errors.AsType[*DamageError](err); !ok || len(all) != c.left || !slices.Contains(all, told("new", 4000)) {
				t.Errorf("%d events, %v", len(all), err)
			}
			report, err := db.Verify(t.Context())
			if err != nil || len(report.Faults) == 0 || report.Faults[0].Where != alice.String() || report.Mailboxes[0].Err == nil {
				t.Errorf("%v, %v", report, err)
			}
			last := told("last", 1e6)
			for _, change := range []Change{{Poll: &Poll{Begun: 1e6}}, {History: []Event{last}}} { // now all others are old
				if err := b.Commit(t.Context(), change); err != nil {
					t.Errorf("forgetting them: %v", err)
				}
			}
			if all, _ := events(t, b); len(all) == 0 || !slices.Contains(all, last) {
				t.Errorf("afterwards %v", all)
			}
		})
	}
}

// S9: a state of version 2 has no bucket for the history, and tallies that say nothing of it.
func TestHistoryBeginsInAnOlderState(t *testing.T) {
	db := withHistory(t)
	b := boxOf(t, db, alice)
	if err := b.Commit(t.Context(), one("a")); err != nil {
		t.Fatal(err)
	}
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		mailbox := tx.Bucket(bucketMailboxes).Bucket(alice.key())
		body, err := getSealed(mailbox, keyTally)
		if err != nil {
			return err
		}
		const without = 9 // octets of an empty set
		return errors.Join(mailbox.DeleteBucket(history.bucket()), putSealed(mailbox, keyTally, bytes.Clone(body[:len(body)-without])))
	})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := events(t, b); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	sound(t, db)
	if err := b.Commit(t.Context(), Change{History: []Event{told("a", 1)}}); err != nil {
		t.Fatal(err)
	}
	if all, err := events(t, b); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	sound(t, db)
}
