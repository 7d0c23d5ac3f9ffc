package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// SyncDir makes the names in the folder path durable: those that were created, renamed into it,
// renamed out of it and removed.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if cannotSync(err) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}

// cannotSync reports whether a file system says that it has no fsync for folders, as CIFS and
// some FUSE ones do. They have no other way either, so refusing them would help nobody.
func cannotSync(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}

// Mkdir creates the folder path with exactly mode and makes it durable in its parent. That it is
// there already is an error ([fs.ErrExist]).
func Mkdir(path string, mode fs.FileMode) error {
	if err := os.Mkdir(path, mode); err != nil {
		return err
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask took away
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// MkdirAll creates the folder path and what is missing above it, all with mode, each durable in
// its parent. A folder that is there already is left as it is.
func MkdirAll(path string, mode fs.FileMode) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if parent := filepath.Dir(path); parent != path {
		if err := MkdirAll(parent, mode); err != nil {
			return err
		}
	}
	err = Mkdir(path, mode)
	if errors.Is(err, fs.ErrExist) {
		return existing(path, err)
	}
	return err
}

// existing is nil where another process created the folder path at the same moment. Otherwise
// err stands: a file, or a symbolic link to nothing.
func existing(path string, err error) error {
	if info, statErr := os.Stat(path); statErr != nil || !info.IsDir() {
		return err
	}
	return SyncDir(filepath.Dir(path))
}
