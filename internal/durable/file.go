package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces the file path by one with exactly data and mode. A reader, and a restart
// after a power cut, find the old content or the new one, whole. See [Replace].
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	return Replace(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Replace is [WriteFile] for content that write produces piece by piece. After an error of
// write, or any other before the rename, path is as it was and nothing is left beside it.
// After an error of the last fsync (of the folder) the new content is visible but may be
// gone after a power cut.
func Replace(path string, mode fs.FileMode, write func(w io.Writer) error) error {
	// Hidden, and in the same folder: rename(2) works within one file system only.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err := fill(f, mode, write); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncDir(filepath.Dir(path))
}

// fill writes, syncs and closes f. It closes it after an error too.
func fill(f *os.File, mode fs.FileMode, write func(io.Writer) error) error {
	err := f.Chmod(mode)
	if err == nil {
		err = write(f)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Rename moves a file or folder within one file system and makes the move durable: first where
// it is now, then where it is no more, so that no crash leaves it in neither place.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	there, here := filepath.Dir(to), filepath.Dir(from)
	if err := SyncDir(there); err != nil || here == there {
		return err
	}
	return SyncDir(here)
}
