package oauth

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"popsync/internal/durable"
	"popsync/internal/secret"
)

// maxFile is the most that is read of a file of tokens, in bytes.
const maxFile = 1 << 20

// A memory is what a Source knows besides the file.
type memory struct {
	mu      sync.Mutex
	unsaved map[string]record // by the refresh token that it replaced: what the disk refused to take
}

func (s *Source) path() string { return filepath.Join(s.set.Dir, s.set.Account+".json") }

// load reads the tokens; without any the error is [ErrNoTokens].
func (s *Source) load() (record, error) {
	f, err := os.OpenFile(s.path(), os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, &Error{Kind: NeedsLogin, Hint: s.logIn(), Err: ErrNoTokens}
	}
	if err != nil {
		return record{}, s.storage(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return record{}, s.storage(err)
	}
	if !info.Mode().IsRegular() {
		return record{}, errorf(Storage, "move it away", "%s is no regular file", s.path())
	}
	if err := closed(s.path(), info); err != nil {
		return record{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return record{}, s.storage(err)
	}
	r, err := decode(text)
	switch {
	case errors.Is(err, errNewer):
		return record{}, errorf(Configuration, "use that one", "token file %s %w", s.path(), err)
	case err != nil:
		return record{}, errorf(NeedsLogin, s.logIn(), "token file %s %w", s.path(), err)
	}
	if rotated, ok := s.remembered(r.refresh); ok {
		return rotated, nil
	}
	return r, nil
}

// closed refuses a file or folder of tokens that others can get at.
func closed(path string, info fs.FileInfo) error {
	err := secret.CheckOwner(path, info, os.Getuid())
	if err == nil {
		err = secret.CheckMode(path, info, os.Getuid())
	}
	e, ok := errors.AsType[*secret.Error](err)
	if !ok {
		return err
	}
	what, text, mend := "token file", e.Error(), e.Hint()
	if info.IsDir() {
		what, text = "folder of tokens", strings.Replace(text, "holds a secret", "holds secrets", 1)
		mend = strings.NewReplacer("chmod 600", "chmod 700", "chmod 640", "chmod 750").Replace(mend)
	}
	return errorf(Configuration, mend, "%s %s %s", what, path, text)
}

// save replaces the tokens, durably. What the disk does not take is remembered: the server may take
// the old refresh token no more.
func (s *Source) save(old, r record) error {
	err := s.write(r)
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	if err == nil {
		s.memory.unsaved = nil
		return nil
	}
	if !r.refresh.IsZero() && !r.refresh.Equal(old.refresh) {
		s.memory.unsaved = map[string]record{old.refresh.Reveal(): r}
	}
	return s.storage(err)
}

// remembered are tokens that replaced those with the refresh token there, and are not on disk.
func (s *Source) remembered(there secret.Value) (record, bool) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	r, ok := s.memory.unsaved[there.Reveal()]
	return r, ok
}

// saveRemembered tries again to save r, where that is what the disk refused.
func (s *Source) saveRemembered(r record) error {
	if !s.unsaved() {
		return nil
	}
	return s.save(r, r)
}

// unsaved reports whether there are tokens that the disk refused: they are not used before it has them.
func (s *Source) unsaved() bool {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return len(s.memory.unsaved) > 0
}

func (s *Source) write(r record) error {
	s.sweep()
	return durable.WriteFile(s.path(), r.encode(), 0o600)
}

// sweep removes what a crash has left of a file that was being written. The lock is held.
func (s *Source) sweep() {
	prefix := "." + filepath.Base(s.path()) + "."
	entries, _ := os.ReadDir(s.set.Dir)
	for _, e := range entries {
		number, ours := strings.CutPrefix(e.Name(), prefix)
		if ours && number != "" && strings.Trim(number, "0123456789") == "" {
			_ = os.Remove(filepath.Join(s.set.Dir, e.Name()))
		}
	}
}

// makeFolder makes the folder of the tokens, and refuses one that others can get at.
func (s *Source) makeFolder() error {
	if err := durable.MkdirAll(s.set.Dir, 0o700); err != nil {
		return s.storage(err)
	}
	info, err := os.Stat(s.set.Dir)
	if err != nil {
		return s.storage(err)
	}
	return closed(s.set.Dir, info)
}

// tryDisk finds out whether tokens can be written, before a server is asked for some.
func (s *Source) tryDisk() error {
	if err := s.makeFolder(); err != nil {
		return err
	}
	name := filepath.Join(s.set.Dir, "."+s.set.Account+".try")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return s.storage(err)
	}
	_, err = f.Write(slices.Repeat([]byte{'.'}, 16<<10)) // more than tokens have
	err = errors.Join(err, f.Sync(), f.Close())
	// Removed even if it could not be written: what another process has of it is open there.
	if err := errors.Join(err, os.Remove(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.storage(err)
	}
	return nil
}

// mayWrite finds out whether the folder of the tokens may be written, without writing: when the
// access token ends, an hour later, would be too late to tell.
func (s *Source) mayWrite() error {
	if err := s.makeFolder(); err != nil {
		return err
	}
	if err := unix.Access(s.set.Dir, unix.W_OK|unix.X_OK); err != nil {
		return s.storage(&fs.PathError{Op: "write in", Path: s.set.Dir, Err: err})
	}
	return nil
}

// storage is what it means that the disk failed.
func (s *Source) storage(err error) error {
	hint := "check that " + s.set.Dir + " is there and that you may write in it"
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO) {
		hint = "check the disk and its free space; the tokens are kept"
	}
	return errorf(Storage, hint, "tokens: %w", err)
}

// logIn is what a person is to do.
func (s *Source) logIn() string { return "log in: popsync auth login " + s.set.Account }
func (s *Source) again() string { return "log in again: popsync auth login " + s.set.Account }
