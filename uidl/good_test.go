package uidl

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var today = time.Date(2026, time.November, 29, 10, 15, 0, 0, time.UTC)

func kept(t testing.TB, db *DB, now time.Time) bool {
	t.Helper()
	kept, err := db.KeepGood(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestGoodCopyIsKeptOnceADay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	for _, c := range []struct {
		name string
		at   time.Duration
		want bool
	}{
		{"the first", 0, true},
		{"at once again", 0, false},
		{"after 23 hours", 23 * time.Hour, false},
		{"after a day", 24 * time.Hour, true},
		{"after the clock was put back", -time.Hour, true},
	} {
		if got := kept(t, db, today.Add(c.at)); got != c.want {
			t.Errorf("%s: kept %v", c.name, got)
		}
	}
	want := holdings(t, db)
	info, err := os.Stat(goodPath(path))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	opensWith(t, goodPath(path), want)
}

// S1: killed, or the power cut, at any step: the state stays, and so does a good copy once there was one.
func TestKeepingAGoodCopySurvivesACrash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	db := filled(t, path)
	kept(t, db, today)
	older := holdings(t, db)
	if err := boxOf(t, db, alice).Commit(t.Context(), one("new")); err != nil {
		t.Fatal(err)
	}
	newer := holdings(t, db)
	n := 0
	var w *watch
	db.disk, w = crashes(t, dir, func(when string, c crash) {
		n++
		t.Run(when, func(t *testing.T) {
			path := c.in(t)
			opensWith(t, path, newer)
			good, err := Open(t.Context(), goodPath(path), Options{})
			if err != nil {
				t.Fatal(err)
			}
			had := len(holdingOf(t, good, alice).Records)
			if had != len(older[0].Records) && had != len(newer[0].Records) {
				t.Errorf("the good copy has %d records", had)
			}
		})
	})
	if !kept(t, db, today.AddDate(0, 0, 1)) || n == 0 {
		t.Errorf("%d steps", n)
	}
	for _, c := range w.cuts() {
		if !bytes.Equal(c["state.db.good"], readFile(t, goodPath(path))) {
			t.Error("a power cut afterwards brings back the old copy")
		}
	}
}

// S3: never replaced by what is not sound.
func TestDamageKeepsTheOlderGoodCopy(t *testing.T) {
	for name, key := range map[string]struct {
		kind kind
		key  []byte
	}{
		"of a record":    {records, Ref{UID: "uid-001950"}.key()},
		"of an intent":   {intents, Ref{UID: "i"}.key()},
		"of the history": {history, numberKey(1)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			db := filled(t, path)
			c := Change{Intend: []Intent{{Ref: Ref{UID: "i"}, Name: "1"}}}
			if err := boxOf(t, db, alice).Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			kept(t, db, today)
			before := readFile(t, goodPath(path))
			spoil(t, db, alice, key.kind, key.key)
			ok, err := db.KeepGood(t.Context(), today.AddDate(0, 0, 2))
			if damage, is := errors.AsType[*DamageError](err); !is || ok || damage.Path != path {
				t.Errorf("%v, %v", ok, err)
			}
			if !bytes.Equal(readFile(t, goodPath(path)), before) {
				t.Error("the copy has changed")
			}
			onlyThese(t, filepath.Dir(path), "state.db", "state.db.good", "state.db.lock")
		})
	}
}

// S3: a state that began anew knows nothing; the copy of the one before may be all that is left.
func TestGoodCopyOfAnotherStateIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	kept(t, db, today)
	want, id := holdings(t, db), db.ID()
	db.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, path)
	if !kept(t, db, today.AddDate(0, 0, 2)) {
		t.Error("no copy of the new one was kept")
	}
	opensWith(t, goodPath(path)+"."+id, want)

	if err := os.WriteFile(goodPath(path), []byte("no state"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !kept(t, db, today.AddDate(0, 0, 2)) {
		t.Error("what is no state was left in its place")
	}
	if got := readFile(t, goodPath(path)+".unknown"); string(got) != "no state" {
		t.Errorf("it is now %q", got)
	}
}

// S4.
func TestFullDiskKeepsTheOlderGoodCopy(t *testing.T) {
	dir := mounted(t)
	path := filepath.Join(dir, "state.db")
	db := openAt(t, path)
	if err := boxOf(t, db, alice).Commit(t.Context(), many(300)); err != nil {
		t.Fatal(err)
	}
	kept(t, db, today)
	before := readFile(t, goodPath(path))
	fill(t, filepath.Join(dir, "ballast"))
	if _, err := db.KeepGood(t.Context(), today.AddDate(0, 0, 2)); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v", err)
	}
	if !bytes.Equal(readFile(t, goodPath(path)), before) {
		t.Error("the copy has changed")
	}
	onlyThese(t, dir, "ballast", "state.db", "state.db.good", "state.db.lock")
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// onlyThese checks the names in a folder, which are given in order.
func onlyThese(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("in the folder: %q, want %q", got, want)
	}
}
