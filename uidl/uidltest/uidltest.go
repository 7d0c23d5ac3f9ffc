// Package uidltest is the contract of a UIDL database, as a suite that every engine passes.
package uidltest

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"popsync/uidl"
)

// A Store is a UIDL database.
type Store interface {
	Box(ctx context.Context, m uidl.Mailbox, account string) (Box, error)
	IntentNames(ctx context.Context) (map[string]bool, error)
	ID() string
	Close() error
}

// A Box is one mailbox of a Store.
type Box interface {
	Note() string
	Records(ctx context.Context) ([]uidl.Entry, error)
	Intents(ctx context.Context) ([]uidl.Intent, error)
	Poll(ctx context.Context) (uidl.Poll, error)
	History(ctx context.Context, since uidl.Stamp, yield func(uidl.Event) error) error
	Commit(ctx context.Context, c uidl.Change) error
}

// Reach is how long the history of a store under test reaches back.
const Reach = 90 * 24 * time.Hour

// An Opener opens the store at path, a new one where there is none.
type Opener func(t testing.TB, path string) Store

// Run tests an engine.
func Run(t *testing.T, open Opener) {
	for name, claim := range map[string]func(*testing.T, Opener){
		"NewMailboxIsEmpty":                      newMailboxIsEmpty,
		"CommittedOutlivesClose":                 committedOutlivesClose,
		"RecordsComeSorted":                      recordsComeSorted,
		"IntentsComeAsRecorded":                  intentsComeAsRecorded,
		"SecondIntentIsRefused":                  secondIntentIsRefused,
		"IntentFollowsTheOneThatEnds":            intentFollowsTheOneThatEnds,
		"BadChangeIsRefusedWhole":                badChangeIsRefusedWhole,
		"BadChangeFailsAlone":                    badChangeFailsAlone,
		"EventsComeAsCommitted":                  eventsComeAsCommitted,
		"EventsAreYieldedWhileOthersCommit":      eventsAreYieldedWhileOthersCommit,
		"YieldEndsTheReading":                    yieldEndsTheReading,
		"LongTextsOfEventsAreCut":                longTextsOfEventsAreCut,
		"OldEventsGoWithAPoll":                   oldEventsGoWithAPoll,
		"IntentNamesSpanMailboxes":               intentNamesSpanMailboxes,
		"EndedContextBeginsNothing":              endedContextBeginsNothing,
		"IDStays":                                idStays,
		"RenamedAccountKeepsRecords":             renamedAccountKeepsRecords,
		"MovedHostCarriesOver":                   movedHostCarriesOver,
		"MovedHostWritesNothingBeforeCommit":     movedHostWritesNothingBeforeCommit,
		"MovedHostLeavesAnotherAccountsAlone":    movedHostLeavesAnotherAccountsAlone,
		"AnotherUserIsANewMailbox":               anotherUserIsANewMailbox,
		"MailboxesWithSimilarNamesStayApart":     similarNamesStayApart,
		"CarriedOverAfterAnEmptyMailboxWasThere": carriedOverIntoEmpty,
		"AnyChangesMatchTheModel":                anyChangesMatchTheModel,
	} {
		t.Run(name, func(t *testing.T) { claim(t, open) })
	}
}

var (
	alice = uidl.Mailbox{Host: "pop.example.org", Port: 995, User: "alice"}
	moved = uidl.Mailbox{Host: "mail.example.net", Port: 995, User: "alice"}
	bob   = uidl.Mailbox{Host: "pop.example.org", Port: 995, User: "bob"}
)

func path(t testing.TB) string { return filepath.Join(t.TempDir(), "state.db") }

// opened opens a store for one test.
func opened(t *testing.T, open Opener) Store {
	t.Helper()
	s := open(t, path(t))
	t.Cleanup(func() { closed(t, s) })
	return s
}

func closed(t testing.TB, s Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func box(t testing.TB, s Store, m uidl.Mailbox, account string) Box {
	t.Helper()
	b, err := s.Box(t.Context(), m, account)
	if err != nil {
		t.Fatalf("Box: %v", err)
	}
	return b
}

func commit(t testing.TB, b Box, c uidl.Change) {
	t.Helper()
	if err := b.Commit(t.Context(), c); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func refused(t testing.TB, b Box, c uidl.Change) {
	t.Helper()
	if err := b.Commit(t.Context(), c); err == nil {
		t.Fatalf("Commit took %+v", c)
	}
}

// A content is all that a mailbox holds.
type content struct {
	Records []uidl.Entry
	Intents []uidl.Intent
	Poll    uidl.Poll
	History []uidl.Event
}

func contentOf(t testing.TB, b Box) content {
	t.Helper()
	records, err := b.Records(t.Context())
	if err != nil {
		t.Fatalf("Records: %v", err)
	}
	intents, err := b.Intents(t.Context())
	if err != nil {
		t.Fatalf("Intents: %v", err)
	}
	poll, err := b.Poll(t.Context())
	if err != nil {
		t.Fatalf("Poll: %v", err)
	}
	return content{records, intents, poll, eventsSince(t, b, math.MinInt64)}
}

func eventsSince(t testing.TB, b Box, since uidl.Stamp) (events []uidl.Event) {
	t.Helper()
	err := b.History(t.Context(), since, func(e uidl.Event) error {
		events = append(events, e)
		return nil
	})
	if err != nil {
		t.Fatalf("History: %v", err)
	}
	return events
}

func holds(t testing.TB, b Box, want content) {
	t.Helper()
	if diff := cmp.Diff(want, contentOf(t, b), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("the mailbox differs (-want +got):\n%s", diff)
	}
}

func entry(uid string) uidl.Entry {
	return uidl.Entry{Ref: uidl.Ref{UID: uid}, Record: uidl.Record{State: uidl.Delivered, Size: 4711, Changed: 1}}
}

func intent(uid, name string) uidl.Intent {
	return uidl.Intent{Ref: uidl.Ref{UID: uid}, Size: -1, Staged: 9, Target: "maildir:/m", Name: name, At: 1}
}

func event(uid string, at uidl.Stamp) uidl.Event {
	return uidl.Event{At: at, What: uidl.HistoryDelivered, Ref: uidl.Ref{UID: uid}, Size: 4711, Where: "maildir:/m"}
}

func newMailboxIsEmpty(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	holds(t, b, content{})
	if b.Note() != "" {
		t.Errorf("note %q", b.Note())
	}
}

func committedOutlivesClose(t *testing.T, open Opener) {
	at := path(t)
	s := open(t, at)
	want := content{
		Records: []uidl.Entry{{
			Ref: uidl.Ref{UID: "\xff %1", Rank: 7},
			Record: uidl.Record{
				State: uidl.Failed, Attempts: 65535, Deletions: 255, DeleteSent: true, Told: true,
				Size: 1 << 40, Changed: 1 << 33, MissingSince: -1,
			},
		}},
		Intents: []uidl.Intent{intent("b", "1.a")},
		Poll:    uidl.Poll{Begun: 5, Failures: 2, Message: "server says \"no\" \x1b", Listed: true, LoginDelay: 300},
		History: []uidl.Event{{
			At: 5, What: uidl.HistoryRefused, Ref: uidl.Ref{UID: "\xff %1", Rank: 1<<32 - 1}, Size: -1,
			MessageID: "<\xff@example.org>", Where: "mda", Note: "it said:\n\x1b no",
		}},
	}
	commit(t, box(t, s, alice, "work"), uidl.Change{
		Update: want.Records, Intend: want.Intents, Poll: &want.Poll, History: want.History,
	})
	closed(t, s)
	s = open(t, at)
	defer closed(t, s)
	holds(t, box(t, s, alice, "work"), want)
}

func recordsComeSorted(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	ranked := func(uid string, rank uint32) uidl.Entry {
		e := entry(uid)
		e.Rank = rank
		return e
	}
	want := []uidl.Entry{
		entry(""), ranked("", 300), entry("\x01"), entry("a"), ranked("a", 1), ranked("a", 256),
		entry("a\x01"), entry("aa"), entry("b"), entry("\xff"),
	}
	c := uidl.Change{}
	for i := range want {
		c.Update = append(c.Update, want[(i*7+3)%len(want)])
	}
	commit(t, b, c)
	holds(t, b, content{Records: want})
}

func intentsComeAsRecorded(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	commit(t, b, uidl.Change{Intend: []uidl.Intent{intent("z", "1"), intent("a", "2")}})
	commit(t, b, uidl.Change{Intend: []uidl.Intent{intent("m", "3")}, Confirm: []uidl.Entry{entry("z")}})
	commit(t, b, uidl.Change{Intend: []uidl.Intent{intent("b", "4")}})
	holds(t, b, content{
		Records: []uidl.Entry{entry("z")},
		Intents: []uidl.Intent{intent("a", "2"), intent("m", "3"), intent("b", "4")},
	})
}

func secondIntentIsRefused(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	refused(t, b, uidl.Change{Intend: []uidl.Intent{intent("a", "1"), intent("a", "2")}})
	commit(t, b, uidl.Change{Intend: []uidl.Intent{intent("a", "1")}})
	refused(t, b, uidl.Change{Intend: []uidl.Intent{intent("a", "2")}, Update: []uidl.Entry{entry("x")}})
	holds(t, b, content{Intents: []uidl.Intent{intent("a", "1")}})
}

func intentFollowsTheOneThatEnds(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	commit(t, b, uidl.Change{Intend: []uidl.Intent{intent("a", "1")}})
	commit(t, b, uidl.Change{Intend: []uidl.Intent{intent("a", "2")}, Abandon: []uidl.Ref{{UID: "a"}}})
	holds(t, b, content{Intents: []uidl.Intent{intent("a", "2")}})
}

func badChangeIsRefusedWhole(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	state, size, long := entry("a"), entry("a"), strings.Repeat("u", 16<<10+1)
	state.State, size.Size = 200, -2
	what, octets := event("a", 1), event("a", 1)
	what.What, octets.Size = 0, -2
	for name, c := range map[string]uidl.Change{
		"a NUL in a UID":             {Update: []uidl.Entry{entry("a\x00b")}},
		"a UID over 16 KiB":          {Update: []uidl.Entry{entry(long)}},
		"an unknown state":           {Confirm: []uidl.Entry{state}},
		"a size below -1":            {Update: []uidl.Entry{size}},
		"an intent with no name":     {Intend: []uidl.Intent{intent("a", "")}},
		"a NUL in what is given up":  {Abandon: []uidl.Ref{{UID: "\x00"}}},
		"a NUL in what is forgotten": {Forget: []uidl.Ref{{UID: "\x00"}}},
		"an unknown event":           {History: []uidl.Event{what}},
		"an event's size below -1":   {History: []uidl.Event{octets}},
		"a NUL in an event's UID":    {History: []uidl.Event{event("\x00", 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Poll = &uidl.Poll{Begun: 1}
			refused(t, b, c)
		})
	}
	holds(t, b, content{})
	commit(t, b, uidl.Change{Update: []uidl.Entry{entry(long[1:])}})
	holds(t, b, content{Records: []uidl.Entry{entry(long[1:])}})
}

func badChangeFailsAlone(t *testing.T, open Opener) {
	s := opened(t, open)
	bad, good := box(t, s, alice, "work"), box(t, s, bob, "bob")
	commit(t, bad, uidl.Change{Intend: []uidl.Intent{intent("a", "1")}})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := bad.Commit(t.Context(), uidl.Change{Intend: []uidl.Intent{intent("a", "2")}}); err == nil {
				t.Error("a second intent was taken")
			}
		})
		all.Go(func() {
			if err := good.Commit(t.Context(), uidl.Change{Update: []uidl.Entry{entry("x")}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	holds(t, good, content{Records: []uidl.Entry{entry("x")}})
}

// O4. The clock may go back; what was committed later stands behind nevertheless.
func eventsComeAsCommitted(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	want := []uidl.Event{event("z", 300), event("a", 200), event("a", 100), event("m", 400)}
	commit(t, b, uidl.Change{History: want[:2]})
	commit(t, b, uidl.Change{History: want[2:3], Intend: []uidl.Intent{intent("a", "1")}})
	commit(t, b, uidl.Change{History: want[3:]})
	if diff := cmp.Diff(want, eventsSince(t, b, 0)); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uidl.Event{want[0], want[3]}, eventsSince(t, b, 300)); diff != "" {
		t.Errorf("since 300 (-want +got):\n%s", diff)
	}
}

// A reader that takes its time holds up nobody, and sees what there was when he began.
func eventsAreYieldedWhileOthersCommit(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	const n = 2500
	c := uidl.Change{}
	for i := range n {
		c.History = append(c.History, event("a", uidl.Stamp(i+1)))
	}
	commit(t, b, c)
	next := uidl.Stamp(1)
	err := b.History(t.Context(), 0, func(e uidl.Event) error {
		if e.At != next {
			t.Fatalf("event %d comes in the place of event %d", e.At, next)
		}
		if next++; next%500 == 0 {
			commit(t, b, uidl.Change{Update: []uidl.Entry{entry("a")}})
		}
		return nil
	})
	if err != nil || next != n+1 {
		t.Errorf("%d events, %v", next-1, err)
	}
}

func yieldEndsTheReading(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	commit(t, b, uidl.Change{History: []uidl.Event{event("a", 1), event("b", 2)}})
	enough, n := errors.New("enough"), 0
	err := b.History(t.Context(), 0, func(uidl.Event) error {
		n++
		return enough
	})
	if err != enough || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}

func longTextsOfEventsAreCut(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	long := strings.Repeat("x", 64<<10)
	e := event("a", 1)
	e.MessageID, e.Where, e.Note = long, long, long
	commit(t, b, uidl.Change{History: []uidl.Event{e}})
	e.MessageID, e.Where, e.Note = long[:512], long[:8<<10], long[:512]
	holds(t, b, content{History: []uidl.Event{e}})
}

func oldEventsGoWithAPoll(t *testing.T, open Opener) {
	const now = uidl.Stamp(1_800_000_000)
	reach := uidl.Stamp(Reach / time.Second)
	for name, c := range map[string]struct {
		at   uidl.Stamp
		poll *uidl.Poll
		gone bool
	}{
		"one second too old":               {now - reach - 1, &uidl.Poll{Begun: now}, true},
		"just young enough":                {now - reach, &uidl.Poll{Begun: now}, false},
		"too old, and the poll has ended":  {now - reach, &uidl.Poll{Begun: now, Ended: now + 1}, true},
		"too old, and no poll":             {1, nil, false},
		"too old, and a poll of no time":   {1, &uidl.Poll{Failures: 1}, false},
		"of the future":                    {now + 1, &uidl.Poll{Begun: now}, false},
		"of no time":                       {0, &uidl.Poll{Begun: now}, true},
		"of before all time, at some time": {math.MinInt64, &uidl.Poll{Begun: now}, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := box(t, opened(t, open), alice, "work")
			ahead, fresh := event("ahead", now+1e9), event("fresh", now)
			commit(t, b, uidl.Change{History: []uidl.Event{ahead, event("a", c.at), fresh}})
			commit(t, b, uidl.Change{Poll: c.poll, Update: []uidl.Entry{entry("a")}})
			want := []uidl.Event{ahead, event("a", c.at), fresh}
			if c.gone {
				want = []uidl.Event{ahead, fresh}
			}
			if diff := cmp.Diff(want, eventsSince(t, b, math.MinInt64)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func intentNamesSpanMailboxes(t *testing.T, open Opener) {
	s := opened(t, open)
	commit(t, box(t, s, alice, "work"), uidl.Change{Intend: []uidl.Intent{intent("a", "1"), intent("b", "2")}})
	commit(t, box(t, s, bob, "bob"), uidl.Change{Intend: []uidl.Intent{intent("a", "3")}})
	commit(t, box(t, s, alice, "work"), uidl.Change{Confirm: []uidl.Entry{entry("b")}})
	names, err := s.IntentNames(t.Context())
	if diff := cmp.Diff(map[string]bool{"1": true, "3": true}, names); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func endedContextBeginsNothing(t *testing.T, open Opener) {
	b := box(t, opened(t, open), alice, "work")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Commit(ctx, uidl.Change{Update: []uidl.Entry{entry("a")}}); err != context.Canceled {
		t.Errorf("Commit: %v", err)
	}
	if _, err := b.Records(ctx); err != context.Canceled {
		t.Errorf("Records: %v", err)
	}
	holds(t, b, content{})
}

func idStays(t *testing.T, open Opener) {
	at := path(t)
	s := open(t, at)
	id := s.ID()
	closed(t, s)
	s = open(t, at)
	defer closed(t, s)
	if s.ID() != id || len(id) != 8 || strings.Trim(id, "0123456789abcdef") != "" {
		t.Errorf("%q, then %q", id, s.ID())
	}
}

// S8: renamed accounts.
func renamedAccountKeepsRecords(t *testing.T, open Opener) {
	s := opened(t, open)
	commit(t, box(t, s, alice, "work"), uidl.Change{Update: []uidl.Entry{entry("a")}})
	b := box(t, s, alice, "office")
	holds(t, b, content{Records: []uidl.Entry{entry("a")}})
	if b.Note() != "" {
		t.Errorf("note %q", b.Note())
	}
	commit(t, b, uidl.Change{Update: []uidl.Entry{entry("b")}})
	// "office" it is now: on another host the records follow that name, not the old one.
	holds(t, box(t, s, moved, "work"), content{})
	holds(t, box(t, s, moved, "office"), content{Records: []uidl.Entry{entry("a"), entry("b")}})
}

// S8: changed hosts.
func movedHostCarriesOver(t *testing.T, open Opener) {
	at := path(t)
	s := open(t, at)
	want := content{
		Records: []uidl.Entry{entry("a"), entry("b")},
		Intents: []uidl.Intent{intent("z", "1"), intent("c", "2")},
		Poll:    uidl.Poll{Begun: 3, Listed: true},
		History: []uidl.Event{event("a", 1), event("b", 2)},
	}
	commit(t, box(t, s, alice, "work"), uidl.Change{
		Update: want.Records, Intend: want.Intents, Poll: &want.Poll, History: want.History,
	})
	b := box(t, s, moved, "work")
	if !strings.Contains(b.Note(), moved.String()) || !strings.Contains(b.Note(), alice.String()) {
		t.Errorf("note %q", b.Note())
	}
	holds(t, b, want)
	want.Poll.Begun = 4
	commit(t, b, uidl.Change{Poll: &want.Poll})
	holds(t, b, want)
	closed(t, s)

	s = open(t, at)
	defer closed(t, s)
	b = box(t, s, moved, "work")
	holds(t, b, want)
	if b.Note() != "" {
		t.Errorf("told again: %q", b.Note())
	}
	holds(t, box(t, s, alice, "other"), content{})
}

func movedHostWritesNothingBeforeCommit(t *testing.T, open Opener) {
	s := opened(t, open)
	commit(t, box(t, s, alice, "work"), uidl.Change{Update: []uidl.Entry{entry("a")}})
	box(t, s, moved, "work")
	commit(t, box(t, s, moved, "work"), uidl.Change{})
	holds(t, box(t, s, alice, "work"), content{Records: []uidl.Entry{entry("a")}})
}

func movedHostLeavesAnotherAccountsAlone(t *testing.T, open Opener) {
	s := opened(t, open)
	commit(t, box(t, s, alice, "work"), uidl.Change{Update: []uidl.Entry{entry("a")}})
	kept := box(t, s, alice, "old") // "work" has got another host, and "old" its former one
	b := box(t, s, moved, "work")
	holds(t, b, content{})
	commit(t, b, uidl.Change{Update: []uidl.Entry{entry("b")}})
	holds(t, kept, content{Records: []uidl.Entry{entry("a")}})
}

// S8: changed users.
func anotherUserIsANewMailbox(t *testing.T, open Opener) {
	s := opened(t, open)
	commit(t, box(t, s, alice, "work"), uidl.Change{Update: []uidl.Entry{entry("a")}})
	b := box(t, s, bob, "work")
	if !strings.Contains(b.Note(), "new mailbox") {
		t.Errorf("note %q", b.Note())
	}
	commit(t, b, uidl.Change{Poll: &uidl.Poll{Begun: 1}})
	holds(t, b, content{Poll: uidl.Poll{Begun: 1}})
	if note := box(t, s, bob, "work").Note(); note != "" {
		t.Errorf("told again: %q", note)
	}
	b = box(t, s, alice, "work")
	holds(t, b, content{Records: []uidl.Entry{entry("a")}})
	if b.Note() != "" {
		t.Errorf("note of the mailbox that was there: %q", b.Note())
	}
}

func similarNamesStayApart(t *testing.T, open Opener) {
	s := opened(t, open)
	mailboxes := []uidl.Mailbox{
		{Host: "h", Port: 1, User: "1u"},
		{Host: "h", Port: 11, User: "u"},
		{Host: "h1", Port: 1, User: "u"},
		{Host: "unix:/p", User: "u"},
		{Host: "unix:/p", User: ""},
		{Host: "h", Port: 1, User: "\xff:\"1u"},
	}
	for _, m := range mailboxes {
		commit(t, box(t, s, m, m.String()), uidl.Change{Update: []uidl.Entry{entry(m.String())}})
	}
	for _, m := range mailboxes {
		holds(t, box(t, s, m, m.String()), content{Records: []uidl.Entry{entry(m.String())}})
	}
	if _, err := s.Box(t.Context(), uidl.Mailbox{Host: "h", User: "a\x00b"}, "work"); err == nil {
		t.Error("a NUL in a user name was taken")
	}
}

func carriedOverIntoEmpty(t *testing.T, open Opener) {
	s := opened(t, open)
	commit(t, box(t, s, moved, "test"), uidl.Change{Poll: &uidl.Poll{Begun: 1, Failures: 1}})
	commit(t, box(t, s, alice, "work"), uidl.Change{Update: []uidl.Entry{entry("a")}})
	b := box(t, s, moved, "work")
	holds(t, b, content{Records: []uidl.Entry{entry("a")}})
	commit(t, b, uidl.Change{Update: []uidl.Entry{entry("b")}})
	holds(t, b, content{Records: []uidl.Entry{entry("a"), entry("b")}})
	holds(t, box(t, s, alice, "another"), content{})
}
