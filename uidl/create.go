package uidl

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"

	"popsync/internal/durable"
)

// create makes a new database under another name, durable, and renames it to path: a crash
// leaves a whole one or none. What an earlier crash left is replaced.
func create(path string) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeEmpty(fresh); err != nil {
		os.Remove(fresh)
		return err
	}
	if err := syncFile(fresh); err != nil {
		return err
	}
	return durable.Rename(fresh, path)
}

func writeEmpty(path string) error {
	b, err := bolt.Open(path, 0o600, boltOptions(nil))
	if err != nil {
		return err
	}
	err = b.Update(func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucket(bucketMailboxes); err != nil {
			return err
		}
		meta, err := tx.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		return errors.Join(
			putSealed(meta, keyVersion, []byte(strconv.Itoa(Version))),
			putSealed(meta, keyID, newID()),
			putSealed(meta, keyCreated, []byte(time.Now().UTC().Format(time.RFC3339))),
			putSealed(meta, keyMailboxes, set{}.append(nil)),
		)
	})
	return errors.Join(err, b.Close())
}

func newID() []byte {
	var b [4]byte
	rand.Read(b[:])
	return hex.AppendEncode(nil, b[:])
}

// syncFile makes the file as a whole durable: bbolt syncs its data as it goes.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
