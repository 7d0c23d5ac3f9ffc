package uidl

import (
	"bytes"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// check says whether c can be applied to what is stored. It writes nothing: a change that is
// refused must not spoil the transaction that it shares with others.
func (b *Box) check(tx *bolt.Tx, c Change) error {
	s, err := b.find(tx)
	if err != nil {
		return b.damaged(err)
	}
	if s == nil || !bytes.Equal(s.key, b.key) {
		// The mailbox is going to be listed with the others.
		if _, err := mailboxes(tx); err != nil || s == nil {
			return b.damaged(err)
		}
		if _, err := s.poll(); err != nil { // it is carried over
			return b.damaged(err)
		}
	}
	ends := make(map[Ref]bool, len(c.Confirm)+len(c.Abandon))
	for _, r := range c.ended() {
		ends[r] = true
		if _, err := s.has(intents, r); err != nil {
			return b.damaged(err)
		}
	}
	for _, in := range c.Intend {
		there, err := s.has(intents, in.Ref)
		if err != nil {
			return b.damaged(err)
		}
		if there && !ends[in.Ref] {
			return fmt.Errorf("mailbox %v: %v has an intent already", b.mailbox, in.Ref)
		}
	}
	for _, r := range c.recorded() {
		if _, err := s.has(records, r); err != nil {
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
func (s *shelf) has(k kind, r Ref) (bool, error) {
	body, err := getSealed(s.bucket.Bucket(k.bucket()), r.key())
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
	before := s.tally
	if err := s.change(c); err != nil {
		return err
	}
	if err := s.remember(c.History); err != nil {
		return err
	}
	if c.Poll != nil {
		if err := s.forgetEvents(b.db.keep, max(c.Poll.Begun, c.Poll.Ended)); err != nil {
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

// change writes what c says of intents and records.
func (s *shelf) change(c Change) error {
	open, known := s.sealed(intents), s.sealed(records)
	for _, r := range c.ended() {
		if err := open.remove(r.key()); err != nil {
			return err
		}
	}
	for _, e := range append(append([]Entry(nil), c.Confirm...), c.Update...) {
		if err := known.put(e.Ref.key(), e.Record.append(make([]byte, 0, recordSize))); err != nil {
			return err
		}
	}
	for _, in := range c.Intend {
		if err := open.put(in.Ref.key(), appendIntent(nil, in, s.number())); err != nil {
			return err
		}
	}
	for _, r := range c.Forget {
		if err := known.remove(r.key()); err != nil {
			return err
		}
	}
	return nil
}

// number is the next one of the mailbox's intents and events.
func (s *shelf) number() uint64 {
	n := s.tally.next
	s.tally.next++
	return n
}

// recordSize is the capacity that most sealed records fit in.
const recordSize = 32

func (s *shelf) writeTally() error { return putSealed(s.bucket, keyTally, s.tally.encode()) }

func (s *shelf) writePoll(p *Poll) error {
	if p == nil {
		return nil // none in this change
	}
	body, err := json.Marshal(storedPoll{Poll: *p, Records: s.fingerprint()})
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

func (s *shelf) sealed(k kind) sealedBucket {
	return sealedBucket{bucket: s.bucket.Bucket(k.bucket()), set: &s.tally.sets[k]}
}

func (sb sealedBucket) put(key, body []byte) error {
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

func (sb sealedBucket) remove(key []byte) error {
	old := sb.bucket.Get(key)
	if old == nil {
		return nil
	}
	sb.set.remove(sealOf(old))
	return sb.bucket.Delete(key)
}
