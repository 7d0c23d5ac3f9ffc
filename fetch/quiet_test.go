package fetch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"popsync/fetch/pop3"
	"popsync/internal/poptest"
	"popsync/uidl"
)

// delivering is what is known after a plan was carried out, all of it.
func delivering(p Plan, known []uidl.Entry) []uidl.Entry {
	records := make(map[uidl.Ref]uidl.Record)
	for _, e := range known {
		records[e.Ref] = e.Record
	}
	for _, m := range p.Retrieve {
		records[m.Ref()] = uidl.Record{State: uidl.Delivered, Size: m.Size, Shared: m.Shared}
	}
	var after []uidl.Entry
	for ref, rec := range records {
		after = append(after, uidl.Entry{Ref: ref, Record: rec})
	}
	slices.SortFunc(after, func(a, b uidl.Entry) int { return strings.Compare(a.UID, b.UID)*10 + int(a.Rank) - int(b.Rank) })
	return after
}

// What is called quiet stays so: the same listing has nothing to be done, up to the time that the
// plan says, whatever sizes LIST gives by then.
func TestQuietPlanLeavesNothing(t *testing.T) {
	uids := []string{"a", "b", "c", "dd", "e", "f"}
	size := rapid.SampledFrom([]int64{pop3.UnknownSize, 10, 20})
	missing := rapid.SampledFrom([]uidl.Stamp{0, 0, 0, before, lately})
	quietOnes := 0
	rapid.Check(t, func(t *rapid.T) {
		var listing []pop3.Message
		var known []uidl.Entry
		for n, uid := range uids {
			if rapid.IntRange(0, 4).Draw(t, "listed") > 0 {
				listing = append(listing, listed(int32(n+1), uid, size.Draw(t, "size")))
			}
			if rapid.Bool().Draw(t, "known") {
				known = append(known, had(uid, 0, uidl.Record{
					State: uidl.State(rapid.IntRange(0, 6).Draw(t, "state")), Size: size.Draw(t, "size"), MissingSince: missing.Draw(t, "missing"),
				}))
			}
		}
		p := MakePlan(listing, true, known, Retention{}, today)
		until, ok := p.Quiet()
		if !ok {
			return
		}
		quietOnes++
		for i := range listing {
			listing[i].Size = size.Draw(t, "other size")
		}
		last := today.AddDate(10, 0, 0)
		if !until.IsZero() {
			last = until.Time().Add(-time.Second)
		}
		for _, now := range []time.Time{today, last} {
			if left := plainly(MakePlan(listing, true, delivering(p, known), Retention{}, now)); len(left) > 0 {
				t.Fatalf("at %v there is left: %q", now, left)
			}
		}
	})
	if quietOnes == 0 {
		t.Error("nothing was quiet")
	}
}

// A readingStore counts how often the records are read.
type readingStore struct {
	store
	reads int
}

func (r *readingStore) Records(ctx context.Context) ([]uidl.Entry, error) {
	r.reads++
	return r.store.Records(ctx)
}

// reads polls, wants n new messages and no failure, and says how often the records were read.
func (w *world) reads(n int) int {
	w.Helper()
	counted := new(readingStore)
	r := w.pollWith(func(s store) store {
		counted.store = s
		return counted
	})
	if r.Err != nil || r.New != n {
		w.Errorf("%d new messages, not %d: %v", r.New, n, r.Err)
	}
	return counted.reads
}

// S7: a mailbox that is as it was is not compared again, and one in which anything has changed is.
func TestQuietMailboxIsNotCompared(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	change := func(c uidl.Change) {
		t.Helper()
		box, err := w.db.Box(t.Context(), w.account.Mailbox(), w.account.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := box.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	want := func(n, reads int, why string) {
		t.Helper()
		if got := w.reads(n); (got > 0) != (reads > 0) {
			t.Errorf("%s: the records are read %d times", why, got)
		}
	}
	w.add(1, 3)
	want(3, 1, "first poll")
	want(0, 0, "nothing has changed")
	w.reopen()
	want(0, 0, "in another process")
	w.add(4, 4)
	want(1, 1, "a new message")
	want(0, 0, "nothing has changed")
	change(uidl.Change{Forget: []uidl.Ref{{UID: "uid-2"}}})
	want(1, 1, "a record is forgotten")
	want(0, 0, "nothing has changed")

	w.box.Remove("uid-1")
	want(0, 1, "a message is gone")
	want(0, 1, "it was recorded as gone")
	want(0, 0, "nothing has changed since")
	w.account.Keep.Remember = time.Hour
	want(0, 1, "it is remembered for another time")
	w.account.Keep = Retention{Delete: true}
	want(0, 1, "deleted from now on")
	if left := len(w.box.UIDs()); left != 0 {
		t.Errorf("%d messages stay on the server", left)
	}
}

// S1, S6: what a crash left is not among the records with which the listing was found quiet.
func TestSettledMessageIsNotQuiet(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.good(3)
	w.good(0)
	w.add(4, 4)
	w.pollWith(func(s store) store { return &onlyIntents{s} })
	w.box.Remove("uid-4")
	w.reopen()
	w.good(0)
	w.good(0)
	if w.records()["uid-4"].MissingSince.IsZero() {
		t.Error("it is gone, and nobody has noticed")
	}
	w.box.Add("uid-4", []byte(letter(4444)))
	w.good(1)
}

// W15: with other UIDs the listing of before is another one.
func TestRebindingEndsQuiet(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.good(3)
	w.good(0)
	w.box.Renumber()
	if _, err := w.poller().Rebind(t.Context(), w.account, Request{}); err != nil {
		t.Fatal(err)
	}
	box, err := w.db.Box(t.Context(), w.account.Mailbox(), w.account.Name)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := box.Poll(t.Context()); err != nil || p.Quiet != "" {
		t.Errorf("quiet as before: %q, %v", p.Quiet, err)
	}
}

// What is left on the server is looked at again each time.
func TestRefusedMessageIsNotQuiet(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 2)
	w.server.Hook("RETR", poptest.WithArg("2", poptest.Send("-ERR not now\r\n")))
	w.bad(Protocol, "not now")
	w.bad(Protocol, "not now")
	w.server.Hook("RETR", nil)
	w.good(1)
	w.account.MaxMessageSize = 10
	w.add(3, 3)
	w.good(0)
	w.good(0)
	w.account.MaxMessageSize = 0
	w.good(1)
	w.wantMail(letters(1, 3))
}

func BenchmarkDigest(b *testing.B) {
	l := pop3.Listing{Count: -1}
	for i := range 20_000 {
		l.Messages = append(l.Messages, listed(int32(i+1), fmt.Sprintf("%08x6b060667", i), pop3.UnknownSize))
	}
	b.ReportAllocs()
	for b.Loop() {
		if digest(l, Retention{}) == "" {
			b.Fatal("there is none")
		}
	}
}
