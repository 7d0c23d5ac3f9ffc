package uidl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

func TestCompactKeepsAllAndShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	want, id := holdings(t, db), db.ID()
	before, after, err := db.Compact(t.Context())
	if err != nil || after >= before {
		t.Fatalf("%d octets became %d, %v", before, after, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != after || info.Mode() != 0o640 {
		t.Errorf("%d octets, %v, %v; want %d", info.Size(), info.Mode(), err, after)
	}
	if diff := cmp.Diff(want, holdings(t, db)); diff != "" || db.ID() != id {
		t.Errorf("it holds something else (-want +got):\n%s", diff)
	}
	if err := boxOf(t, db, alice).Commit(t.Context(), one("new")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	want = holdings(t, db)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	opensWith(t, path, want)
}

// S1: killed, or the power cut, at any step.
func TestCompactSurvivesACrash(t *testing.T) {
	dir := t.TempDir()
	db := filled(t, filepath.Join(dir, "state.db"))
	want := holdings(t, db)
	n := 0
	var w *watch
	db.disk, w = crashes(t, dir, func(when string, c crash) {
		n++
		t.Run(when, func(t *testing.T) {
			path := c.in(t)
			opensWith(t, path, want)
			if _, err := os.Stat(beside(path)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what was left is still there: %v", err)
			}
		})
	})
	if _, _, err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Error("no step was looked at")
	}
	// What is written from now on is written to the new file.
	for _, c := range w.cuts() {
		if !bytes.Equal(c["state.db"], readFile(t, filepath.Join(dir, "state.db"))) {
			t.Error("a power cut afterwards brings back the old file")
		}
	}
}

// A copy that is not the same is noticed.
func TestSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	for name, change := range map[string]func(b *bolt.Bucket) error{
		"":              func(*bolt.Bucket) error { return nil },
		"a value":       func(b *bolt.Bucket) error { return b.Put(keyPoll, []byte("another")) },
		"a key":         func(b *bolt.Bucket) error { return b.Bucket(records.bucket()).Delete(Ref{UID: "uid-001950"}.key()) },
		"one key more":  func(b *bolt.Bucket) error { return b.Bucket(intents.bucket()).Put([]byte("x"), []byte("y")) },
		"a bucket more": func(b *bolt.Bucket) error { _, err := b.CreateBucket([]byte("x")); return err },
		"a bucket less": func(b *bolt.Bucket) error { return b.DeleteBucket(history.bucket()) },
	} {
		as := filepath.Join(t.TempDir(), "copy.db")
		if err := os.WriteFile(as, readFile(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
		copied := openAt(t, as)
		err := copied.bolt.Update(func(tx *bolt.Tx) error { return change(tx.Bucket(bucketMailboxes).Bucket(bob.key())) })
		if err != nil {
			t.Fatal(err)
		}
		err = copied.view(t.Context(), func(theirs *bolt.Tx) error {
			return db.view(t.Context(), func(ours *bolt.Tx) error {
				if got := same(ours.Cursor(), theirs.Cursor()); got != (name == "") {
					t.Errorf("%q is another: same says %v", name, got)
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The lock is on the new file as it was on the old one: a second name is no second owner.
func TestCompactedFileIsLocked(t *testing.T) {
	dir := t.TempDir()
	db := filled(t, filepath.Join(dir, "state.db"))
	if _, _, err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("state.db", filepath.Join(dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"state.db", "link.db"} {
		_, err := Open(t.Context(), filepath.Join(dir, name), Options{Wait: time.Millisecond})
		if _, ok := errors.AsType[*HeldError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A link stays one, and what it points to is rewritten where it lies.
func TestCompactFollowsALink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	path, real := filepath.Join(dir, "state.db"), filepath.Join(elsewhere, "real.db")
	openAt(t, real).Close()
	if err := os.Symlink(real, path); err != nil {
		t.Fatal(err)
	}
	db := filled(t, path)
	want := holdings(t, db)
	if _, _, err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(path); err != nil || to != real {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	db.Close()
	opensWith(t, real, want)
}

// Calls of others wait; none fails, and nothing that they commit is lost.
func TestOthersWaitForCompact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	committed := make([]int, 2)
	for i, m := range []Mailbox{alice, bob} {
		b := boxOf(t, db, m)
		others.Go(func() {
			for ctx.Err() == nil {
				if err := b.Commit(t.Context(), one(fmt.Sprint("new-", committed[i]))); err != nil {
					t.Error(err)
					return
				}
				committed[i]++
				if _, err := b.Records(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		if _, _, err := db.Compact(t.Context()); err != nil {
			t.Error(err)
		}
	}
	stop()
	others.Wait()
	for i, m := range []Mailbox{alice, bob} {
		n := 0
		for _, e := range holdingOf(t, db, m).Records {
			if strings.HasPrefix(e.UID, "new-") {
				n++
			}
		}
		if n != committed[i] {
			t.Errorf("%v: %d of %d are there", m, n, committed[i])
		}
	}
	sound(t, db)
}

// Nothing is lost of what is damaged either: it may be looked at later.
func TestCompactKeepsDamage(t *testing.T) {
	db := filled(t, filepath.Join(t.TempDir(), "state.db"))
	spoil(t, db, alice, records, Ref{UID: "uid-001950"}.key())
	before, err := db.Verify(t.Context())
	if err != nil || len(before.Faults) != 1 {
		t.Fatalf("%v, %v", before.Faults, err)
	}
	if _, _, err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := db.Verify(t.Context())
	if diff := cmp.Diff(before.Faults, after.Faults); err != nil || diff != "" {
		t.Errorf("%v (-before +after):\n%s", err, diff)
	}
}

// S4: the old file goes on where the new one cannot be written.
func TestCompactOnAFullDiskChangesNothing(t *testing.T) {
	dir := mounted(t)
	path := filepath.Join(dir, "state.db")
	db := openAt(t, path)
	if err := boxOf(t, db, alice).Commit(t.Context(), many(500)); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "ballast"))
	if _, _, err := db.Compact(t.Context()); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v", err)
	}
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(beside(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
	if err := boxOf(t, db, alice).Commit(t.Context(), one("new")); err != nil {
		t.Error(err)
	}
	if n := len(holdingOf(t, db, alice).Records); n != 501 {
		t.Errorf("%d records", n)
	}
}

// After the exchange nobody knows which file a power cut would leave, if the folder cannot be synced.
func TestCompactThatIsNotDurableIsFinal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	path := filepath.Join(dir, "state.db")
	db := filled(t, path)
	db.disk.after = func(step, _ string) {
		if step == "rename to" { // then the folder is not found
			if err := os.Rename(dir, dir+".away"); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, _, err := db.Compact(t.Context())
	if _, ok := errors.AsType[*WriteError](err); !ok {
		t.Fatalf("%v", err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if _, e := db.Box(t.Context(), alice, "alice"); e != err {
		t.Errorf("then Box: %v", e)
	}
	if _, _, e := db.Compact(t.Context()); e != err {
		t.Errorf("then Compact: %v", e)
	}
	if _, e := db.KeepGood(t.Context(), time.Now()); e != err {
		t.Errorf("then KeepGood: %v", e)
	}
}

func TestCompactEndsWithItsContext(t *testing.T) {
	db := filled(t, filepath.Join(t.TempDir(), "state.db"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := db.Compact(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
