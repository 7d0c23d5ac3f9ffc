package deliver

import (
	"context"
	"errors"
	"strings"
	"time"
)

// tmpLife is how long other programs leave a file in tmp/ alone (maildir(5)).
const tmpLife = 36 * time.Hour

// Settle finds the message of an intent in tmp/, new/ or cur/. In none of them it was delivered:
// its name was durable before the intent, so only publishing took it out of tmp/, and then a
// reader took it away. After 36 hours another program may have cleaned tmp/: fetch it again.
// And in another Maildir at the same path, as under a mount point, nothing can be said.
//
// Where the Maildir is not there (moved, not mounted) nothing can be said, and the outcome is
// Unsettled with an error of the kind Create. So Settle comes before Open, which would create it.
// What is published between a target's first Settle and its Open is not looked for.
func (m *Maildir) Settle(_ context.Context, st Staged, age time.Duration) (outcome Outcome, err error) {
	defer func() {
		if err != nil {
			m.seen = nil // the next attempt may find another Maildir here
		}
	}()
	if err := checkName(st.Name); err != nil {
		return Unsettled, err
	}
	if err := m.present(); err != nil {
		return Unsettled, err
	}
	size, staged, err := m.tmp.size(st.Name)
	if err != nil {
		return Unsettled, err
	}
	if m.seen == nil {
		if err := m.syncTmp(); err != nil { // what is found in none of the folders is gone for good
			return Unsettled, err
		}
		if m.seen, err = m.look(); err != nil {
			return Unsettled, err
		}
	}
	where := m.seen[st.Name]
	switch {
	case where != "":
		return m.confirm(st, where)
	case staged:
		return m.publishOne(Staged{Name: st.Name, UID: st.UID, Size: size})
	case age >= tmpLife:
		return Again, nil
	case stagedAt(st.Name) != placeOf(m.tmp.dir):
		return Unsettled, unusable("mount it or move it back; if it is gone for good, its messages are fetched again after 36 hours",
			"%s: not the Maildir in which messages were left unfinished", m.path)
	}
	return Delivered, nil
}

// present checks that all three folders are there, so that "in none of them" means something.
func (m *Maildir) present() error {
	for _, name := range subfolders {
		if err := isFolder(m.sub(name)); err != nil {
			return unusable("mount it or move it back: unfinished deliveries are looked for there",
				"%s: the Maildir is not there any more: %w", m.path, err)
		}
	}
	return nil
}

// look finds the messages of this database in new/ and cur/: the folder of each, by the name under
// which it was staged. All intents of a crash are settled by one look, since a folder may hold
// 100,000 messages. It looks twice: a reader that moves a message, or changes its flags, may
// hide it from the first look.
func (m *Maildir) look() (map[string]string, error) {
	seen := make(map[string]string)
	for range 2 {
		for _, folder := range []string{"new", "cur"} {
			err := eachName(m.sub(folder), func(entry string) bool {
				name := stagedName(entry)
				if whose, ok := parseName(name); ok && whose.State == m.tmp.owner.State {
					seen[name] = folder
				}
				return true
			})
			if err != nil {
				return nil, failed(m.sub(folder), err)
			}
		}
	}
	return seen, nil
}

// stagedName is the part of a file's name that a reader leaves alone: "NAME,S=5:2,RS".
func stagedName(entry string) string {
	if i := strings.IndexAny(entry, ",:"); i >= 0 {
		return entry[:i]
	}
	return entry
}

// confirm makes durable that st is in folder. On a file system where a crash can undo one half
// of a rename it may be in tmp/ as well.
func (m *Maildir) confirm(st Staged, folder string) (Outcome, error) {
	if err := m.sys.syncDir(m.sub(folder)); err != nil {
		return Unsettled, failed(m.sub(folder), err)
	}
	if err := m.tmp.remove(st.Name); err != nil {
		return Unsettled, err
	}
	return Delivered, nil
}

func (m *Maildir) publishOne(st Staged) (Outcome, error) {
	if err := errors.Join(m.Publish(context.Background(), []Staged{st})...); err != nil {
		return Unsettled, err
	}
	return Delivered, nil
}
