package deliver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/emersion/go-maildir"
	"golang.org/x/sys/unix"

	"popsync/internal/durable"
	"popsync/internal/shell"
)

var subfolders = []string{"tmp", "new", "cur"}

// Open creates the Maildir, and the Maildir++ folder in it, where they are missing and the
// Maildir's parent is not. A file or a folder with other things in its place is an error, as is
// one that cannot be written to.
func (m *Maildir) Open(context.Context) error {
	m.seen = nil
	m.tmp.at.Store(0)
	if err := ensureMaildir(m.root); err != nil {
		return err
	}
	if m.folder != "" {
		if err := m.ensureFolder(); err != nil {
			return err
		}
	}
	return m.accessible()
}

// ensureFolder creates the Maildir++ folder, marked as one.
func (m *Maildir) ensureFolder() error {
	if err := checkFolder(m.folder); err != nil {
		return unusable("folder names look like Lists.go", "%s: %w", m.root, err)
	}
	if err := ensureMaildir(m.path); err != nil {
		return err
	}
	mark := m.sub("maildirfolder")
	if exists(mark) {
		return nil
	}
	if err := durable.WriteFile(mark, nil, 0o600); err != nil {
		return failed(m.path, err)
	}
	return nil
}

// creating lets one Maildir be made at a time: of two accounts that share one, the second would
// find the first one's work half done, and take it for a foreign folder.
var creating sync.Mutex

// ensureMaildir creates what is missing of the Maildir path and makes it durable.
func ensureMaildir(path string) error {
	creating.Lock()
	defer creating.Unlock()
	complete, err := examine(path)
	if complete || err != nil {
		return err
	}
	if err := maildir.Dir(path).Init(); err != nil {
		return failed(path, err)
	}
	for _, dir := range []string{path, filepath.Dir(path)} {
		if err := durable.SyncDir(dir); err != nil {
			return failed(dir, err)
		}
	}
	return nil
}

// examine reports whether path is a complete Maildir. It is an error if it can be made none.
func examine(path string) (complete bool, err error) {
	info, err := os.Stat(path) // through symbolic links: people keep Maildirs on other disks
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, creatable(path)
	case err != nil:
		return false, failed(path, err)
	case !info.IsDir():
		return false, unusable("move it away or choose another path", "%s: a file is in the Maildir's place", path)
	}
	return examineFolder(path)
}

// examineFolder is examine for a folder that is there: complete, begun, empty or foreign.
func examineFolder(path string) (complete bool, err error) {
	found := 0
	for _, name := range subfolders {
		err := isFolder(filepath.Join(path, name))
		switch {
		case err == nil:
			found++
		case !errors.Is(err, fs.ErrNotExist):
			return false, unusable("", "%s: %w", filepath.Join(path, name), err)
		}
	}
	if found > 0 {
		return found == len(subfolders), nil
	}
	empty, err := isEmpty(path)
	switch {
	case err != nil:
		return false, failed(path, err)
	case !empty:
		return false, unusable("choose another path, or an empty folder", "%s: holds other things and is no Maildir", path)
	}
	return false, nil
}

// creatable checks what must be there before a Maildir can be made at path, where nothing was found.
func creatable(path string) error {
	if exists(path) {
		return unusable("mount what it points to, or remove it", "%s: a symbolic link to nothing", path)
	}
	parent := filepath.Dir(path)
	info, err := os.Stat(parent)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unusable("mkdir -p -m 700 "+shell.Quote(parent), "%s: cannot be created: %s: %w", path, parent, fs.ErrNotExist)
	case err != nil:
		return failed(parent, err)
	case !info.IsDir():
		return unusable("", "%s: cannot be created: %s: %w", path, parent, syscall.ENOTDIR)
	}
	return nil
}

// isFolder is nil for a real folder. A symbolic link in the place of tmp/, new/ or cur/ could
// lead to another file system, where no rename goes, or to other people's files.
func isFolder(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return cause(err)
	case info.Mode()&fs.ModeSymlink != 0:
		return errors.New("a symbolic link in a folder's place")
	case !info.IsDir():
		return syscall.ENOTDIR
	}
	return nil
}

func isEmpty(path string) (bool, error) {
	empty := true
	err := eachName(path, func(string) bool {
		empty = false
		return false
	})
	return empty, err
}

// accessible finds out before the first log-in what would fail with every message. An fsync of a
// folder needs the permission to read it.
func (m *Maildir) accessible() error {
	for _, name := range subfolders {
		mode := uint32(unix.R_OK | unix.W_OK | unix.X_OK)
		if name == "cur" { // the readers'
			mode = unix.R_OK | unix.X_OK
		}
		if err := access(m.sub(name), mode); err != nil {
			return err
		}
	}
	return nil
}

func access(dir string, mode uint32) error {
	err := unix.Access(dir, mode)
	if err == nil {
		return nil
	}
	return unusable(fmt.Sprintf("make it writable for user ID %d", os.Geteuid()), "%s: not writable: %w", dir, err)
}
