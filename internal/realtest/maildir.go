package realtest

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A Sum is the SHA-256 of a message.
type Sum [sha256.Size]byte

func (s Sum) String() string { return fmt.Sprintf("%x…", s[:6]) }

// A Census says how often each content is there.
type Census map[Sum]int

// Add adds what o counted.
func (c Census) Add(o Census) {
	for sum, n := range o {
		c[sum] += n
	}
}

// Total is how many messages were counted.
func (c Census) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// Compare returns an error that says in numbers how c differs from want, or nil.
func (c Census) Compare(want Census) error {
	lost, twice, foreign := c.Differ(want)
	if lost+twice+foreign == 0 {
		return nil
	}
	return fmt.Errorf("of %d messages %d are lost, %d came too often; %d are there that nobody sent",
		want.Total(), lost, twice, foreign)
}

// Differ counts the messages that c has less often than want, those that it has more often, and
// those that want does not know at all.
func (c Census) Differ(want Census) (lost, twice, foreign int) {
	for sum, n := range want {
		lost += max(0, n-c[sum])
		twice += max(0, c[sum]-n)
	}
	for sum, n := range c {
		if want[sum] == 0 {
			foreign += n
		}
	}
	return lost, twice, foreign
}

// Count counts the messages in new/ and cur/ of a Maildir. While others move
// messages the count may be wrong.
func Count(maildir string) (Census, error) {
	census := Census{}
	for _, sub := range []string{"new", "cur"} {
		found, err := CountFolder(filepath.Join(maildir, sub))
		if err != nil {
			return nil, err
		}
		census.Add(found)
	}
	return census, nil
}

// CountFolder counts the files of one folder. One that does not exist is empty.
func CountFolder(dir string) (Census, error) {
	census := Census{}
	entries, err := readDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		sum, err := SumFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		census[sum]++
	}
	return census, nil
}

// Files is how many files the folder has. One that does not exist has none.
func Files(dir string) (int, error) {
	entries, err := readDir(dir)
	return len(entries), err
}

// Names is what the files of a folder are called. One that does not exist has none.
func Names(dir string) ([]string, error) {
	entries, err := readDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func readDir(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// SumFile is the SHA-256 of a file, CRLF taken for LF.
func SumFile(name string) (Sum, error) {
	f, err := os.Open(name)
	if err != nil {
		return Sum{}, err
	}
	defer f.Close()
	hash := sha256.New()
	in := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := in.ReadSlice('\n')
		if end := len(line) - 2; end >= 0 && line[end] == '\r' && line[end+1] == '\n' {
			line[end] = '\n'
			line = line[:end+1]
		}
		hash.Write(line)
		switch {
		case errors.Is(err, io.EOF):
			return Sum(hash.Sum(nil)), nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return Sum{}, err
		}
	}
}

// A store is a folder with a Maildir for each user, as a server has them.
type store struct {
	dir      string
	uid, gid int          // who owns them
	put      atomic.Int64 // messages so far, for names
}

func (s *store) maildir(user string) string { return filepath.Join(s.dir, user, "Maildir") }

// add makes an empty mailbox.
func (s *store) add(user string) error {
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(s.maildir(user), sub), 0o700); err != nil {
			return err
		}
	}
	return filepath.WalkDir(filepath.Join(s.dir, user), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, s.uid, s.gid))
	})
}

// Put is [Server].Put.
func (s *store) Put(user string, messages ...Message) (Census, error) {
	census := Census{}
	for _, m := range messages {
		sum, err := s.deliver(user, m)
		if err != nil {
			return nil, err
		}
		census[sum]++
	}
	return census, nil
}

// Holds is [Server].Holds.
func (s *store) Holds(user string) (Census, error) {
	dir := s.maildir(user)
	for again := 0; ; again++ {
		before, err := namesOf(dir)
		if err != nil {
			return nil, err
		}
		census, err := Count(dir)
		after, errAfter := namesOf(dir)
		if err == nil && errAfter == nil && slices.Equal(before, after) || again == 500 {
			return census, errors.Join(err, errAfter)
		}
		time.Sleep(10 * time.Millisecond) // a server that is told goodbye marks what was read, and nobody need wait for it
	}
}

// namesOf are all in new/ and cur/ of a Maildir.
func namesOf(maildir string) ([]string, error) {
	fresh, err := Names(filepath.Join(maildir, "new"))
	if err != nil {
		return nil, err
	}
	seen, err := Names(filepath.Join(maildir, "cur"))
	return append(fresh, seen...), err
}

func (s *store) deliver(user string, m Message) (sum Sum, err error) {
	staged := filepath.Join(s.maildir(user), "tmp", "staged")
	f, err := os.Create(staged)
	if err != nil {
		return Sum{}, err
	}
	defer f.Close()
	hash := sha256.New()
	out := &counter{w: io.MultiWriter(f, hash)}
	if _, err := m.WriteTo(out); err != nil {
		return Sum{}, err
	}
	if m.Raw != "" && !strings.HasSuffix(m.Raw, "\n") {
		hash.Write([]byte("\n")) // the server ends the last line
	}
	if err := f.Chown(s.uid, s.gid); err != nil {
		return Sum{}, err
	}
	// With the sizes in the name (S as it lies, W with CRLF) a server need not read a message to list it.
	name := fmt.Sprintf("1700000000.M%09dP1.realtest,S=%d,W=%d", s.put.Add(1), out.n, out.n+out.ends)
	return Sum(hash.Sum(nil)), os.Rename(staged, filepath.Join(s.maildir(user), "new", name))
}
