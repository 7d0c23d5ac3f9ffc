package deliver

import (
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A faulty system does what [kernel] does, but for the calls that fail tells of, and writes
// every call down as "fsync tmp/" or "rename new/".
type faulty struct {
	kernel
	fail func(call string) error // nil: none fails

	mu    sync.Mutex
	calls []string
}

// do runs work unless call is to fail.
func (s *faulty) do(call string, work func() error) error {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(call); err != nil {
			return err
		}
	}
	return work()
}

func folder(path string) string { return filepath.Base(filepath.Dir(path)) + "/" }

func (s *faulty) create(path string, mode fs.FileMode) (f file, err error) {
	err = s.do("create "+folder(path), func() error {
		f, err = s.kernel.create(path, mode)
		return err
	})
	return f, err
}

func (s *faulty) write(f file, p []byte) (n int, err error) {
	err = s.do("write", func() error {
		n, err = s.kernel.write(f, p)
		return err
	})
	return n, err
}

func (s *faulty) fsync(f file) error {
	return s.do("fsync", func() error { return s.kernel.fsync(f) })
}

func (s *faulty) writeback(f file, at, n int64) error {
	return s.do("writeback", func() error { return s.kernel.writeback(f, at, n) })
}

func (s *faulty) rename(from, to string) error {
	return s.do("rename "+folder(to), func() error { return s.kernel.rename(from, to) })
}

func (s *faulty) remove(path string) error {
	return s.do("remove "+folder(path), func() error { return s.kernel.remove(path) })
}

func (s *faulty) syncDir(path string) error {
	return s.do("fsync "+filepath.Base(path)+"/", func() error { return s.kernel.syncDir(path) })
}

// failing makes the calls fail with err.
func failing(err error, calls ...string) func(string) error {
	return func(call string) error {
		for _, c := range calls {
			if c == call {
				return err
			}
		}
		return nil
	}
}

// faultyMaildir is an open Maildir on sys.
func faultyMaildir(t testing.TB, sys *faulty) *Maildir {
	t.Helper()
	m := NewMaildir(MaildirOptions{Path: filepath.Join(t.TempDir(), "Maildir"), Owner: NewOwner(testState)})
	m.sys, m.tmp.sys = sys, sys
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func mustStage(t testing.TB, target Target, messages ...string) []Staged {
	t.Helper()
	var batch []Staged
	for _, message := range messages {
		st, err := target.Stage(t.Context(), "uid", strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, st)
	}
	return batch
}

func mustSync(t testing.TB, target Target, batch []Staged) {
	t.Helper()
	for _, err := range target.Sync(t.Context(), batch) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func mustPublish(t testing.TB, target Target, batch []Staged) {
	t.Helper()
	for _, err := range target.Publish(t.Context(), batch) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func list(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	if err := eachName(dir, func(name string) bool { names = append(names, name); return true }); err != nil {
		t.Fatal(err)
	}
	return names
}

func wantCount(t testing.TB, dir string, n int) {
	t.Helper()
	if names := list(t, dir); len(names) != n {
		t.Errorf("%s holds %q, want %d", filepath.Base(dir), names, n)
	}
}
