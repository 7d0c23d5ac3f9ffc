package uidl

import (
	"bytes"
	"context"
	"errors"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

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
	for _, k := range kinds {
		if _, err := bucket.CreateBucket(k.bucket()); err != nil {
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
	for _, k := range kinds {
		to := s.bucket.Bucket(k.bucket())
		err := old.each(context.Background(), k, func(key, sealed []byte) error {
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
