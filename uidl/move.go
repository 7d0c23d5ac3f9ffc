package uidl

import (
	"context"
	"fmt"
	"io/fs"

	bolt "go.etcd.io/bbolt"
)

// Move gives all that mailbox from holds to mailbox to, under an account's name: records, intents,
// history and last poll. It says how many records there are.
//
// The mailbox to has neither records nor intents, or is not there; what else it has goes. Of a
// mailbox from that is not there the error wraps [fs.ErrNotExist]. A [Box] of from that somebody
// still has open begins a new mailbox there with its next Commit.
func (db *DB) Move(ctx context.Context, from, to Mailbox, account string) (records int, err error) {
	if err := checkNames(to, account); err != nil {
		return 0, err
	}
	b := &Box{db: db, mailbox: to, account: account, key: to.key()}
	err = db.do(ctx,
		func(tx *bolt.Tx) error { return b.checkMove(tx, from) },
		func(tx *bolt.Tx) error {
			records, err = b.takeAll(tx, from)
			return err
		})
	if err != nil {
		return 0, err
	}
	return records, nil
}

// checkMove says whether all of mailbox from can become ours.
func (b *Box) checkMove(tx *bolt.Tx, from Mailbox) error {
	if from == b.mailbox {
		return fmt.Errorf("mailbox %v: it cannot be moved to itself", from)
	}
	source := &Box{db: b.db, mailbox: from}
	old, err := openShelf(tx, from.key())
	if err != nil {
		return source.damaged(err)
	}
	if old == nil {
		return fmt.Errorf("state %s: mailbox %v: %w", b.db.path, from, fs.ErrNotExist)
	}
	if _, err := old.poll(); err != nil {
		return source.damaged(err)
	}
	own, err := openShelf(tx, b.key)
	if err != nil {
		return b.damaged(err)
	}
	if own != nil && !own.empty() {
		t := own.tally.sets
		return fmt.Errorf("mailbox %v has %d records and %d intents of its own", b.mailbox, t[records].n, t[intents].n)
	}
	_, err = mailboxes(tx)
	return b.damaged(err)
}

// takeAll carries over what mailbox from holds, and says how many records that are.
func (b *Box) takeAll(tx *bolt.Tx, from Mailbox) (int, error) {
	old, err := openShelf(tx, from.key())
	if err != nil {
		return 0, err
	}
	s, err := b.carryOver(tx, old)
	if err != nil {
		return 0, err
	}
	return int(s.tally.sets[records].n), nil
}
