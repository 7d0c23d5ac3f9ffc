package uidl_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"popsync/uidl"
)

var sizes = []int{20_000, 1_000_000}

// ofSize makes a state with n records in one mailbox. The UIDs are as long as Dovecot's.
func ofSize(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "state.db")
	db := open(b, path)
	defer db.Close()
	records := box(b, db, mailbox)
	for at := 0; at < n; {
		c := uidl.Change{}
		for ; at < n && len(c.Update) < 100_000; at++ {
			c.Update = append(c.Update, entry(fmt.Sprintf("%08x%08x", at, 0x5f3759df)))
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

// A batch of 64 deliveries: the intents of the next and the records of the last.
func BenchmarkCommit(b *testing.B) {
	eachSize(b, func(b *testing.B, path string) {
		records := box(b, open(b, path), mailbox)
		c := uidl.Change{}
		for n := 0; b.Loop(); n++ {
			c.Confirm = c.Confirm[:0]
			for _, in := range c.Intend {
				c.Confirm = append(c.Confirm, uidl.Entry{Ref: in.Ref, Record: uidl.Record{State: uidl.Delivered}})
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
		records := box(b, open(b, path), mailbox)
		for b.Loop() {
			if err := records.Commit(b.Context(), uidl.Change{Poll: &uidl.Poll{Begun: 1}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
