package uidl_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"popsync/uidl"
)

var sizes = []int{20_000, 1_000_000}

// withHistory opens a state that keeps one.
func withHistory(b *testing.B, path string) *uidl.DB {
	b.Helper()
	db, err := uidl.Open(b.Context(), path, uidl.Options{History: 90 * 24 * time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return db
}

// delivered is an event as they are most often.
func delivered(ref uidl.Ref) uidl.Event {
	return uidl.Event{
		At: 1_800_000_000, What: uidl.HistoryDelivered, Ref: ref, Size: 4711,
		MessageID: "<CAF=abcdefghijklmnopqrstuvwxyz0123456789@mail.example.org>",
		Where:     "/home/alice/Maildir/work/new/1800000000.R0123456789abcdefQ1_s01234567I1.host,S=4711",
	}
}

// ofSize makes a state with n records in one mailbox, and a history of as many, 100,000 at most. The
// UIDs are as long as Dovecot's.
func ofSize(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "state.db")
	db := withHistory(b, path)
	defer db.Close()
	records := box(b, db, mailbox)
	for at := 0; at < n; {
		c := uidl.Change{}
		for ; at < n && len(c.Update) < 100_000; at++ {
			e := entry(fmt.Sprintf("%08x%08x", at, 0x5f3759df))
			c.Update = append(c.Update, e)
			c.History = append(c.History, delivered(e.Ref))
		}
		if err := records.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	return path
}

func eachSize(b *testing.B, f func(b *testing.B, path string)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := ofSize(b, n)
			b.ReportAllocs()
			f(b, path)
		})
	}
}

// S7: a million open in under 200 ms.
func BenchmarkOpen(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		for b.Loop() {
			open(b, path).Close()
		}
	})
}

func BenchmarkRecords(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		records := box(b, open(b, path), mailbox)
		for b.Loop() {
			if _, err := records.Records(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A batch of 64 deliveries: the intents of the next, the records of the last and their events.
func BenchmarkCommit(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		records := box(b, withHistory(b, path), mailbox)
		c := uidl.Change{}
		for n := 0; b.Loop(); n++ {
			c.Confirm, c.History = c.Confirm[:0], c.History[:0]
			for _, in := range c.Intend {
				c.Confirm = append(c.Confirm, uidl.Entry{Ref: in.Ref, Record: uidl.Record{State: uidl.Delivered}})
				c.History = append(c.History, delivered(in.Ref))
			}
			c.Intend = c.Intend[:0]
			for i := range 64 {
				ref := uidl.Ref{UID: fmt.Sprintf("%08x%08x", n*64+i, 0xffffffff)}
				c.Intend = append(c.Intend, uidl.Intent{Ref: ref, Target: "maildir:/m", Name: ref.UID})
			}
			if err := records.Commit(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// S7: the only write of a poll without new mail.
func BenchmarkCommitPoll(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		records := box(b, withHistory(b, path), mailbox)
		for b.Loop() {
			if err := records.Commit(b.Context(), uidl.Change{Poll: &uidl.Poll{Begun: 1}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What `popsync uidl verify` and the daily copy read.
func BenchmarkVerify(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		db := open(b, path)
		for b.Loop() {
			if report, err := db.Verify(b.Context()); err != nil || len(report.Faults) > 0 {
				b.Fatal(report.Faults, err)
			}
		}
	})
}

func BenchmarkKeepGood(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		db := open(b, path)
		for now := time.Unix(1_800_000_000, 0); b.Loop(); now = now.Add(24 * time.Hour) {
			if kept, err := db.KeepGood(b.Context(), now); err != nil || !kept {
				b.Fatal(kept, err)
			}
		}
	})
}

func BenchmarkCompact(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		db := open(b, path)
		for b.Loop() {
			if _, _, err := db.Compact(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
