package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
	"popsync/internal/term"
	"popsync/uidl"
)

func TestRebound(t *testing.T) {
	for want, r := range map[string]fetch.Rebinding{
		"nothing to do: all known messages are listed under their UIDs":                          {},
		"nothing to do: all known messages are listed under their UIDs; the next fetch brings 3": {Unknown: 3},
		"25 of 25 messages that had gone are known again":                                        {Known: 25, Unknown: 25, Matched: 25},
		"24 of 25 messages that had gone are known again; the next fetch brings the other 2":     {Known: 25, Unknown: 26, Matched: 24},
	} {
		if got := rebound(r, false); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What passes to another process at once stays below what it takes, and goes on.
func TestFittingRecords(t *testing.T) {
	for name, tt := range map[string]struct {
		records, octets, want int
	}{
		"none":              {0, 0, 0},
		"a usual mailbox":   {5000, 40, 5000},
		"more than fit":     {20000, 40, 10736},
		"very long UIDs":    {1000, maxUID, 142},
		"one fits at least": {2, 4 << 20, 1},
	} {
		t.Run(name, func(t *testing.T) {
			records := make([]recordWire, tt.records)
			for i := range records {
				records[i].UID = bytes.Repeat([]byte{'x'}, tt.octets)
			}
			if got := fitting(records); got != tt.want {
				t.Errorf("%d fit, want %d", got, tt.want)
			}
			if text, err := json.Marshal(importQuery{Records: records[:fitting(records)]}); err != nil || tt.octets <= maxUID && len(text) > 4<<20 {
				t.Errorf("%d octets, %v", len(text), err)
			}
		})
	}
}

// R1: what was tried in vain elsewhere is to be fetched here, and nothing is deleted.
func TestImportedOnly(t *testing.T) {
	var records []recordWire
	for state := uidl.Unknown; state <= uidl.Quarantined; state++ {
		records = append(records, recordWire{UID: []byte(stateName(state)), Record: uidl.Record{
			State: state, Size: 7, Header: 9, Shared: true, DeleteSent: true, Deletions: 2, Attempts: 3, Changed: 4, MissingSince: 5, Seen: 6, Told: true,
		}})
	}
	got := importedOnly(records)
	if len(got) != 5 {
		t.Fatalf("%d are imported", len(got))
	}
	for _, w := range got {
		if want := (uidl.Record{State: uidl.Imported, Size: 7, Header: 9, Shared: true}); w.Record != want {
			t.Errorf("%s: %+v", w.UID, w.Record)
		}
	}
}

func TestEveryStateHasItsName(t *testing.T) {
	for state := uidl.Unknown; state <= uidl.Quarantined; state++ {
		if got, ok := stateNamed(stateName(state)); !ok || got != state {
			t.Errorf("%v is called %q", state, stateName(state))
		}
	}
	if _, ok := stateNamed("flagged"); ok {
		t.Error("a state that is none has a name")
	}
}

func TestMailboxName(t *testing.T) {
	for want, m := range map[string]uidl.Mailbox{
		"alice@pop.example.org:995":             {Host: "pop.example.org", Port: 995, User: "alice"},
		"alice@example.org@pop.example.org:110": {Host: "pop.example.org", Port: 110, User: "alice@example.org"},
		"bob@[::1]:995":                         {Host: "::1", Port: 995, User: "bob"},
		"bob@unix:/run/pop":                     {Host: "unix:/run/pop", User: "bob"},
	} {
		if got := mailboxName(m); got != want {
			t.Errorf("%v is called %s, want %s", m, got, want)
		}
	}
}

func TestRemarks(t *testing.T) {
	accounts := map[string]bool{"work": true}
	for want, s := range map[string]summaryWire{
		"":                                      {place: place{Account: "work", Configured: true}},
		"an earlier mailbox":                    {place: place{Account: "work"}},
		"not configured any more":               {place: place{Account: "old"}},
		"damaged":                               {place: place{Account: "work", Configured: true}, Damage: "the checksum is wrong", Missing: 3},
		"2 not listed any more":                 {place: place{Account: "work", Configured: true}, Missing: 2},
		"an earlier mailbox, 1 being delivered": {place: place{Account: "work"}, Intents: 1},
	} {
		if got := s.remarks(accounts).Text; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// C7: lines of a narrow terminal have fewer columns, and no end beyond its edge.
func TestRecordLines(t *testing.T) {
	before := time.Local
	time.Local = time.UTC
	defer func() { time.Local = before }()
	for width, want := range map[int]string{
		0: "state           size  since             not listed since  UID\n" +
			"delivered     1.2 kB  2025-11-26 08:00  2025-11-27 08:00  日本\\x1b, rank 1\n",
		60: "state           size  since             UID\n" +
			"delivered     1.2 kB  2025-11-26 08:00  日本\\x1b, rank 1\n",
		30: "state           size  UID\n" +
			"delivered     1.2 kB  日本\\x1…\n",
	} {
		var b strings.Builder
		s := term.Screen{Writer: &b}
		if width > 0 {
			s.Size = func() (int, int) { return width, 24 }
		}
		l := &recordLines{screen: s, w: bufio.NewWriter(&b)}
		err := l.add(recordWire{UID: []byte("日本\x1b"), Rank: 1, Record: uidl.Record{State: uidl.Delivered, Size: 1234, Changed: 1764144000, MissingSince: 1764230400}})
		if err = errors.Join(err, l.w.Flush()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%d columns: %s", width, diff)
		}
	}
}
