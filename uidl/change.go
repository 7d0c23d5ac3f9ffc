package uidl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// isEmpty reports whether c changes nothing.
func (c Change) isEmpty() bool {
	return c.Poll == nil && len(c.Intend)+len(c.Confirm)+len(c.Abandon)+len(c.Update)+len(c.Forget) == 0
}

// validate says what is wrong with c by itself, whatever is stored.
func (c Change) validate() error {
	seen := make(map[Ref]bool, len(c.Intend))
	for _, in := range c.Intend {
		if err := in.validate(); err != nil {
			return err
		}
		if seen[in.Ref] {
			return fmt.Errorf("two intents for %v", in.Ref)
		}
		seen[in.Ref] = true
	}
	for _, entries := range [][]Entry{c.Confirm, c.Update} {
		for _, e := range entries {
			if err := e.validate(); err != nil {
				return err
			}
		}
	}
	for _, refs := range [][]Ref{c.Abandon, c.Forget} {
		for _, r := range refs {
			if err := r.validate(); err != nil {
				return err
			}
		}
	}
	return nil
}

// String names the message for people.
func (r Ref) String() string {
	if r.Rank == 0 {
		return fmt.Sprintf("UID %q", r.UID)
	}
	return fmt.Sprintf("UID %q, rank %d", r.UID, r.Rank)
}

func (r Ref) validate() error {
	switch {
	case len(r.UID) > maxKey:
		return fmt.Errorf("a UID of %d octets; the most is %d", len(r.UID), maxKey)
	case strings.ContainsRune(r.UID, 0):
		return fmt.Errorf("%v: a NUL in it", r)
	}
	return nil
}

func (e Entry) validate() error {
	if err := e.Ref.validate(); err != nil {
		return err
	}
	switch {
	case e.State > Quarantined:
		return fmt.Errorf("%v: state %d", e.Ref, e.State)
	case e.Size < -1 || e.Seen < 0:
		return fmt.Errorf("%v: size %d", e.Ref, e.Size)
	}
	return nil
}

func (in Intent) validate() error {
	if err := in.Ref.validate(); err != nil {
		return err
	}
	switch {
	case in.Name == "":
		return fmt.Errorf("%v: an intent without a name", in.Ref)
	case len(in.Name)+len(in.Target) > maxKey:
		return fmt.Errorf("%v: the name of its file is too long", in.Ref)
	case in.Size < -1 || in.Staged < 0:
		return fmt.Errorf("%v: size %d, staged %d", in.Ref, in.Size, in.Staged)
	}
	return nil
}

// check says whether c can be applied to what is stored. It writes nothing: a change that is
// refused must not spoil the transaction that it shares with others.
func (b *Box) check(tx *bolt.Tx, c Change) error {
	s, err := b.find(tx)
	if err != nil {
		return b.damaged(err)
	}
	if s == nil {
		// The mailbox is going to be listed with the others.
		_, err := mailboxes(tx)
		return b.damaged(err)
	}
	ends := make(map[Ref]bool, len(c.Confirm)+len(c.Abandon))
	for _, r := range c.ended() {
		ends[r] = true
		if _, err := s.has(keyIntents, r); err != nil {
			return b.damaged(err)
		}
	}
	for _, in := range c.Intend {
		there, err := s.has(keyIntents, in.Ref)
		if err != nil {
			return b.damaged(err)
		}
		if there && !ends[in.Ref] {
			return fmt.Errorf("mailbox %v: %v has an intent already", b.mailbox, in.Ref)
		}
	}
	for _, r := range c.recorded() {
		if _, err := s.has(keyRecords, r); err != nil {
			return b.damaged(err)
		}
	}
	return nil
}

// ended are the messages whose intents end.
func (c Change) ended() []Ref { return append(refs(c.Confirm), c.Abandon...) }

// recorded are the messages whose records change.
func (c Change) recorded() []Ref {
	return append(append(refs(c.Confirm), refs(c.Update)...), c.Forget...)
}

func refs(entries []Entry) []Ref {
	rs := make([]Ref, len(entries))
	for i, e := range entries {
		rs[i] = e.Ref
	}
	return rs
}

// has reports whether something is stored for r, and whole.
func (s *shelf) has(bucket []byte, r Ref) (bool, error) {
	body, err := getSealed(s.bucket.Bucket(bucket), r.key())
	if err != nil {
		return false, fmt.Errorf("%v: %w", r, err)
	}
	return body != nil, nil
}

// apply writes c. Intents end before others begin, so that one may follow another.
func (b *Box) apply(tx *bolt.Tx, c Change) error {
	s, err := b.place(tx)
	if err != nil {
		return err
	}
	intents := sealedBucket{bucket: s.bucket.Bucket(keyIntents), set: &s.tally.intents}
	records := sealedBucket{bucket: s.bucket.Bucket(keyRecords), set: &s.tally.records}
	before := s.tally
	for _, r := range c.ended() {
		if err := intents.remove(r); err != nil {
			return err
		}
	}
	for _, e := range append(append([]Entry(nil), c.Confirm...), c.Update...) {
		if err := records.put(e.Ref, e.Record.append(make([]byte, 0, recordSize))); err != nil {
			return err
		}
	}
	for _, in := range c.Intend {
		if err := intents.put(in.Ref, appendIntent(nil, in, s.tally.next)); err != nil {
			return err
		}
		s.tally.next++
	}
	for _, r := range c.Forget {
		if err := records.remove(r); err != nil {
			return err
		}
	}
	if s.tally != before {
		if err := s.writeTally(); err != nil {
			return err
		}
	}
	return s.writePoll(c.Poll)
}

// recordSize is the capacity that most sealed records fit in.
const recordSize = 32

func (s *shelf) writeTally() error { return putSealed(s.bucket, keyTally, s.tally.encode()) }

func (s *shelf) writePoll(p *Poll) error {
	if p == nil {
		return nil // none in this change
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return putSealed(s.bucket, keyPoll, body)
}

func (s *shelf) writeHead(account string) error {
	body := append(bytes.Clone(s.key), 0)
	return putSealed(s.bucket, keyHead, append(body, account...))
}

// A sealedBucket keeps the set of what is in a bucket up to date.
type sealedBucket struct {
	bucket *bolt.Bucket
	set    *set
}

func (sb sealedBucket) put(r Ref, body []byte) error {
	key := r.key()
	sealed := seal(key, body)
	old := sb.bucket.Get(key)
	if bytes.Equal(old, sealed) {
		return nil
	}
	if old != nil {
		sb.set.remove(sealOf(old))
	}
	sb.set.add(sealOf(sealed))
	return sb.bucket.Put(key, sealed)
}

func (sb sealedBucket) remove(r Ref) error {
	key := r.key()
	old := sb.bucket.Get(key)
	if old == nil {
		return nil
	}
	sb.set.remove(sealOf(old))
	return sb.bucket.Delete(key)
}

// place returns the mailbox under its own key and under its account's name, and makes that so:
// created, taken over or carried over within the transaction.
func (b *Box) place(tx *bolt.Tx) (*shelf, error) {
	s, err := b.find(tx)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return b.create(tx)
	}
	if !bytes.Equal(s.key, b.key) {
		return b.carryOver(tx, s)
	}
	if s.account != b.account {
		return s, s.writeHead(b.account)
	}
	return s, nil
}

func (b *Box) create(tx *bolt.Tx) (*shelf, error) {
	bucket, err := tx.Bucket(bucketMailboxes).CreateBucket(b.key)
	if err != nil {
		return nil, err
	}
	s := &shelf{bucket: bucket, key: b.key, mailbox: b.mailbox, account: b.account}
	for _, name := range [][]byte{keyRecords, keyIntents} {
		if _, err := bucket.CreateBucket(name); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(s.writeHead(b.account), s.writeTally(), s.writePoll(&Poll{})); err != nil {
		return nil, err
	}
	return s, listMailboxes(tx, func(all *set) { all.add(sum(b.key, nil)) })
}

// carryOver moves what old holds to our key. It copies: bbolt's MoveBucket loses what was written
// to the bucket before within the same transaction.
func (b *Box) carryOver(tx *bolt.Tx, old *shelf) (*shelf, error) {
	if err := remove(tx, b.key); err != nil {
		return nil, err
	}
	s, err := b.create(tx)
	if err != nil {
		return nil, err
	}
	for _, name := range [][]byte{keyRecords, keyIntents} {
		to := s.bucket.Bucket(name)
		err := old.each(name, func(key, sealed []byte) error {
			return to.Put(key, bytes.Clone(sealed))
		})
		if err != nil {
			return nil, err
		}
	}
	s.tally = old.tally
	poll, err := old.poll()
	if err != nil {
		return nil, err
	}
	poll.LostPipeline, poll.LoginDelay = 0, 0 // that was another server
	if err := errors.Join(s.writePoll(&poll), s.writeTally()); err != nil {
		return nil, err
	}
	return s, remove(tx, old.key)
}

// remove takes a mailbox away, if it is there.
func remove(tx *bolt.Tx, key []byte) error {
	err := tx.Bucket(bucketMailboxes).DeleteBucket(key)
	if errors.Is(err, berrors.ErrBucketNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return listMailboxes(tx, func(all *set) { all.remove(sum(key, nil)) })
}

// listMailboxes changes the set of all mailboxes.
func listMailboxes(tx *bolt.Tx, change func(*set)) error {
	all, err := mailboxes(tx)
	if err != nil {
		return err
	}
	change(&all)
	return putSealed(tx.Bucket(bucketMeta), keyMailboxes, all.append(nil))
}
