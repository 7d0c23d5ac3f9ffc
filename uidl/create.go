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
	fresh := beside(path)
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := write(fresh, birth(), nil); err != nil {
		os.Remove(fresh)
		return err
	}
	if err := syncFile(fresh); err != nil {
		return err
	}
	return durable.Rename(fresh, path)
}

// An origin is what a state keeps for ever.
type origin struct {
	id      string // see [DB.ID]
	created string // RFC 3339
}

func birth() origin {
	var b [4]byte
	rand.Read(b[:])
	return origin{id: hex.EncodeToString(b[:]), created: time.Now().UTC().Format(time.RFC3339)}
}

// write makes a new database at path, and lets fill put something into it.
func write(path string, o origin, fill func(*bolt.DB) error) error {
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
			putSealed(meta, keyID, []byte(o.id)),
			putSealed(meta, keyCreated, []byte(o.created)),
			putSealed(meta, keyMailboxes, set{}.append(nil)),
		)
	})
	if err == nil && fill != nil {
		err = fill(b)
	}
	return errors.Join(err, b.Close())
}

// syncFile makes the file as a whole durable: bbolt syncs its data as it goes.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
