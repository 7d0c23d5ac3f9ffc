package uidl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// A Box is one mailbox of the database, as an account sees it.
type Box struct {
	db      *DB
	mailbox Mailbox
	account string
	key     []byte
	from    []byte // the mailbox whose records the first Commit carries over; nil: none
	note    string
}

// Box returns the mailbox m of an account; it writes nothing. A mailbox that another account had
// is taken over, one that the account had on another host or port is carried over, both by the
// first [Box.Commit]. Until then the records are read from where they are.
//
// The error is a *[DamageError] also where m is not found and damage may be the reason.
func (db *DB) Box(ctx context.Context, m Mailbox, account string) (*Box, error) {
	if err := checkNames(m, account); err != nil {
		return nil, err
	}
	b := &Box{db: db, mailbox: m, account: account, key: m.key()}
	err := db.view(ctx, b.recognize)
	if err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.owners[string(b.key)] = account
	return b, nil
}

func checkNames(m Mailbox, account string) error {
	if strings.ContainsRune(m.Host+m.User+account, 0) {
		return fmt.Errorf("mailbox %v: a NUL in a name", m)
	}
	if len(m.key())+len(account) > maxKey {
		return fmt.Errorf("mailbox of %d octets", len(m.key()))
	}
	return nil
}

// Note is what the user is to be told once, such as that an account has got another mailbox; most
// often it is empty. It comes again with every new Box until a Commit has made it so.
func (b *Box) Note() string { return b.note }

// Records returns all records, sorted by UID and rank.
func (b *Box) Records(ctx context.Context) (entries []Entry, err error) {
	err = b.view(ctx, func(s *shelf) error {
		entries, err = s.records(ctx)
		return err
	})
	return entries, err
}

// Intents returns the intents that are not settled, in the order in which they were recorded.
func (b *Box) Intents(ctx context.Context) (intents []Intent, err error) {
	err = b.view(ctx, func(s *shelf) error {
		intents, err = s.intents(ctx)
		return err
	})
	return intents, err
}

// Poll returns what is remembered of the last polls.
func (b *Box) Poll(ctx context.Context) (p Poll, err error) {
	err = b.view(ctx, func(s *shelf) error {
		p, err = s.poll()
		return err
	})
	return p, err
}

// view runs f on what is stored; for a mailbox that is not stored yet it does not.
func (b *Box) view(ctx context.Context, f func(*shelf) error) error {
	return b.db.view(ctx, func(tx *bolt.Tx) error {
		s, err := b.find(tx)
		if err == nil && s != nil {
			err = f(s)
		}
		return b.damaged(err)
	})
}

// damaged says of a fault in what is stored that it is this mailbox's.
func (b *Box) damaged(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	b.db.doubt.Store(true)
	return &DamageError{Path: b.db.path, Mailbox: &b.mailbox, Err: err}
}

// find returns where the mailbox is stored: under its key, or, until it was carried over, under
// the old one. It is nil where there is none yet.
func (b *Box) find(tx *bolt.Tx) (*shelf, error) {
	own, err := openShelf(tx, b.key)
	if err != nil || b.from == nil || own != nil && !own.empty() {
		return own, err
	}
	old, err := openShelf(tx, b.from)
	if err != nil || old != nil && old.account == b.account {
		return old, err
	}
	return own, nil
}

// recognize finds out how the account comes to the mailbox: see [DB.Box].
func (b *Box) recognize(tx *bolt.Tx) error {
	own, err := openShelf(tx, b.key)
	if err != nil {
		return b.damaged(err)
	}
	if own != nil && !own.empty() {
		return nil
	}
	named, err := b.named(tx)
	if err != nil {
		return err
	}
	if old := b.moved(named); old != nil {
		b.from = old.key
		b.note = fmt.Sprintf("the records of %v are carried over to %v", old.mailbox, b.mailbox)
	} else if own == nil && len(named) > 0 {
		b.note = fmt.Sprintf("%v is a new mailbox; its mail will be fetched", b.mailbox)
	}
	return nil
}

// named returns the other mailboxes beside which the account's name stands. Any mailbox that
// cannot be read may be ours under a damaged key, so it is an error here.
func (b *Box) named(tx *bolt.Tx) (named []*shelf, err error) {
	err = b.db.eachShelf(tx, func(s *shelf) error {
		if s.account == b.account && !bytes.Equal(s.key, b.key) {
			named = append(named, s)
		}
		return nil
	})
	return named, err
}

// moved returns that of the account's earlier mailboxes which has only got another host or port:
// the one polled last, unless another account has it now.
func (b *Box) moved(named []*shelf) *shelf {
	b.db.mu.Lock()
	defer b.db.mu.Unlock()
	var last *shelf
	var polled Stamp
	for _, s := range named {
		owner, open := b.db.owners[string(s.key)]
		if s.mailbox.User != b.mailbox.User || s.empty() || open && owner != b.account {
			continue
		}
		if p, _ := s.poll(); last == nil || p.Begun > polled {
			last, polled = s, p.Begun
		}
	}
	return last
}

// IntentNames returns the names under which messages are staged, over all mailboxes. After an
// error nothing is known of the others: no staged file may be removed then.
func (db *DB) IntentNames(ctx context.Context) (map[string]bool, error) {
	names := make(map[string]bool)
	err := db.view(ctx, func(tx *bolt.Tx) error {
		return db.eachShelf(tx, func(s *shelf) error {
			intents, err := s.intents(ctx)
			if err != nil {
				return fmt.Errorf("mailbox %v: %w", s.mailbox, err)
			}
			for _, in := range intents {
				names[in.Name] = true
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}
