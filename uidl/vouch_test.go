package uidl

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// checkedBy opens and closes the state at path, and says when its shape was checked.
func checkedBy(t *testing.T, path string) (Stamp, error) {
	t.Helper()
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return db.checked, nil
}

// agedTo rewrites the lock as if the check had been at another time.
func agedTo(t *testing.T, path string, checked Stamp) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	line := vouch(versionOf(info), checked)
	if line == "" {
		t.Skip("nothing tells here when a file was written to")
	}
	if err := os.WriteFile(path+".lock", []byte("1\n"+line+hadState), 0o600); err != nil {
		t.Fatal(err)
	}
}

// S7, S3: what has been checked, and nobody has written to since, is not checked at each start. Damage
// that somebody writes is found at the next one, and any other within a day.
func TestStateIsNotCheckedTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if _, err := checkedBy(t, path); err != nil {
		t.Fatal(err)
	}
	now := At(time.Now())
	hourAgo := now - 3600
	agedTo(t, path, hourAgo)
	if got, err := checkedBy(t, path); err != nil || got != hourAgo {
		t.Errorf("checked at %d, not %d: %v", got, hourAgo, err)
	}
	if got, err := checkedBy(t, path); err != nil || got != hourAgo { // an owner hands on what he was told
		t.Errorf("checked at %d, not %d: %v", got, hourAgo, err)
	}
	for name, then := range map[string]Stamp{"more than a day ago": now - 86_400 - 60, "of the future": now + 3600} {
		agedTo(t, path, then)
		if got, err := checkedBy(t, path); err != nil || got < now {
			t.Errorf("%s: checked at %d: %v", name, got, err)
		}
	}

	agedTo(t, path, hourAgo)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, path, info.Size()/2)
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got, err := checkedBy(t, path); err == nil && got < now {
		t.Error("somebody has written to it, and it is not checked")
	}
}

// Who has seen that something is wrong, or that somebody else has written to the file, does not vouch for it.
func TestDoubtIsHandedOn(t *testing.T) {
	for name, c := range map[string]func(t *testing.T, db *DB, path string){
		"a fault was found": func(t *testing.T, db *DB, _ string) { _ = db.damaged(errors.New("odd")) },
		"somebody wrote to it": func(t *testing.T, _ *DB, path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			flip(t, path, info.Size()-1)
		},
		"somebody wrote to it, and then we": func(t *testing.T, db *DB, path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			flip(t, path, info.Size()-1)
			b, err := db.Box(t.Context(), alice, "alice")
			if err == nil {
				err = b.Commit(t.Context(), Change{Poll: &Poll{Begun: 1}})
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			db, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			c(t, db, path)
			db.Close()
			lock, err := os.ReadFile(path + ".lock")
			if err != nil || strings.Contains(string(lock), "checked") {
				t.Errorf("the lock says %q, %v", lock, err)
			}
		})
	}
}

// A process that was killed vouches for nothing.
func TestKilledOwnerVouchesForNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	during, err := os.ReadFile(path + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if err := os.WriteFile(path+".lock", during, 0o600); err != nil {
		t.Fatal(err)
	}
	before := At(time.Now())
	if got, err := checkedBy(t, path); err != nil || got < before {
		t.Errorf("checked at %d: %v", got, err)
	}
}

// flip changes an octet of a file.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
