package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"slices"

	"popsync/internal/term"
	"popsync/uidl"
)

type logQuery struct {
	Accounts  []string
	UID       *[]byte // nil: any; raw, or as it is shown
	MessageID []byte  // without <>; empty: any
	Since     uidl.Stamp
	Before    uidl.Stamp // 0: no end
}

// A logEntry is one entry of the history, or how a message is known that the history has nothing of.
type logEntry struct {
	Account   string
	At        uidl.Stamp
	What      string
	FromState bool
	UID       []byte
	Rank      uint32
	Size      int64
	MessageID []byte
	Where     []byte
	Note      []byte
}

func logEntryOf(account string, e uidl.Event) logEntry {
	return logEntry{
		Account: account, At: e.At, What: e.What.String(), UID: []byte(e.UID), Rank: e.Rank, Size: e.Size,
		MessageID: []byte(e.MessageID), Where: []byte(e.Where), Note: []byte(e.Note),
	}
}

func logEntryOfRecord(account string, e uidl.Entry) logEntry {
	return logEntry{
		Account: account, At: e.Changed, What: stateName(e.State), FromState: true, UID: []byte(e.UID), Rank: e.Rank, Size: e.Size,
		Note: []byte("its record; the history has nothing of it"),
	}
}

// A logFilter lets through what a query asks for.
type logFilter struct {
	logQuery
	meant map[uidl.Ref]bool // messages with the Message-ID that is asked for, of one account
}

// has says whether e is what is asked for. The history has the Message-ID where a message was
// delivered or refused; what became of it later is told by its UID, until another message has that.
func (f *logFilter) has(e logEntry) bool {
	ref := uidl.Ref{UID: string(e.UID), Rank: e.Rank}
	if len(f.MessageID) > 0 && len(e.MessageID) > 0 {
		f.meant[ref] = bytes.Equal(bytes.Trim(e.MessageID, " <>"), f.MessageID)
	}
	switch {
	case len(f.MessageID) > 0 && !f.meant[ref]:
		return false
	case e.At < f.Since, f.Before != 0 && e.At >= f.Before:
		return false
	case f.UID != nil && !bytes.Equal(e.UID, *f.UID) && term.Escape(string(e.UID)) != string(*f.UID):
		return false
	}
	return true
}

var logOperation = operation[logQuery, logEntry, struct{}]{
	name: "log",
	do: func(ctx context.Context, h *holder, q logQuery, emit func(logEntry) error) (struct{}, error) {
		var logs []iter.Seq2[logEntry, error]
		for _, name := range q.Accounts {
			p, err := h.configured(name)
			if err != nil {
				return struct{}{}, err
			}
			box, err := h.at(ctx, p)
			if err != nil {
				return struct{}{}, err
			}
			logs = append(logs, q.of(ctx, box))
		}
		var failed several
		for e, err := range merged(logs) {
			if err != nil {
				failed = append(failed, err)
			} else if err := emit(e); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, both(failed...)
	},
}

var errEnough = errors.New("nobody wants to know more")

// of is what is asked for of one account, oldest first, and an error at the end.
func (q logQuery) of(ctx context.Context, box openBox) iter.Seq2[logEntry, error] {
	return func(yield func(logEntry, error) bool) {
		found, filter := false, logFilter{q, make(map[uidl.Ref]bool)}
		tell := func(e logEntry) error {
			if !filter.has(e) {
				return nil
			}
			found = true
			if !yield(e, nil) {
				return errEnough
			}
			return nil
		}
		err := box.History(ctx, q.from(), func(e uidl.Event) error { return tell(logEntryOf(box.place.Account, e)) })
		if err == nil && !found && q.UID != nil && len(q.MessageID) == 0 {
			err = box.each(ctx, func(e uidl.Entry) error { return tell(logEntryOfRecord(box.place.Account, e)) })
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(failedLog(err))
		}
	}
}

// failedLog stands behind everything that others have.
func failedLog(err error) (logEntry, error) { return logEntry{At: math.MaxInt64}, err }

// from is where to begin reading: what is asked for by Message-ID may have been delivered earlier.
func (q logQuery) from() uidl.Stamp {
	if len(q.MessageID) > 0 {
		return 0
	}
	return q.Since
}

// merged are several logs as one, by time.
func merged(logs []iter.Seq2[logEntry, error]) iter.Seq2[logEntry, error] {
	return func(yield func(logEntry, error) bool) {
		type head struct {
			next func() (logEntry, error, bool)
			logEntry
			err error
		}
		var heads []*head // by time
		insert := func(h *head) {
			var more bool
			if h.logEntry, h.err, more = h.next(); !more {
				return
			}
			at, _ := slices.BinarySearchFunc(heads, h, func(a, b *head) int {
				return cmp.Or(cmp.Compare(a.At, b.At), -1) // behind those of the same time
			})
			heads = slices.Insert(heads, at, h)
		}
		for _, log := range logs {
			next, stop := iter.Pull2(log)
			defer stop()
			insert(&head{next: next})
		}
		for len(heads) > 0 {
			first := heads[0]
			heads = heads[1:]
			if !yield(first.logEntry, first.err) {
				return
			}
			insert(first)
		}
	}
}
