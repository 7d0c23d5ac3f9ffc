package uidl

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

var alice = Mailbox{Host: "pop.example.org", Port: 995, User: "alice"}

func openAt(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func boxOf(t testing.TB, db *DB, m Mailbox) *Box {
	t.Helper()
	b, err := db.Box(t.Context(), m, m.User)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func one(uid string) Change {
	return Change{Update: []Entry{{Ref: Ref{UID: uid}, Record: Record{State: Delivered}}}}
}

// transactions counts those of the state so far.
func transactions(t testing.TB, db *DB) int {
	t.Helper()
	n := 0
	err := db.bolt.View(func(tx *bolt.Tx) error {
		n = tx.ID()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What waits while a transaction runs goes into the next one, all of it.
func TestCommitsShareTransactions(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "state.db"))
	boxes := []*Box{boxOf(t, db, alice), boxOf(t, db, Mailbox{Host: "h", User: "bob"})}
	before := transactions(t, db)
	writer, err := db.bolt.Begin(true) // the committer waits for this one
	if err != nil {
		t.Fatal(err)
	}
	const commits = 100
	var all sync.WaitGroup
	for i := range commits {
		all.Go(func() {
			if err := boxes[i%2].Commit(t.Context(), one(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond) // enough for all to wait; fewer make more transactions
	writer.Rollback()
	all.Wait()
	if n := transactions(t, db) - before; n > commits/4 {
		t.Errorf("%d transactions for %d commits", n, commits)
	}
}

// An empty commit, and one that was refused, cost no transaction (S7).
func TestNothingToCommitWritesNothing(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "state.db"))
	b := boxOf(t, db, alice)
	twice := Change{Intend: []Intent{{Ref: Ref{UID: "a"}, Name: "1"}}}
	if err := b.Commit(t.Context(), twice); err != nil {
		t.Fatal(err)
	}
	before := transactions(t, db)
	if err := b.Commit(t.Context(), Change{}); err != nil {
		t.Error(err)
	}
	if err := b.Commit(t.Context(), twice); err == nil {
		t.Error("a second intent was taken")
	}
	if n := transactions(t, db) - before; n != 0 {
		t.Errorf("%d transactions", n)
	}
}

// S9: an older program leaves a newer state alone.
func TestNewerVersionIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	openAt(t, path).Close()
	b, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Update(func(tx *bolt.Tx) error {
		// What else a newer version keeps is not this one's business.
		return errors.Join(tx.DeleteBucket(bucketMailboxes), putSealed(tx.Bucket(bucketMeta), keyVersion, []byte(strconv.Itoa(Version+1))))
	})
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, Options{})
	if newer, ok := errors.AsType[*VersionError](err); !ok || newer.Version != Version+1 {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Error("the file was written to")
	}
}

// A mailbox whose key was damaged looks like one that never was: everything would come again.
func TestMissingMailboxIsNoticed(t *testing.T) {
	for name, spoil := range map[string]func(all *bolt.Bucket) error{
		"gone": func(all *bolt.Bucket) error { return all.DeleteBucket(alice.key()) },
		"under another key": func(all *bolt.Bucket) error {
			to, err := all.CreateBucket([]byte("pop.example.org\x00995\x00blice"))
			if err != nil {
				return err
			}
			from := all.Bucket(alice.key())
			head, tally := from.Get(keyHead), from.Get(keyTally)
			return errors.Join(to.Put(keyHead, head), to.Put(keyTally, tally), all.DeleteBucket(alice.key()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := openAt(t, filepath.Join(t.TempDir(), "state.db"))
			if err := boxOf(t, db, alice).Commit(t.Context(), one("a")); err != nil {
				t.Fatal(err)
			}
			err := db.bolt.Update(func(tx *bolt.Tx) error { return spoil(tx.Bucket(bucketMailboxes)) })
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Box(t.Context(), alice, "alice")
			if _, ok := errors.AsType[*DamageError](err); !ok {
				t.Errorf("%v", err)
			}
		})
	}
}

// What lies in a record's bucket and is whole by itself may still be of another time or mailbox.
func TestMissingRecordIsNoticed(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "state.db"))
	b := boxOf(t, db, alice)
	for _, uid := range []string{"a", "b"} {
		if err := b.Commit(t.Context(), one(uid)); err != nil {
			t.Fatal(err)
		}
	}
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		there := tx.Bucket(bucketMailboxes).Bucket(alice.key()).Bucket(records.bucket())
		key := Ref{UID: "c"}.key()
		return errors.Join(there.Delete(Ref{UID: "b"}.key()), putSealed(there, key, Record{}.append(nil)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Records(t.Context()); err == nil {
		t.Error("another record was returned in its place")
	}
}

// A panic of bbolt is damage, for the call that met it, and Close does not wait for its locks.
func TestPanicIsDamage(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "state.db"))
	err := db.view(t.Context(), func(*bolt.Tx) error { panic("page 7: unexpected type") })
	if _, ok := errors.AsType[*DamageError](err); !ok {
		t.Errorf("%v", err)
	}
	if err := boxOf(t, db, alice).Commit(t.Context(), one("a")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// S9: an older state is read, and says that it is a newer one with the first change.
func TestOlderVersionIsReadAndUpgraded(t *testing.T) {
	for version := 1; version < Version; version++ {
		t.Run(strconv.Itoa(version), func(t *testing.T) { olderVersionIsReadAndUpgraded(t, version) })
	}
}

func olderVersionIsReadAndUpgraded(t *testing.T, version int) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := openAt(t, path)
	if err := boxOf(t, db, alice).Commit(t.Context(), one("old")); err != nil {
		t.Fatal(err)
	}
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		return putSealed(tx.Bucket(bucketMeta), keyVersion, []byte(strconv.Itoa(version)))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}

	db = openAt(t, path)
	if db.version != version {
		t.Errorf("opening has changed the version to %d", db.version)
	}
	if got, err := boxOf(t, db, alice).Records(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if err := boxOf(t, db, alice).Commit(t.Context(), one("new")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db = openAt(t, path); db.version != Version {
		t.Errorf("version %d after a change, want %d", db.version, Version)
	}
}
