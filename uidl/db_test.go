package uidl_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"popsync/uidl"
	"popsync/uidl/uidltest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		child(role)
		return
	}
	code := m.Run()
	os.RemoveAll(originals)
	os.Exit(code)
}

// A store is a *uidl.DB in the suite's words.
type store struct{ *uidl.DB }

func (s store) Box(ctx context.Context, m uidl.Mailbox, account string) (uidltest.Box, error) {
	return s.DB.Box(ctx, m, account)
}

func TestContract(t *testing.T) {
	uidltest.Run(t, func(t testing.TB, path string) uidltest.Store {
		db, err := uidl.Open(t.Context(), path, uidl.Options{History: uidltest.Reach})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return store{db}
	})
}

var mailbox = uidl.Mailbox{Host: "pop.example.org", Port: 995, User: "alice"}

func open(t testing.TB, path string) *uidl.DB {
	t.Helper()
	db, err := uidl.Open(t.Context(), path, uidl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func box(t testing.TB, db *uidl.DB, m uidl.Mailbox) *uidl.Box {
	t.Helper()
	b, err := db.Box(t.Context(), m, "work")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entry(uid string) uidl.Entry {
	return uidl.Entry{Ref: uidl.Ref{UID: uid}, Record: uidl.Record{State: uidl.Delivered, Size: 4711, Changed: 1}}
}

// put commits one record.
func put(t testing.TB, b *uidl.Box, uid string) {
	t.Helper()
	if err := b.Commit(t.Context(), uidl.Change{Update: []uidl.Entry{entry(uid)}}); err != nil {
		t.Fatal(err)
	}
}

func TestCreatesFoldersForTheOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "state.db")
	open(t, path)
	for name, want := range map[string]fs.FileMode{dir: 0o700 | fs.ModeDir, filepath.Dir(dir): 0o700 | fs.ModeDir, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

// S1: killed while the state was created.
func TestLeftOverOfACrashIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, box(t, open(t, path), mailbox), "a")
	if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// S7: nothing is written but the poll.
func TestOpeningChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path)
	put(t, box(t, db, mailbox), "a")
	db.Close()
	before, was := read(t, path), stat(t, path)
	db = open(t, path)
	if _, err := box(t, db, mailbox).Records(t.Context()); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if !bytes.Equal(read(t, path), before) || !stat(t, path).ModTime().Equal(was.ModTime()) {
		t.Error("the file was written to")
	}
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(names) != 2 {
		t.Errorf("beside the state and its lock: %q, %v", names, err)
	}
}

func TestClosedStateRefuses(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "state.db"))
	b := box(t, db, mailbox)
	for range 2 {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := b.Commit(t.Context(), uidl.Change{Update: []uidl.Entry{entry("a")}}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
	if _, err := b.Records(t.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Records: %v", err)
	}
}

// S5: a second name for the same state is no second owner.
func TestLinkIsTheSameState(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "state.db"), filepath.Join(dir, "link.db")
	open(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	_, err := uidl.Open(t.Context(), link, uidl.Options{Wait: time.Millisecond})
	if _, ok := errors.AsType[*uidl.HeldError](err); !ok {
		t.Errorf("%v", err)
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	open(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := uidl.Open(ctx, path, uidl.Options{Wait: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func stat(t testing.TB, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// S3: a state that has vanished is told; one that a crash kept from being created is not.
func TestLostStateIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	open := func() *uidl.DB {
		t.Helper()
		db, err := uidl.Open(t.Context(), path, uidl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return db
	}
	if err := os.WriteFile(path+".lock", []byte("4711\n"), 0o600); err != nil { // killed before it was created
		t.Fatal(err)
	}
	if note := open().Note(); note != "" {
		t.Errorf("a first start says %q", note)
	}
	if note := open().Note(); note != "" {
		t.Errorf("a second start says %q", note)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if note := open().Note(); !strings.Contains(note, path) {
		t.Errorf("a lost state is told by %q", note)
	}
	if note := open().Note(); note != "" {
		t.Errorf("once told, it says %q again", note)
	}
	// Damage in between takes nothing away from that.
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := uidl.Open(t.Context(), path, uidl.Options{}); err == nil {
		t.Error("an empty file was opened")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if note := open().Note(); !strings.Contains(note, path) {
		t.Errorf("a lost state that was damaged is told by %q", note)
	}
}

// S3: where there is a good copy, the way back to it is told with the loss.
func TestLostStateNamesTheWayBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path)
	put(t, box(t, db, mailbox), "a")
	if kept, err := db.KeepGood(t.Context(), time.Now()); err != nil || !kept {
		t.Fatal(kept, err)
	}
	db.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	db = open(t, path)
	if note := db.Note(); !strings.Contains(note, "popsync uidl repair") {
		t.Errorf("it says %q", note)
	}
	if entries, err := box(t, db, mailbox).Records(t.Context()); err != nil || len(entries) != 0 {
		t.Errorf("the copy was made the state: %v, %v", entries, err)
	}
}

// S3: damage names the way out, and the good copy if there is one.
func TestDamageNamesTheWayOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path)
	damage := &uidl.DamageError{Path: path, Err: errors.New("no")}
	hint := damage.Hint()
	if !strings.Contains(hint, "popsync uidl verify") || !strings.Contains(hint, "popsync uidl repair") || strings.Contains(hint, ".good") {
		t.Errorf("without a good copy: %q", hint)
	}
	if _, err := db.KeepGood(t.Context(), time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if hint := damage.Hint(); !strings.Contains(hint, path+".good") || !strings.Contains(hint, "2026-11-28") {
		t.Errorf("with a good copy: %q", hint)
	}
}
