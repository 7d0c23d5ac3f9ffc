package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path/filepath"

	"popsync/internal/realtest"
)

// expected is what is to arrive of all that was sent, by user, as the contender leaves it.
func (r *row) expected(c contender) map[string]realtest.Census {
	switch {
	case c.discards:
		return nil
	case c.makes == nil:
		return r.sent
	}
	all := map[string]realtest.Census{}
	for n, user := range r.users() {
		all[user] = realtest.Census{}
		for _, m := range r.mail(n) {
			all[user][sumOf(c, m)]++
		}
	}
	return all
}

// sumOf is what a message counts as that the contender has changed.
func sumOf(c contender, m realtest.Message) realtest.Sum {
	var raw bytes.Buffer
	m.WriteTo(&raw) // a buffer takes everything
	return sha256.Sum256(c.makes(raw.Bytes()))
}

// arrived is an error unless each account has what want says, octet by octet, no more, and
// nothing half done.
func (l *lane) arrived(want map[string]realtest.Census) error {
	for _, user := range l.errand.users {
		maildir := l.errand.maildir(user)
		got, err := realtest.Count(maildir)
		if err != nil {
			return err
		}
		if err := got.Compare(want[user]); err != nil {
			return fmt.Errorf("%s: %w", user, err)
		}
		if left, err := realtest.Files(filepath.Join(maildir, "tmp")); err != nil || left > 0 {
			return fmt.Errorf("%s: %d files are left in tmp/ (%v)", user, left, err)
		}
	}
	return nil
}

// stayed is an error unless the server has what it should have after a run.
func (r *row) stayed() error {
	if !r.remove {
		return nil
	}
	for _, user := range r.users() {
		held, err := r.server.Holds(user)
		if err != nil {
			return err
		}
		if n := held.Total(); n > 0 {
			return fmt.Errorf("%s: %d messages are left on the server", user, n)
		}
	}
	return nil
}
