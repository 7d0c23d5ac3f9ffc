package deliver

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// syncsAtOnce is how many files one Sync has under way. What an fsync costs is waiting: 256 files of
// 3 kB took 2.5 times as long one after the other. More than these win nothing.
const syncsAtOnce = 16

// syncing bounds the fsyncs of the process: each takes a thread, and Go ends the program where the
// system has none left.
var syncing = make(chan struct{}, 64)

// A staging is a folder in which messages lie before anybody sees them: tmp/ of a Maildir, or an
// MDA's spool.
type staging struct {
	sys   system
	dir   string
	mode  fs.FileMode
	lf    bool // CR LF becomes LF
	owner Owner
	trace Trace

	spares chan spare // created before they are needed; nil: none

	at      atomic.Uint64 // the folder's place; 0: not looked for since it was opened
	probed  atomic.Bool   // the first file's mode has been looked at
	tooFew  atomic.Bool   // the umask takes away bits of mode
	mu      sync.Mutex
	written map[string]file // staged, and kept open until its fsync
}

// place is where messages are staged, looked for once after each Open.
func (s *staging) place() place {
	if p := s.at.Load(); p != 0 {
		return place(p)
	}
	p := placeOf(s.dir)
	s.at.Store(uint64(p))
	return p
}

func (s *staging) path(name string) string { return filepath.Join(s.dir, name) }

// stage is [Target.Stage]. What ends it early is msg: its reader knows about contexts.
func (s *staging) stage(uid string, msg io.Reader) (Staged, error) {
	name, f, err := s.next()
	if err != nil {
		return Staged{}, failed(s.dir, err)
	}
	size, err := s.fill(f, s.traced(uid, msg))
	if err == nil {
		err = s.keep(name, f)
	} else {
		f.close() // nothing in it is wanted any more
	}
	if err == nil {
		return Staged{Name: name, UID: uid, Size: size}, nil
	}
	if rmErr := s.remove(name); rmErr != nil {
		err = errors.Join(err, rmErr)
	}
	return Staged{}, err
}

// create makes a new file.
func (s *staging) create() (name string, f file, err error) {
	name = s.owner.newName(time.Now(), s.place())
	f, err = s.sys.create(s.path(name), s.mode)
	return name, f, err
}

// fill gives f its mode and its content.
func (s *staging) fill(f file, msg io.Reader) (int64, error) {
	if err := s.setMode(f); err != nil {
		return 0, failed(s.dir, err)
	}
	size, err := copyMessage(&fileWriter{sys: s.sys, f: f}, msg, s.lf)
	if e, ok := errors.AsType[streamError](err); ok {
		return size, failed(s.dir, e.error)
	}
	return size, err
}

// setMode corrects what the umask did. It looks at the first file only: the umask is the
// process's and stays, and a call for each message would be the fifth.
func (s *staging) setMode(f file) error {
	if !s.probed.Load() {
		mode, err := f.mode()
		if err != nil {
			return err
		}
		s.tooFew.Store(mode != s.mode)
		s.probed.Store(true)
	}
	if s.tooFew.Load() {
		return f.chmod(s.mode)
	}
	return nil
}

// writebackStep is how far ahead of the disk a large file is written.
const writebackStep = 1 << 20

// A fileWriter writes a file and has the kernel write along, so that little is left for the fsync of
// a large one.
type fileWriter struct {
	sys     system
	f       file
	size    int64
	started int64 // octets that the kernel was told to write
}

func (w *fileWriter) Write(p []byte) (int, error) {
	n, err := w.sys.write(w.f, p)
	if w.size += int64(n); err == nil && w.size-w.started >= writebackStep {
		err = w.sys.writeback(w.f, w.started, w.size-w.started)
		w.started = w.size
	}
	return n, err
}

// syncFiles makes the content of batch durable, not yet the names.
func (s *staging) syncFiles(batch []Staged) []error {
	errs := make([]error, len(batch))
	if len(batch) > 1 {
		s.startWriteback(batch, errs)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(batch), syncsAtOnce) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(batch)); i = next.Add(1) - 1 {
				syncing <- struct{}{}
				errs[i] = s.syncFile(batch[i].Name, errs[i])
				<-syncing
			}
		})
	}
	workers.Wait()
	return errs
}

// startWriteback has the kernel begin with all of batch that is held open.
func (s *staging) startWriteback(batch []Staged, errs []error) {
	for i, st := range batch {
		if f, held := s.held(st.Name); held {
			errs[i] = s.sys.writeback(f, 0, 0)
		}
	}
}

// syncFile makes the content of a staged file durable and closes it. An error so far stays one,
// whatever the fsync says.
func (s *staging) syncFile(name string, earlier error) error {
	f, held := s.take(name)
	if !held {
		var err error
		if f, err = s.open(name); err != nil {
			return err
		}
	}
	if err := cmp.Or(earlier, errors.Join(s.sys.fsync(f), f.close())); err != nil {
		return failed(s.dir, err)
	}
	return nil
}

// open opens a staged file for reading.
func (s *staging) open(name string) (file, error) {
	if err := checkName(name); err != nil {
		return 0, err
	}
	f, err := openFile(s.path(name), unix.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return 0, failed(s.dir, err)
	}
	return f, nil
}

// reader is open for those who read a file as others do.
func (s *staging) reader(name string) (*os.File, error) {
	f, err := s.open(name)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(f), s.path(name)), nil
}

// size is that of a staged file; there is false where none has that name.
func (s *staging) size(name string) (size int64, there bool, err error) {
	info, err := os.Lstat(s.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, false, nil
	case err != nil:
		return 0, false, failed(s.dir, err)
	case !info.Mode().IsRegular():
		return 0, false, unusable("", "%s: %s is no file", s.dir, name)
	}
	return info.Size(), true, nil
}

// drop is [Target.Drop].
func (s *staging) drop(batch []Staged) error {
	var errs []error
	for _, st := range batch {
		if err := checkName(st.Name); err != nil {
			errs = append(errs, err)
			continue
		}
		if f, held := s.take(st.Name); held {
			f.close() // nothing in it is wanted any more
		}
		if err := s.remove(st.Name); err != nil {
			errs = append(errs, err)
		}
	}
	return firstOf(errs)
}

// firstOf stands for all of errs: a folder has the same trouble with each of its files.
func firstOf(errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	return fmt.Errorf("%w (and %d more)", errs[0], len(errs)-1)
}

// remove removes a staged file; that there is none is fine.
func (s *staging) remove(name string) error {
	if err := s.sys.remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(s.dir, err)
	}
	return nil
}

// clean is [Target.Clean]. It goes on after an error.
func (s *staging) clean(keep func(name string) bool) error {
	var errs []error
	err := eachName(s.dir, func(name string) bool {
		if s.owner.leftBehind(name) && !keep(name) {
			if err := s.remove(name); err != nil {
				errs = append(errs, err)
			}
		}
		return true
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, failed(s.dir, err))
	}
	return firstOf(errs)
}

// eachName calls yield with the names in the folder dir until it returns false. A name that is
// changed meanwhile may be missed, or come twice.
func eachName(dir string, yield func(name string) bool) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		for _, name := range names {
			if !yield(name) {
				return nil
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
