package uidl

import (
	"errors"
	"os"
	"path/filepath"
)

// probeSize is more than a poll without new mail ever writes.
const probeSize = 64 << 10

// probe finds out whether the folder of the state takes data, before anybody logs in: a disk that
// is full or was remounted read-only says so at the first write only. The file has no name where
// the system can do that, and is gone at once.
func probe(path string) error {
	f, err := openNameless(filepath.Dir(path))
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Close())
}

// openUnlinked is openNameless for file systems that know only files with names.
func openUnlinked(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".popsync-probe-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
