package fetch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

var (
	today  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	before = uidl.At(today.Add(-DefaultRemember - time.Hour))
	lately = uidl.At(today.Add(-time.Hour))
)

func listed(n int32, uid string, size int64) pop3.Message {
	return pop3.Message{Number: n, UID: uid, Size: size}
}

func had(uid string, rank uint32, rec uidl.Record) uidl.Entry {
	return uidl.Entry{Ref: uidl.Ref{UID: uid, Rank: rank}, Record: rec}
}

// plainly is a plan in words: "retrieve 1 a", "delete 2 b/1".
func plainly(p Plan) []string {
	var words []string
	name := func(r uidl.Ref) string {
		if r.Rank == 0 {
			return r.UID
		}
		return fmt.Sprintf("%s/%d", r.UID, r.Rank)
	}
	for _, m := range p.Retrieve {
		words = append(words, fmt.Sprintf("retrieve %d %s", m.Number, name(m.Ref())))
	}
	for _, m := range p.Delete {
		words = append(words, fmt.Sprintf("delete %d %s", m.Number, name(m.Ref())))
	}
	for _, e := range p.Missing {
		words = append(words, "missing "+name(e.Ref))
	}
	for _, e := range p.Back {
		words = append(words, "back "+name(e.Ref))
	}
	for _, r := range p.Forget {
		words = append(words, "forget "+name(r))
	}
	return words
}

func TestPlan(t *testing.T) {
	delivered := uidl.Record{State: uidl.Delivered, Size: 10}
	with := func(change func(*uidl.Record)) uidl.Record {
		rec := delivered
		change(&rec)
		return rec
	}
	deleted := with(func(r *uidl.Record) { r.State, r.Deletions = uidl.Deleted, 1 })
	missing := with(func(r *uidl.Record) { r.MissingSince = lately })
	for _, c := range []struct {
		claim   string // requirement and what is claimed
		listing []pop3.Message
		partial bool // the listing is not complete
		had     []uidl.Entry
		delete  bool // keep: false
		want    []string
	}{
		{claim: "nothing there, nothing to do"},
		{
			claim:   "what is new is retrieved in the server's order",
			listing: []pop3.Message{listed(1, "b", 1), listed(2, "a", 1), listed(3, "c", 1)},
			had:     []uidl.Entry{had("c", 0, delivered)},
			want:    []string{"retrieve 1 b", "retrieve 2 a"},
		},
		{
			claim:   "what was tried and not had is retrieved again",
			listing: []pop3.Message{listed(1, "a", 1)},
			had:     []uidl.Entry{had("a", 0, uidl.Record{State: uidl.Failed, Attempts: 3})},
			want:    []string{"retrieve 1 a"},
		},
		{
			claim:   "R1 keep: true deletes nothing",
			listing: []pop3.Message{listed(1, "a", 10), listed(2, "b", 10)},
			had:     []uidl.Entry{had("a", 0, delivered), had("b", 0, deleted)},
		},
		{
			claim: "R1 keep: false deletes only what popsync delivered itself",
			listing: []pop3.Message{
				listed(1, "delivered", 10), listed(2, "imported", 10), listed(3, "quarantined", 10), listed(4, "seen", 10),
			},
			had: []uidl.Entry{
				had("delivered", 0, delivered), had("imported", 0, uidl.Record{State: uidl.Imported}),
				had("quarantined", 0, uidl.Record{State: uidl.Quarantined}), had("seen", 0, uidl.Record{State: uidl.Seen}),
			},
			delete: true,
			want:   []string{"delete 1 delivered"},
		},
		{
			claim:   "R4 a deletion that the server forgot is asked for again, without a download",
			listing: []pop3.Message{listed(1, "a", 10)},
			had:     []uidl.Entry{had("a", 0, deleted)},
			delete:  true,
			want:    []string{"delete 1 a"},
		},
		{
			claim:   "R4 ... unless it has another size: then it is not the one that was deleted",
			listing: []pop3.Message{listed(1, "a", 11)},
			had:     []uidl.Entry{had("a", 0, deleted)},
			delete:  true,
			want:    []string{"retrieve 1 a"},
		},
		{
			claim:   "W11 ... nor is one whose deletion was sent and not confirmed, where the size is another",
			listing: []pop3.Message{listed(1, "a", 11), listed(2, "b", 10)},
			had: []uidl.Entry{
				had("a", 0, with(func(r *uidl.Record) { r.DeleteSent = true })),
				had("b", 0, with(func(r *uidl.Record) { r.DeleteSent = true })),
			},
			delete: true,
			want:   []string{"retrieve 1 a", "delete 2 b"},
		},
		{
			claim:   "R6 ... three times and not for ever",
			listing: []pop3.Message{listed(1, "a", 10)},
			had:     []uidl.Entry{had("a", 0, with(func(r *uidl.Record) { r.State, r.Deletions = uidl.Deleted, mostDeletions }))},
			delete:  true,
		},
		{
			claim:   "S6 one that popsync deleted is forgotten once it is gone, one that vanished is missed first",
			listing: []pop3.Message{listed(1, "x", 10)},
			had:     []uidl.Entry{had("a", 0, deleted), had("b", 0, delivered), had("x", 0, delivered)},
			want:    []string{"missing b", "forget a"},
		},
		{
			claim: "W11 one whose deletion was sent and whose QUIT was not answered is forgotten once it is gone",
			had:   []uidl.Entry{had("a", 0, with(func(r *uidl.Record) { r.DeleteSent = true }))},
			want:  []string{"forget a"},
		},
		{
			claim: "S6 what is missing for 30 days is forgotten",
			had: []uidl.Entry{
				had("new", 0, missing), had("old", 0, with(func(r *uidl.Record) { r.MissingSince = before })),
			},
			want: []string{"forget old"},
		},
		{
			claim:   "S6 a listing that was cut short proves nothing missing",
			partial: true,
			had:     []uidl.Entry{had("a", 0, deleted), had("b", 0, delivered)},
		},
		{
			claim:   "S6 one that comes back is not retrieved again",
			listing: []pop3.Message{listed(1, "a", 10)},
			had:     []uidl.Entry{had("a", 0, missing)},
			want:    []string{"back a"},
		},
		{
			claim:   "S6 ... unless it has another size now: its UID is used again",
			listing: []pop3.Message{listed(1, "a", 11)},
			had:     []uidl.Entry{had("a", 0, missing)},
			want:    []string{"retrieve 1 a"},
		},
		{
			claim:   "S6 ... and an insane size says nothing",
			listing: []pop3.Message{listed(1, "a", pop3.UnknownSize), listed(2, "b", 0)},
			had:     []uidl.Entry{had("a", 0, missing), had("b", 0, missing)},
			want:    []string{"back a", "back b"},
		},
		{
			claim:   "S6 while it is listed without a break its size is never looked at",
			listing: []pop3.Message{listed(1, "a", 11)},
			had:     []uidl.Entry{had("a", 0, delivered)},
			delete:  true,
			want:    []string{"delete 1 a"},
		},
		{
			claim:   "W14 messages that share a UID are told apart by rank",
			listing: []pop3.Message{listed(1, "same", 10), listed(2, "same", 10), listed(3, "same", 10)},
			had:     []uidl.Entry{had("same", 0, delivered)},
			want:    []string{"retrieve 2 same/1", "retrieve 3 same/2"},
		},
		{
			claim:   "W14 ... and by size, when others of them went",
			listing: []pop3.Message{listed(1, "same", 20), listed(2, "same", 30)},
			had: []uidl.Entry{
				had("same", 0, delivered), had("same", 1, with(func(r *uidl.Record) { r.Size = 20 })),
			},
			want: []string{"retrieve 2 same/2", "missing same"},
		},
		{
			claim:   "W14 one whose UID is not unique is not deleted in a later session",
			listing: []pop3.Message{listed(1, "same", 10), listed(2, "same", 20)},
			had:     []uidl.Entry{had("same", 0, delivered), had("same", 1, with(func(r *uidl.Record) { r.Size = 20 }))},
			delete:  true,
		},
		{
			claim:   "W14 ... nor one whose UID another had",
			listing: []pop3.Message{listed(1, "same", 10)},
			had:     []uidl.Entry{had("same", 0, delivered), had("same", 1, delivered)},
			delete:  true,
			want:    []string{"missing same/1"},
		},
		{
			claim:   "W14 a shared UID that is listed again after its deletion may be another message: retrieved, not deleted unseen",
			listing: []pop3.Message{listed(1, "same", 10), listed(2, "same", 20)},
			had:     []uidl.Entry{had("same", 0, deleted), had("same", 1, with(func(r *uidl.Record) { r.State, r.Size, r.Deletions = uidl.Deleted, 20, 1 }))},
			delete:  true,
			want:    []string{"retrieve 1 same", "retrieve 2 same/1"},
		},
		{
			claim:   "R6 ... and not for ever, where the server forgets deletions",
			listing: []pop3.Message{listed(1, "same", 10), listed(2, "same", 10)},
			had: []uidl.Entry{
				had("same", 0, with(func(r *uidl.Record) { r.State, r.Deletions = uidl.Deleted, mostDeletions })),
				had("same", 1, with(func(r *uidl.Record) { r.State, r.Deletions = uidl.Deleted, mostDeletions })),
			},
			delete: true,
		},
		{
			claim:   "W14 an empty UID is one like any other",
			listing: []pop3.Message{listed(1, "", 10), listed(2, "", 20)},
			had:     []uidl.Entry{had("", 0, delivered)},
			want:    []string{"retrieve 2 /1"},
		},
	} {
		t.Run(c.claim, func(t *testing.T) {
			plan := MakePlan(c.listing, !c.partial, c.had, Retention{Delete: c.delete}, today)
			if diff := cmp.Diff(c.want, plainly(plan), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is listed and known, every message is either had or retrieved, under a name of its
// own, and nothing is deleted that was not delivered.
func TestPlanIsSafe(t *testing.T) {
	uid := rapid.SampledFrom([]string{"", "a", "b", "c", "dd"})
	size := rapid.SampledFrom([]int64{pop3.UnknownSize, 0, 10, 20})
	rapid.Check(t, func(t *rapid.T) {
		var listing []pop3.Message
		for n := range rapid.IntRange(0, 8).Draw(t, "messages") {
			listing = append(listing, listed(int32(n+1), uid.Draw(t, "UID"), size.Draw(t, "size")))
		}
		records := make(map[uidl.Ref]uidl.Record)
		for range rapid.IntRange(0, 8).Draw(t, "records") {
			ref := uidl.Ref{UID: uid.Draw(t, "UID"), Rank: rapid.Uint32Range(0, 3).Draw(t, "rank")}
			records[ref] = uidl.Record{
				State: uidl.State(rapid.IntRange(0, 6).Draw(t, "state")), Size: size.Draw(t, "size"),
				MissingSince: rapid.SampledFrom([]uidl.Stamp{0, before, lately}).Draw(t, "missing"),
			}
		}
		var known []uidl.Entry
		for ref, rec := range records {
			known = append(known, uidl.Entry{Ref: ref, Record: rec})
		}
		slices.SortFunc(known, func(a, b uidl.Entry) int {
			if a.UID != b.UID {
				return strings.Compare(a.UID, b.UID)
			}
			return int(a.Rank) - int(b.Rank)
		})
		p := MakePlan(listing, true, known, Retention{Delete: true}, today)

		wanted := make(map[uidl.Ref]bool)
		numbers := make(map[int32]bool)
		for _, m := range p.Retrieve {
			if wanted[m.Ref()] {
				t.Fatalf("two messages are retrieved as %v", m.Ref())
			}
			if rec, ok := records[m.Ref()]; ok && rec.State.Had() && rec.MissingSince.IsZero() && rec.State != uidl.Deleted && !rec.DeleteSent {
				t.Fatalf("%v is retrieved although it was had", m.Ref())
			}
			wanted[m.Ref()], numbers[m.Number] = true, true
		}
		for _, m := range p.Delete {
			if s := records[m.Ref()].State; s != uidl.Delivered && s != uidl.Deleted {
				t.Fatalf("%v is deleted, and its state is %v", m.Ref(), s)
			}
			if numbers[m.Number] || m.Shared {
				t.Fatalf("message %d is deleted unread, or for another one", m.Number)
			}
		}
		hadOnes := 0
		for _, rec := range records {
			if rec.State.Had() {
				hadOnes++
			}
		}
		if skipped := len(listing) - len(p.Retrieve); skipped > hadOnes {
			t.Fatalf("%d messages are skipped, and only %d were had", skipped, hadOnes)
		}
	})
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{20_000, 1_000_000} {
		for name, c := range map[string]struct {
			known   int
			sharing int    // messages of one UID
			step    uint32 // from one UID to the next
		}{
			"kept":         {known: n, sharing: 1, step: 1},
			"new":          {known: 0, sharing: 1, step: 1},
			"one new":      {known: n - 1, sharing: 1, step: 1},
			"in no order":  {known: n, sharing: 1, step: 0x9e3779b1}, // odd: no UID twice
			"shared":       {known: n, sharing: 2, step: 1},
			"all the same": {known: n, sharing: n, step: 1},
		} {
			b.Run(fmt.Sprint(n, " ", name), func(b *testing.B) {
				listing, known := make([]pop3.Message, n), make([]uidl.Entry, n)
				for i := range n {
					uid := fmt.Sprintf("%08x6b060667", uint32(i/c.sharing)*c.step)
					rank := i % c.sharing
					listing[i] = listed(int32(i+1), uid, int64(3000+rank))
					known[i] = had(uid, uint32(rank), uidl.Record{State: uidl.Delivered, Size: listing[i].Size, Shared: c.sharing > 1})
				}
				known = known[:c.known]
				slices.SortStableFunc(known, func(a, b uidl.Entry) int { return strings.Compare(a.UID, b.UID) })
				b.ReportAllocs()
				for b.Loop() {
					if p := MakePlan(listing, true, known, Retention{}, today); len(p.Retrieve) != n-c.known {
						b.Fatalf("%d of %d messages are new", len(p.Retrieve), n)
					}
				}
			})
		}
	}
}
