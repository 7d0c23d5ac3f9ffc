package realtest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
)

// An mboxStore is a folder with an mbox for each user, as /var/mail is.
type mboxStore struct {
	dir   string
	users map[string]int // uid of each
	// shows is what the server sends of a message as it lies in the mbox.
	shows func([]byte) []byte
}

// newMboxStore makes an empty mbox for each user.
func newMboxStore(dir string, names []string, shows func([]byte) []byte) (*mboxStore, error) {
	s := &mboxStore{dir: dir, users: map[string]int{}, shows: shows}
	for i, name := range names {
		s.users[name] = firstUser + i
		if err := s.append(name, nil); err != nil {
			return nil, err
		}
	}
	return s, os.Chmod(dir, 0o1777) // for lock files
}

// Put is [Server].Put, while nobody has the mailbox open.
func (s *mboxStore) Put(user string, messages ...Message) (Census, error) {
	census := Census{}
	for _, m := range messages {
		var raw bytes.Buffer
		m.WriteTo(&raw) // a buffer takes everything
		lies := asInMbox(raw.Bytes())
		if err := s.append(user, lies); err != nil {
			return nil, err
		}
		census[Sum(sha256.Sum256(s.shows(lies)))]++
	}
	return census, nil
}

func (s *mboxStore) append(user string, message []byte) error {
	f, err := os.OpenFile(filepath.Join(s.dir, user), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if message != nil {
		_, err = f.Write(append([]byte("From sender@example.org Tue Nov 14 22:13:20 2023\n"), append(message, '\n')...))
	}
	return errors.Join(err, f.Chown(s.users[user], 8), f.Close())
}

// asInMbox is what a delivery writes between the From line and the blank line after a message: a
// line end at the end, and > before what would be taken for a From line.
func asInMbox(message []byte) []byte {
	var out []byte
	for line := range bytes.Lines(asSent(message)) {
		if bytes.HasPrefix(line, []byte("From ")) {
			out = append(out, '>')
		}
		out = append(out, line...)
	}
	return out
}
