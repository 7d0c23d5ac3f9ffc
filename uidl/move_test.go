package uidl

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

func TestMoveTakesAll(t *testing.T) {
	db := withHistory(t)
	want := many(30)
	want.Intend = []Intent{{Ref: Ref{UID: "i"}, Name: "1"}}
	if err := boxOf(t, db, alice).Commit(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	before := holdingOf(t, db, alice)
	if err := boxOf(t, db, bob).Commit(t.Context(), Change{Poll: &Poll{Begun: 7}, History: []Event{told("b", 1)}}); err != nil {
		t.Fatal(err)
	}
	n, err := db.Move(t.Context(), alice, bob, "bob")
	if err != nil || n != 30 {
		t.Fatalf("%d, %v", n, err)
	}
	if diff := cmp.Diff(before, holdingOf(t, db, bob)); diff != "" {
		t.Errorf("there is something else (-want +got):\n%s", diff)
	}
	if err := db.Each(t.Context(), alice, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where it was: %v", err)
	}
	sums, err := db.Summaries(t.Context())
	if err != nil || len(sums) != 1 || sums[0].Account != "bob" || sums[0].Mailbox != bob {
		t.Errorf("%v, %v", sums, err)
	}
	sound(t, db)
}

func TestMoveIsRefused(t *testing.T) {
	carol := Mailbox{Host: "h", User: "carol"}
	for name, c := range map[string]struct {
		from, to Mailbox
		account  string
		says     string
	}{
		"from where nothing is":  {carol, bob, "x", "does not exist"},
		"to where something is":  {alice, bob, "x", "has 1 records and 0 intents"},
		"to itself":              {alice, alice, "x", "cannot be moved to itself"},
		"to a name with a NUL":   {alice, Mailbox{Host: "h", User: "\x00"}, "x", "NUL"},
		"to an account with one": {alice, carol, "\x00", "NUL"},
	} {
		t.Run(name, func(t *testing.T) {
			db := withHistory(t)
			for _, m := range []Mailbox{alice, bob} {
				if err := boxOf(t, db, m).Commit(t.Context(), one("a")); err != nil {
					t.Fatal(err)
				}
			}
			want, before := holdings(t, db), transactions(t, db)
			if _, err := db.Move(t.Context(), c.from, c.to, c.account); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want %q", err, c.says)
			}
			if diff := cmp.Diff(want, holdings(t, db)); diff != "" || transactions(t, db) != before {
				t.Errorf("something was written (-want +got):\n%s", diff)
			}
		})
	}
}

// An account on another host, whose records are carried over, is refused by itself.
func TestDamagedMailboxIsNotCarriedOver(t *testing.T) {
	db := filled(t, filepath.Join(t.TempDir(), "state.db"))
	moved := Mailbox{Host: "mail.example.net", Port: 995, User: "alice"}
	b := boxOf(t, db, moved)
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketMailboxes).Bucket(alice.key()).Put(keyPoll, []byte("damaged"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(t.Context(), one("a")); !is[*DamageError](err) {
		t.Errorf("%v", err)
	}
	if err := boxOf(t, db, bob).Commit(t.Context(), one("a")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// The next transaction is none the worse for it.
func TestMoveOfADamagedMailboxIsRefused(t *testing.T) {
	db := filled(t, filepath.Join(t.TempDir(), "state.db"))
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketMailboxes).Bucket(alice.key()).Put(keyPoll, []byte("damaged"))
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Move(t.Context(), alice, Mailbox{Host: "h"}, "x")
	if damage, ok := errors.AsType[*DamageError](err); !ok || *damage.Mailbox != alice {
		t.Errorf("%v", err)
	}
	if err := boxOf(t, db, bob).Commit(t.Context(), one("a")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
