package uidl_test

import (
	"fmt"
	"os"
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

// originals is the folder of the states that benchmarks copy; empty until there is one.
var originals string

// ofSize copies a state with n records in one mailbox, and a history of as many, 100,000 at most. It
// takes seconds to make a large one, so that is done once.
func ofSize(b *testing.B, n int) string {
	b.Helper()
	if originals == "" {
		dir, err := os.MkdirTemp("", "uidl-")
		if err != nil {
			b.Fatal(err)
		}
		originals = dir
	}
	original := filepath.Join(originals, fmt.Sprint(n))
	if _, err := os.Stat(original); err != nil {
		fill(b, filepath.Join(original, "state.db"), n)
	}
	dir := b.TempDir()
	if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "state.db")
	open(b, path).Close() // durable from here on, and checked
	return path
}

// fill makes the state that ofSize copies. The UIDs are as long as Dovecot's.
func fill(b *testing.B, path string, n int) {
	b.Helper()
	db := withHistory(b, path)
	defer db.Close()
	records := box(b, db, mailbox)
	for at := 0; at < n; {
		c := uidl.Change{}
		for ; at < n && len(c.Update) < 100_000; at++ {
			e := entry(fmt.Sprintf("%08x%08x", at, 0x5f3759df))
			c.Update = append(c.Update, e)
			if at < 100_000 {
				c.History = append(c.History, delivered(e.Ref))
			}
		}
		if err := records.Commit(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
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

// S7: a million open in under 200 ms, also where the owner before has not checked the file.
func BenchmarkOpen(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		for b.Loop() {
			open(b, path).Close()
		}
	})
}

func BenchmarkOpenUnchecked(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		for b.Loop() {
			now := time.Now()
			if err := os.Chtimes(path, now, now); err != nil { // as whoever writes changes them
				b.Fatal(err)
			}
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

// The deliveries of a batch: the intents of the next, the records of the last and their events.
func BenchmarkCommitBatch(b *testing.B) { benchmarkCommit(b, 256) }

func BenchmarkCommitOne(b *testing.B) { benchmarkCommit(b, 1) }

func benchmarkCommit(b *testing.B, batch int) {
	eachSize(b, func(b *testing.B, path string) {
		records := box(b, withHistory(b, path), mailbox)
		c := uidl.Change{}
		for n := 0; b.Loop(); n++ {
			b.StopTimer()
			c = following(c, n, batch)
			b.StartTimer()
			if err := records.Commit(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*batch), "µs/message")
	})
}

// following confirms the intents of c and has the nth batch of others.
func following(c uidl.Change, n, batch int) uidl.Change {
	var next uidl.Change
	for _, in := range c.Intend {
		next.Confirm = append(next.Confirm, uidl.Entry{Ref: in.Ref, Record: uidl.Record{State: uidl.Delivered}})
		next.History = append(next.History, delivered(in.Ref))
	}
	for i := range batch {
		ref := uidl.Ref{UID: fmt.Sprintf("%08x%08x", n*batch+i, 0xffffffff)}
		next.Intend = append(next.Intend, uidl.Intent{Ref: ref, Target: "maildir:/m", Name: ref.UID})
	}
	return next
}

// S7: the only write of a poll without new mail.
func BenchmarkCommitPoll(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		records := box(b, withHistory(b, path), mailbox)
		for b.Loop() {
			if err := records.Commit(b.Context(), uidl.Change{Poll: &uidl.Poll{Begun: 1_800_000_001}}); err != nil {
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
