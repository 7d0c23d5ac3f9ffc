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
//
// Where the Maildir is not there (moved, not mounted) nothing can be said, and the outcome is
// Unsettled with an error of the kind Create. So Settle comes before Open, which would create it.
func (m *Maildir) Settle(_ context.Context, st Staged, age time.Duration) (Outcome, error) {
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
	where, err := m.find(st.Name)
	if err == nil && where == "" && !staged {
		where, err = m.find(st.Name) // a reader may have changed its flags while we looked
	}
	switch {
	case err != nil:
		return Unsettled, err
	case where != "":
		return m.confirm(st, where)
	case staged:
		return m.publishOne(Staged{Name: st.Name, UID: st.UID, Size: size})
	case age < tmpLife:
		return Delivered, nil
	}
	return Again, nil
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

// find looks for a message in new/ and then cur/, the way that a reader moves it.
func (m *Maildir) find(name string) (folder string, err error) {
	for _, folder := range []string{"new", "cur"} {
		there, err := m.holds(folder, name)
		if err != nil {
			return "", err
		}
		if there {
			return folder, nil
		}
	}
	return "", nil
}

// holds reports whether folder has name, with any size and flags: "NAME,S=5:2,RS".
func (m *Maildir) holds(folder, name string) (there bool, err error) {
	err = eachName(m.sub(folder), func(entry string) bool {
		rest, ok := strings.CutPrefix(entry, name)
		there = ok && (rest == "" || rest[0] == ',' || rest[0] == ':')
		return !there
	})
	if err != nil {
		return false, failed(m.sub(folder), err)
	}
	return there, nil
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
