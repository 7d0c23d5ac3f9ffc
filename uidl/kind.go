package uidl

import (
	"fmt"

	"popsync/internal/arena"
)

// A kind is one sort of what a mailbox has many of. Each kind has a bucket of sealed values.
type kind int

const (
	records kind = iota
	intents
	history // its bucket may be missing
)

var kinds = [...]kind{records, intents, history}

var (
	kindBuckets = [...][]byte{records: []byte("records"), intents: []byte("intents"), history: []byte("history")}
	kindNames   = [...]string{records: "record", intents: "intent", history: "event"}
)

func (k kind) bucket() []byte { return kindBuckets[k] }

// String is what one of the kind is called.
func (k kind) String() string { return kindNames[k] }

// at says of a fault which value it concerns.
func (k kind) at(key []byte, err error) error {
	if n, bad := parseNumber(key); k == history && bad == nil {
		return fmt.Errorf("%v %d: %w", k, n, err)
	}
	if uid, rank, bad := splitKey(key); k != history && bad == nil {
		return fmt.Errorf("%v of %v: %w", k, Ref{UID: string(uid), Rank: rank}, err)
	}
	return fmt.Errorf("%v %q: %w", k, key, err)
}

// compare is nil if there is what there must be.
func (k kind) compare(there, want set) error {
	if there == want {
		return nil
	}
	return fmt.Errorf("%d %vs of %d are there, or others", there.n, k, want.n)
}

// whole is nil for a value that a [Change] could have stored.
func (k kind) whole(uids *arena.Strings, key, sealed []byte) error {
	switch k {
	case records:
		e, err := readRecord(uids, key, sealed)
		return firstOf(err, e.validate)
	case intents:
		in, _, err := readIntent(key, sealed)
		return firstOf(err, in.validate)
	default:
		e, err := readEvent(key, sealed)
		return firstOf(err, e.validate)
	}
}

// number is that of a whole intent or event, 0 of a record.
func (k kind) number(key, sealed []byte) (n uint64) {
	switch k {
	case intents:
		_, n, _ = readIntent(key, sealed)
	case history:
		n, _ = parseNumber(key)
	}
	return n
}

// firstOf is err, or else what next finds.
func firstOf(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}
