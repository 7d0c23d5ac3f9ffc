package disk

import (
	"errors"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// A Site is a real folder in which trees are built, one in the other's place.
//
// A folder that was read from there has the same inode, and the same time of creation, in each tree
// that has it: programs know folders by these. So such folders are never removed. While a tree does not
// have them they lie on a shelf.
type Site struct {
	root  string
	shelf string
	known map[uint64]bool // inodes of folders
}

// NewSite is the folder root. Shelf is a folder that is not there yet, on the same file system.
func NewSite(root, shelf string) (*Site, error) {
	return &Site{root: root, shelf: shelf, known: make(map[uint64]bool)}, os.Mkdir(shelf, 0o700)
}

// Read is what lies at the site now.
func (s *Site) Read() (Tree, error) {
	t := make(Tree)
	err := s.each(func(name string, e Entry) error {
		path := filepath.Join(s.root, name)
		switch {
		case e.Mode.IsDir():
			s.known[e.Inode] = true
		case e.Mode.IsRegular():
			var err error
			if e.Data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		t[name] = e
		return nil
	})
	return t, err
}

// each calls do for everything below the root, a folder before what is in it.
func (s *Site) each(do func(name string, e Entry) error) error {
	return filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == s.root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(s.root, path)
		if err != nil {
			return err
		}
		e := Entry{Mode: info.Mode()}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && info.IsDir() {
			e.Inode = st.Ino
		}
		return do(filepath.ToSlash(name), e)
	})
}

// Build puts t in the place of what lies there.
func (s *Site) Build(t Tree) error {
	if err := s.clear(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(t)) { // a folder before what is in it
		if err := s.put(filepath.Join(s.root, name), t[name]); err != nil {
			return err
		}
	}
	return nil
}

// clear shelves the known folders and removes all else.
func (s *Site) clear() error {
	var folders []string
	err := s.each(func(name string, e Entry) error {
		path := filepath.Join(s.root, name)
		if e.Mode.IsDir() {
			folders = append(folders, path)
			return nil
		}
		return os.Remove(path)
	})
	for _, path := range slices.Backward(folders) { // what is in it before the folder
		err = errors.Join(err, s.takeAway(path))
	}
	return err
}

func (s *Site) takeAway(folder string) error {
	var st syscall.Stat_t
	if err := syscall.Lstat(folder, &st); err != nil {
		return err
	}
	if s.known[st.Ino] {
		return os.Rename(folder, s.shelved(st.Ino))
	}
	return os.Remove(folder)
}

func (s *Site) shelved(inode uint64) string {
	return filepath.Join(s.shelf, strconv.FormatUint(inode, 10))
}

func (s *Site) put(path string, e Entry) error {
	switch {
	case e.Mode.IsDir() && s.known[e.Inode]:
		return os.Rename(s.shelved(e.Inode), path)
	case e.Mode.IsDir():
		return os.Mkdir(path, e.Mode.Perm())
	case e.Mode.Type() == fs.ModeSocket:
		return leaveSocket(path)
	default:
		return os.WriteFile(path, e.Data, e.Mode.Perm())
	}
}

// leaveSocket makes a socket as one that died leaves it: nobody listens.
func leaveSocket(path string) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return l.Close()
}
