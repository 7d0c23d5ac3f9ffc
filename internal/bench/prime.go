package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"

	"popsync/internal/realtest"
)

// prime makes every contender know what is there, uncounted, and takes away what it has brought
// in: nothing may come any more.
func (r *row) prime(ctx context.Context) error {
	for _, l := range r.lanes {
		if err := r.fresh(l); err != nil {
			return err
		}
		l.err = r.acquaint(ctx, l)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := l.empty(); err != nil {
			return err
		}
	}
	return nil
}

// acquaint has a contender fetch what is there, or has it written down.
func (r *row) acquaint(ctx context.Context, l *lane) error {
	if l.know != nil {
		return r.tell(l)
	}
	r.say("%s fetches all, uncounted", l.name)
	if err := r.fetch(ctx, l, new(sample)); err != nil {
		return err
	}
	return l.arrived(l.want)
}

// tell writes the server's UIDs into the contender's folder.
func (r *row) tell(l *lane) error {
	for _, user := range r.users() {
		uids, err := r.uids(user)
		if err != nil {
			return err
		}
		if err := l.know(l.errand, user, uids); err != nil {
			return err
		}
	}
	return r.owner.give(l.errand.dir)
}

// uids are those of the user's mailbox.
func (r *row) uids(user string) ([]string, error) {
	w, _, err := logIn(r.server.Port(realtest.Cleartext), user, "")
	if err != nil {
		return nil, err
	}
	defer w.conn.Close()
	w.send("UIDL\r\nQUIT\r\n")
	var listing bytes.Buffer
	if err := w.multiline(&listing); err != nil {
		return nil, err
	}
	var uids []string
	for line := range strings.Lines(listing.String()) {
		_, uid, _ := strings.Cut(strings.TrimSpace(line), " ")
		uids = append(uids, uid)
	}
	return uids, w.answers(1)
}

// empty removes what was delivered.
func (l *lane) empty() error {
	for _, user := range l.errand.users {
		for _, sub := range []string{"new", "cur"} {
			dir := filepath.Join(l.errand.maildir(user), sub)
			names, err := realtest.Names(dir)
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
