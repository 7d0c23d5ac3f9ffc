package uidl

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummariesCount(t *testing.T) {
	db := withHistory(t)
	if sums, err := db.Summaries(t.Context()); err != nil || len(sums) != 0 {
		t.Errorf("of a new state: %v, %v", sums, err)
	}
	c := many(5)
	c.Update[1].State, c.Update[2].State, c.Update[2].MissingSince = Failed, Deleted, 7
	c.Intend = []Intent{{Ref: Ref{UID: "i"}, Name: "1"}}
	zoe := Mailbox{Host: "h", User: "zoe"}
	for _, m := range []Mailbox{zoe, alice} {
		b, err := db.Box(t.Context(), m, "of "+m.User)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	want := Summary{
		Mailbox: alice, Account: "of alice", Intents: 1, History: 5, Missing: 1, Poll: *c.Poll,
		States: [...]int{Failed: 1, Delivered: 3, Deleted: 1, Quarantined: 0},
	}
	other := want
	other.Mailbox, other.Account = zoe, "of zoe"
	got, err := db.Summaries(t.Context())
	if diff := cmp.Diff([]Summary{want, other}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if n := want.Records(); n != 5 {
		t.Errorf("%d records", n)
	}
}

// A mailbox that is damaged says so, and nothing of the others is missing.
func TestDamagedMailboxHasASummary(t *testing.T) {
	db := filled(t, filepath.Join(t.TempDir(), "state.db"))
	spoil(t, db, alice, records, Ref{UID: "uid-001950"}.key())
	sums, err := db.Summaries(t.Context())
	if err != nil || len(sums) != 2 {
		t.Fatalf("%v, %v", sums, err)
	}
	damage, ok := errors.AsType[*DamageError](sums[0].Err)
	if !ok || *damage.Mailbox != alice || sums[0].Records() != 99 {
		t.Errorf("alice: %v, %d records", sums[0].Err, sums[0].Records())
	}
	if sums[1].Err != nil || sums[1].Records() != 100 {
		t.Errorf("bob: %v, %d records", sums[1].Err, sums[1].Records())
	}
}

// More than a chunk, with commits in between: each record once, in order.
func TestEachYieldsWithoutATransaction(t *testing.T) {
	db := withHistory(t)
	b := boxOf(t, db, alice)
	want := many(2*chunk + 1)
	if err := b.Commit(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := db.Each(t.Context(), alice, func(e Entry) error {
		if diff := cmp.Diff(want.Update[n], e); diff != "" {
			t.Fatalf("record %d (-want +got):\n%s", n, diff)
		}
		if n++; n%500 == 0 {
			return b.Commit(t.Context(), Change{Update: want.Update[:1]})
		}
		return nil
	})
	if err != nil || n != 2*chunk+1 {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestEachTellsDamageAtItsEnd(t *testing.T) {
	db := filled(t, filepath.Join(t.TempDir(), "state.db"))
	spoil(t, db, alice, records, Ref{UID: "uid-001950"}.key())
	n := 0
	err := db.Each(t.Context(), alice, func(Entry) error {
		n++
		return nil
	})
	if damage, ok := errors.AsType[*DamageError](err); !ok || *damage.Mailbox != alice || n != 99 {
		t.Errorf("%d records, %v", n, err)
	}
}

// A mailbox that moves away meanwhile is no end of its records.
func TestEachNoticesThatTheMailboxIsGone(t *testing.T) {
	db := withHistory(t)
	if err := boxOf(t, db, alice).Commit(t.Context(), many(2*chunk)); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := db.Each(t.Context(), alice, func(Entry) error {
		if n++; n == 1 {
			_, err := db.Move(t.Context(), alice, bob, "bob")
			return err
		}
		return nil
	})
	if err == nil || n != chunk {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestEachEndsWithItsYield(t *testing.T) {
	db := filled(t, filepath.Join(t.TempDir(), "state.db"))
	enough := errors.New("enough")
	if err := db.Each(t.Context(), alice, func(Entry) error { return enough }); err != enough {
		t.Errorf("%v", err)
	}
}
