package deliver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"
)

// D4: what may be in a Maildir's place, and what may not.
func TestOpen(t *testing.T) {
	for _, tt := range []struct {
		claim string
		make  func(path string) error
		want  string // in the error; "": none
		hint  string
	}{
		{"nothing", func(string) error { return nil }, "", ""},
		{"an empty folder", func(path string) error { return os.Mkdir(path, 0o700) }, "", ""},
		{"a Maildir that was begun", func(path string) error { return os.MkdirAll(path+"/tmp", 0o700) }, "", ""},
		{"a link to a folder", func(path string) error { return linkToFolder(path) }, "", ""},
		{"a file", func(path string) error { return os.WriteFile(path, nil, 0o600) }, "a file is in the Maildir's place", "move it away"},
		{"another folder", func(path string) error { return os.MkdirAll(path+"/src", 0o700) }, "holds other things", "choose another path"},
		{"a link to nothing", func(path string) error { return os.Symlink("nowhere", path) }, "a symbolic link to nothing", "mount"},
		{"no parent", func(path string) error { return os.Remove(filepath.Dir(path)) }, "cannot be created", "mkdir -p -m 700 "},
		{"a file for a parent", fileForParent, "not a directory", ""},
		{"a link for tmp/", func(path string) error { return linkInside(path, "tmp", "/tmp") }, "tmp: a symbolic link in a folder's place", ""},
		{"a dangling link for new/", func(path string) error { return linkInside(path, "new", "nowhere") }, "new: a symbolic link in a folder's place", ""},
		{"a file for cur/", fileForCur, "cur: not a directory", ""},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "home", "Maildir")
			if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), tt.make(path)); err != nil {
				t.Fatal(err)
			}
			m := NewMaildir(MaildirOptions{Path: path, Owner: NewOwner(testState)})
			err := m.Open(t.Context())
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				mustSync(t, m, mustStage(t, m, "a"))
				return
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != Create || !strings.Contains(e.Error(), tt.want) || !strings.HasPrefix(e.Hint, tt.hint) {
				t.Errorf("error %v, hint %q; want %q of the kind Create, hint %q", err, e.Hint, tt.want, tt.hint)
			}
		})
	}
}

func linkToFolder(path string) error {
	disk := filepath.Join(filepath.Dir(path), "disk")
	return errors.Join(os.Mkdir(disk, 0o700), os.Symlink(disk, path))
}

func linkInside(path, name, to string) error {
	return errors.Join(os.MkdirAll(path+"/cur", 0o700), os.Symlink(to, filepath.Join(path, name)))
}

func fileForParent(path string) error {
	parent := filepath.Dir(path)
	return errors.Join(os.Remove(parent), os.WriteFile(parent, nil, 0o600))
}

func fileForCur(path string) error {
	return errors.Join(os.MkdirAll(path+"/tmp", 0o700), os.WriteFile(path+"/cur", nil, 0o600))
}

// D5
func TestOpenFolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "Maildir")
	m := NewMaildir(MaildirOptions{Path: root, Folder: "Lists.go", Owner: NewOwner(testState)})
	for range 2 {
		if err := m.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"new", ".Lists.go/maildirfolder", ".Lists.go/cur", ".Lists.go/new", ".Lists.go/tmp"} {
		if !exists(filepath.Join(root, path)) {
			t.Errorf("%s is missing", path)
		}
	}
	wantCount(t, m.path, 4)
	bad := NewMaildir(MaildirOptions{Path: root, Folder: "../x", Owner: NewOwner(testState)})
	if e, ok := errors.AsType[*Error](bad.Open(t.Context())); !ok || e.Kind != Create {
		t.Errorf("../x: error %v, want the kind Create", e)
	}
}

// What would refuse every message is found out before the log-in.
func TestOpenWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	for _, name := range []string{"tmp", "new"} {
		m := faultyMaildir(t, &faulty{})
		if err := os.Chmod(m.sub(name), 0o500); err != nil {
			t.Fatal(err)
		}
		wantError(t, m.Open(t.Context()), Create, m.sub(name)+": not writable: permission denied", fs.ErrPermission)
	}
	locked := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	m := NewMaildir(MaildirOptions{Path: filepath.Join(locked, "Maildir"), Owner: NewOwner(testState)})
	if e, ok := errors.AsType[*Error](m.Open(t.Context())); !ok || e.Kind != Create || !errors.Is(e, syscall.EACCES) {
		t.Errorf("error %v, want the kind Create", e)
	}
}

// D4: accounts that share a Maildir may create it at the same time.
func TestOpenAtTheSameTime(t *testing.T) {
	for range 50 {
		path := filepath.Join(t.TempDir(), "Maildir")
		var group errgroup.Group
		for range 8 {
			m := NewMaildir(MaildirOptions{Path: path, Owner: NewOwner("01234567")})
			group.Go(func() error { return m.Open(t.Context()) })
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}
