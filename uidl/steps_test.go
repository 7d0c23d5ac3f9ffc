package uidl

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

// A crash is what lies in a folder after one: the content of each file.
type crash map[string][]byte

// A watch sees what a disk does in a folder, and what crashes would leave there.
type watch struct {
	t      *testing.T
	dir    string
	synced map[uint64][]byte // the content of each file when it was last synced, by inode
	names  map[string]uint64 // those of the last sync of the folder
}

// crashes returns a disk that calls check with what a kill, and power cuts, after each of its steps
// would leave of the folder dir.
func crashes(t *testing.T, dir string, check func(when string, c crash)) (disk, *watch) {
	t.Helper()
	w := &watch{t: t, dir: dir, synced: map[uint64][]byte{}}
	now, names := w.look()
	w.names = names
	for name, b := range now {
		w.synced[names[name]] = b
	}
	return disk{after: func(step, path string) {
		now, names := w.look()
		switch step {
		case "sync":
			w.synced[names[filepath.Base(path)]] = now[filepath.Base(path)]
		case "sync the folder of":
			w.names = names
		}
		when := fmt.Sprintf("after %q %s", step, filepath.Base(path))
		check("killed "+when, now)
		for i, c := range w.cuts() {
			check(fmt.Sprintf("power cut %d %s", i, when), c)
		}
	}}, w
}

// look reads the folder as it is.
func (w *watch) look() (c crash, names map[string]uint64) {
	w.t.Helper()
	c, names = crash{}, map[string]uint64{}
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			w.t.Fatal(err)
		}
		c[e.Name()] = readFile(w.t, filepath.Join(w.dir, e.Name()))
		names[e.Name()] = info.Sys().(*syscall.Stat_t).Ino
	}
	return c, names
}

// cuts are what a power cut may leave now: each name that has changed since the last sync of the
// folder is the old one or the new one, and of a file that was never synced nothing is there.
func (w *watch) cuts() (all []crash) {
	w.t.Helper()
	_, names := w.look()
	var changed []string
	for name := range names {
		if w.names[name] != names[name] {
			changed = append(changed, name)
		}
	}
	for name := range w.names {
		if _, there := names[name]; !there {
			changed = append(changed, name)
		}
	}
	for some := range 1 << len(changed) {
		mixed := maps.Clone(w.names)
		for i, name := range changed {
			if inode, there := names[name]; some&(1<<i) == 0 {
				continue
			} else if there {
				mixed[name] = inode
			} else {
				delete(mixed, name)
			}
		}
		c := crash{}
		for name, inode := range mixed {
			c[name] = w.synced[inode]
		}
		all = append(all, c)
	}
	return all
}

// in writes the files to a new folder and returns the state's path.
func (c crash) in(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range c {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "state.db")
}

// filled is a state with records of alice and bob, history, and free pages.
func filled(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, Options{History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, m := range []Mailbox{alice, bob} {
		for _, c := range []Change{many(2000), {Forget: refs(many(1900).Update)}} {
			if err := boxOf(t, db, m).Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	return db
}

var bob = Mailbox{Host: "pop.example.org", Port: 995, User: "bob"}

// many are records, and an event of each.
func many(n int) Change {
	c := Change{Poll: &Poll{Begun: 1, Listed: true}}
	for i := range n {
		ref := Ref{UID: fmt.Sprintf("uid-%06d", i)}
		c.Update = append(c.Update, Entry{Ref: ref, Record: Record{State: Delivered, Size: 4711}})
		c.History = append(c.History, Event{At: Stamp(i + 1), What: HistoryDelivered, Ref: ref})
	}
	return c
}

// A holding is what a mailbox holds.
type holding struct {
	Records []Entry
	Intents []Intent
	Poll    Poll
	History []Event
}

func holdingOf(t testing.TB, db *DB, m Mailbox) (h holding) {
	t.Helper()
	b := boxOf(t, db, m)
	var errs [4]error
	h.Records, errs[0] = b.Records(t.Context())
	h.Intents, errs[1] = b.Intents(t.Context())
	h.Poll, errs[2] = b.Poll(t.Context())
	errs[3] = b.History(t.Context(), 0, func(e Event) error {
		h.History = append(h.History, e)
		return nil
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// holdings are those of alice and bob.
func holdings(t testing.TB, db *DB) [2]holding {
	t.Helper()
	return [2]holding{holdingOf(t, db, alice), holdingOf(t, db, bob)}
}

// opensWith checks that a state opens, is sound and holds what it should.
func opensWith(t *testing.T, path string, want [2]holding) {
	t.Helper()
	db, err := Open(t.Context(), path, Options{History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sound(t, db)
	if diff := cmp.Diff(want, holdings(t, db)); diff != "" {
		t.Errorf("it holds something else (-want +got):\n%s", diff)
	}
}

func sound(t testing.TB, db *DB) {
	t.Helper()
	if report, err := db.Verify(t.Context()); err != nil || len(report.Faults) > 0 {
		t.Errorf("%v, %v", report.Faults, err)
	}
}

// spoil flips a bit of a value that is stored.
func spoil(t testing.TB, db *DB, m Mailbox, k kind, key []byte) {
	t.Helper()
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketMailboxes).Bucket(m.key()).Bucket(k.bucket())
		sealed := bytes.Clone(b.Get(key))
		sealed[0] ^= 1
		return b.Put(key, sealed)
	})
	if err != nil {
		t.Fatal(err)
	}
}
