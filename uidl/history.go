package uidl

import (
	"bytes"
	"context"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// What says what became of a message.
type What uint8

const (
	HistoryDelivered   What = iota + 1 // durably, by us
	HistoryDeleted                     // on the server; QUIT said +OK
	HistoryRefused                     // by a verdict against it; it stays on the server
	HistoryQuarantined                 // set aside after too many refusals
	HistorySeen                        // marked as seen without fetching
	HistoryImported                    // another program's record of it was taken over
	HistoryForgotten                   // its record is gone: listed again, it is a new message
)

var whats = [...]string{
	HistoryDelivered:   "delivered",
	HistoryDeleted:     "deleted",
	HistoryRefused:     "refused",
	HistoryQuarantined: "quarantined",
	HistorySeen:        "seen",
	HistoryImported:    "imported",
	HistoryForgotten:   "forgotten",
}

func (w What) known() bool { return w > 0 && int(w) < len(whats) }

func (w What) String() string {
	if !w.known() {
		return fmt.Sprintf("What(%d)", uint8(w))
	}
	return whats[w]
}

// An Event is one entry of the history: what became of a message, and when.
type Event struct {
	At   Stamp
	What What
	Ref
	Size      int64  // octets as they came over the line, or as LIST gave them; -1: not known
	MessageID string // of the header, raw; at most 512 octets are kept; may be empty
	Where     string // where it was delivered: location and name; at most 8 KiB are kept; may be empty
	Note      string // why, such as a program's verdict; at most 512 octets are kept
}

const (
	maxEvents  = 100_000 // of a mailbox
	forgetMost = 1000    // events that a commit looks at in order to forget them
)

// History yields the events at or after since, in the order in which they were committed. No
// transaction is open while yield runs; its error ends the reading and is returned as it is.
//
// What is damaged is left out; at the end there is a *[DamageError] then.
func (b *Box) History(ctx context.Context, since Stamp, yield func(Event) error) error {
	view := func(f func(*shelf) error) error { return b.view(ctx, f) }
	return inChunks(ctx, view, history, readEvent, func(e Event) error {
		if e.At < since {
			return nil
		}
		return yield(e)
	})
}

func readEvent(key, sealed []byte) (Event, error) {
	body, err := unseal(key, sealed)
	if err != nil {
		return Event{}, err
	}
	if _, err := parseNumber(key); err != nil {
		return Event{}, err
	}
	return decodeEvent(body)
}

// remember appends events to the history. Where there are too many, the oldest go.
func (s *shelf) remember(events []Event) error {
	if len(events) == 0 {
		return nil
	}
	bucket, err := s.historyBucket()
	if err != nil {
		return err
	}
	bucket.FillPercent = 0.9 // nothing is put in between
	all := s.sealed(history)
	for _, e := range events[max(0, len(events)-maxEvents):] {
		if err := all.put(numberKey(s.number()), e.append(nil)); err != nil {
			return err
		}
	}
	tooMany := int(s.tally.sets[history].n) - maxEvents // where they are not there, that is damage
	for _, key := range firstKeys(bucket.Cursor(), tooMany) {
		if err := all.remove(key); err != nil {
			return err
		}
	}
	return nil
}

// firstKeys are the first n keys, or all: to look for the first anew after each removal would pass
// all the pages that have become empty, each time.
func firstKeys(c *bolt.Cursor, n int) (keys [][]byte) {
	for key, _ := c.First(); key != nil && len(keys) < n; key, _ = c.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	return keys
}

// historyBucket returns the bucket of events, a new one where there is none: in a state of an
// older version, or where damage has made something else of it.
func (s *shelf) historyBucket() (*bolt.Bucket, error) {
	if b := s.bucket.Bucket(history.bucket()); b != nil {
		return b, nil
	}
	if err := s.bucket.Delete(history.bucket()); err != nil {
		return nil, err
	}
	return s.bucket.CreateBucket(history.bucket())
}

// forgetEvents removes what is older than keep before now, a bounded number. It looks at the
// oldest until one is young enough; those that seem to be of the future, committed when the clock
// was wrong, hold up nobody. What is damaged stays, for [Verify] to tell.
func (s *shelf) forgetEvents(keep time.Duration, now Stamp) error {
	bucket := s.bucket.Bucket(history.bucket())
	if bucket == nil || now.IsZero() {
		return nil
	}
	all := s.sealed(history)
	for _, key := range oldEvents(bucket.Cursor(), keep, now) {
		if s.tally.sets[history].n == 0 {
			break // damage; there are more than the tally says
		}
		if err := all.remove(key); err != nil {
			return err
		}
	}
	return nil
}

// oldEvents are the keys of what forgetEvents removes.
func oldEvents(c *bolt.Cursor, keep time.Duration, now Stamp) (old [][]byte) {
	key, sealed := c.First()
	for n := 0; key != nil && n < forgetMost; n++ {
		switch e, err := readEvent(key, sealed); {
		case err != nil:
		case keep == 0, e.At < now-Stamp(keep/time.Second):
			old = append(old, bytes.Clone(key))
		case e.At <= now:
			return old
		}
		key, sealed = c.Next()
	}
	return old
}
