package uidl

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"popsync/internal/durable"
)

// A disk makes files and their names durable, a step at a time. After each step a test may look at
// what a crash would leave.
type disk struct {
	after   func(step, path string) // nil: nobody looks
	noLinks bool                    // as on a file system that has none
}

func (d disk) did(step, path string, err error) error {
	if err == nil && d.after != nil {
		d.after(step, path)
	}
	return err
}

// sync makes the content of a file durable.
func (d disk) sync(path string) error { return d.did("sync", path, syncFile(path)) }

// syncDir makes the names beside path durable.
func (d disk) syncDir(path string) error {
	return d.did("sync the folder of", path, durable.SyncDir(filepath.Dir(path)))
}

// rename moves a file within its folder, for good only after [disk.syncDir].
func (d disk) rename(from, to string) error { return d.did("rename to", to, os.Rename(from, to)) }

// link gives a file a second name beside its own.
func (d disk) link(from, to string) error {
	if d.noLinks {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM}
	}
	return d.did("link", to, os.Link(from, to))
}

// remove removes a file, which need not be there.
func (d disk) remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return d.did("remove", path, err)
}

// clean removes what was written for nothing, because of err.
func (d disk) clean(path string, err error) error {
	if left := d.remove(path); left != nil {
		return errors.Join(err, left)
	}
	return err
}

// beside is where the next content of path is written, until it is whole. Who owns the state owns
// this name as well; what an earlier crash left there goes.
func beside(path string) string { return path + ".new" }

// ownLike gives a file the mode and the owner of another: root may look after somebody's state.
func ownLike(path string, like fs.FileInfo) error {
	if err := os.Chmod(path, like.Mode().Perm()); err != nil {
		return err
	}
	if s, ok := like.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Chown(path, int(s.Uid), int(s.Gid))
	}
	return nil
}
