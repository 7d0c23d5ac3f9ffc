package uidl

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"popsync/internal/arena"
)

var (
	keyHead  = []byte("head")
	keyPoll  = []byte("poll")
	keyTally = []byte("tally")
)

// A shelf is the bucket of one mailbox within a transaction.
type shelf struct {
	bucket  *bolt.Bucket
	key     []byte
	mailbox Mailbox
	account string
	tally   tally
}

// openShelf returns the mailbox under key, nil where there is none. Its head and tally are right,
// and its buckets are there.
func openShelf(tx *bolt.Tx, key []byte) (*shelf, error) {
	bucket := tx.Bucket(bucketMailboxes).Bucket(key)
	if bucket == nil {
		return nil, nil
	}
	s := &shelf{bucket: bucket, key: bytes.Clone(key)}
	return s, cmp.Or(s.readHead(), s.readTally(), s.complete())
}

// eachShelf calls f for each mailbox, and finds out whether one is missing. An error of f is
// damage as well.
func (db *DB) eachShelf(tx *bolt.Tx, f func(*shelf) error) error {
	there := set{}
	err := tx.Bucket(bucketMailboxes).ForEachBucket(func(key []byte) error {
		there.add(sum(key, nil))
		s, err := openShelf(tx, key)
		if err != nil {
			return fmt.Errorf("mailbox %q: %w", key, err)
		}
		return f(s)
	})
	want, wantErr := mailboxes(tx)
	switch {
	case err != nil:
		return db.damaged(err)
	case wantErr != nil:
		return db.damaged(wantErr)
	case there != want:
		return db.damaged(fmt.Errorf("%d mailboxes of %d are there, or others", there.n, want.n))
	}
	return nil
}

// mailboxes is the set of the keys of all mailboxes, as written down.
func mailboxes(tx *bolt.Tx) (set, error) {
	body, err := getSealed(tx.Bucket(bucketMeta), keyMailboxes)
	d := decoder{rest: body}
	s := d.set()
	if err = cmp.Or(err, d.end()); err != nil {
		return set{}, fmt.Errorf("the list of mailboxes: %w", err)
	}
	return s, nil
}

func (s *shelf) readHead() error {
	body, err := getSealed(s.bucket, keyHead)
	if err != nil {
		return fmt.Errorf("head: %w", err)
	}
	account, ok := bytes.CutPrefix(body, append(bytes.Clone(s.key), 0))
	if !ok {
		return errors.New("head: it is of another mailbox")
	}
	s.account = string(account)
	if s.mailbox, err = parseMailbox(string(s.key)); err != nil {
		return fmt.Errorf("head: %w", err)
	}
	return nil
}

func (s *shelf) readTally() error {
	body, err := getSealed(s.bucket, keyTally)
	if err != nil {
		return fmt.Errorf("tally: %w", err)
	}
	if s.tally, err = decodeTally(body); err != nil {
		return fmt.Errorf("tally: %w", err)
	}
	return nil
}

// complete finds out whether a bucket is missing, which an empty tally would not tell.
func (s *shelf) complete() error {
	for _, k := range []kind{records, intents} {
		if s.bucket.Bucket(k.bucket()) == nil {
			return fmt.Errorf("the %ss are missing", k)
		}
	}
	return nil
}

// empty reports whether there are neither records nor intents.
func (s *shelf) empty() bool { return s.tally.sets[records].n == 0 && s.tally.sets[intents].n == 0 }

func (s *shelf) poll() (Poll, error) {
	body, err := getSealed(s.bucket, keyPoll)
	if err != nil {
		return Poll{}, fmt.Errorf("last poll: %w", err)
	}
	p, err := decodePoll(body) // of no poll yet there is a zero one: a missing one is damage
	if err != nil {
		return Poll{}, fmt.Errorf("last poll: %w", err)
	}
	if p.Records != s.fingerprint() {
		p.Quiet, p.QuietUntil = "", 0
	}
	return p.Poll, nil
}

// maxPrealloc bounds what is allocated by a number that was only read. The number is sealed, so
// this saves memory from a fault of our own.
const maxPrealloc = 1 << 21

// cancelEvery is the number of values between two looks at the context.
const cancelEvery = 1 << 14

// each calls f for the keys and sealed values of one kind.
func (s *shelf) each(ctx context.Context, k kind, f func(key, sealed []byte) error) error {
	bucket := s.bucket.Bucket(k.bucket())
	if bucket == nil {
		return nil
	}
	n := 0
	return bucket.ForEach(func(key, sealed []byte) error {
		if n++; n%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return f(key, sealed)
	})
}

// all is each for those who need all of them: that one is damaged or missing, or is another, is an
// error. Nil from f says that the value is whole.
func (s *shelf) all(ctx context.Context, k kind, f func(key, sealed []byte) error) error {
	var there set
	err := s.each(ctx, k, func(key, sealed []byte) error {
		if err := f(key, sealed); err != nil {
			return k.at(key, err)
		}
		there.add(sealOf(sealed))
		return nil
	})
	if err != nil {
		return err
	}
	return k.compare(there, s.tally.sets[k])
}

func (s *shelf) records(ctx context.Context) ([]Entry, error) {
	entries := make([]Entry, 0, min(s.tally.sets[records].n, maxPrealloc))
	var uids arena.Strings
	err := s.all(ctx, records, func(key, sealed []byte) error {
		e, err := readRecord(&uids, key, sealed)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

func readRecord(uids *arena.Strings, key, sealed []byte) (Entry, error) {
	body, err := unseal(key, sealed)
	if err != nil {
		return Entry{}, err
	}
	uid, rank, err := splitKey(key)
	if err != nil {
		return Entry{}, err
	}
	rec, err := decodeRecord(body)
	return Entry{Ref: Ref{UID: uids.String(uid), Rank: rank}, Record: rec}, err
}

// intents returns them in the order in which they were recorded.
func (s *shelf) intents(ctx context.Context) ([]Intent, error) {
	type numbered struct {
		Intent
		n uint64
	}
	var found []numbered
	err := s.all(ctx, intents, func(key, sealed []byte) error {
		in, n, err := readIntent(key, sealed)
		found = append(found, numbered{in, n})
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	all := make([]Intent, len(found))
	for i := range found {
		all[i] = found[i].Intent
	}
	return all, nil
}

func readIntent(key, sealed []byte) (Intent, uint64, error) {
	body, err := unseal(key, sealed)
	if err != nil {
		return Intent{}, 0, err
	}
	uid, rank, err := splitKey(key)
	if err != nil {
		return Intent{}, 0, err
	}
	in, n, err := decodeIntent(body)
	in.Ref = Ref{UID: string(uid), Rank: rank}
	return in, n, err
}
