package uidl

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

const (
	compactStep  = 32 << 20 // octets that are copied in one transaction
	compactAlloc = 1 << 20  // octets by which a file grows that is written at once; bbolt's own choice is 16 MiB
)

// Compact writes the database anew, without what is free in it, and puts that in its place. It says
// the octets of the file before and after. Calls of others wait meanwhile.
//
// A crash leaves the one or the other. After an error the old one goes on, unless it is a
// *[WriteError] that comes after the exchange: then all later calls fail with it.
func (db *DB) Compact(ctx context.Context) (before, after int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	if err := db.enter(); err != nil {
		return 0, 0, err
	}
	defer db.users.Done()
	if err := db.upkeep.Acquire(ctx, 1); err != nil {
		return 0, 0, err
	}
	defer db.upkeep.Release(1)
	if err := db.gate.Acquire(ctx, everybody); err != nil {
		return 0, 0, err
	}
	defer db.gate.Release(everybody)
	before = db.size.Load()
	if err := db.replaceFile(ctx); err != nil {
		return 0, 0, err
	}
	return before, db.size.Load(), nil
}

// replaceFile does what Compact says, while nobody else uses the file.
func (db *DB) replaceFile(ctx context.Context) error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	target, err := filepath.EvalSymlinks(db.path)
	if err != nil {
		return cannotOpen(db.path, err)
	}
	fresh := beside(target)
	next, err := db.compactTo(ctx, fresh)
	if err != nil {
		return db.disk.clean(fresh, err)
	}
	if err := db.disk.rename(fresh, target); err != nil {
		next.closeFile()
		return db.disk.clean(fresh, cannotOpen(db.path, err))
	}
	// From here on the old file has no name. What bbolt says at its end is of no use to anybody.
	_ = db.closeFile()
	db.file, db.bolt = next.file, next.bolt
	db.measure()
	if err := db.disk.syncDir(target); err != nil {
		// A power cut may bring back the old file, without what is written from now on.
		db.broken = &WriteError{Path: db.path, Err: err}
		return db.broken
	}
	return nil
}

// compactTo writes all that the database holds to a new file, durable, locked and open.
func (db *DB) compactTo(ctx context.Context, fresh string) (*DB, error) {
	if err := cmp.Or(db.lastCommit(), db.usable()); err != nil {
		return nil, err
	}
	if err := db.disk.remove(fresh); err != nil {
		return nil, cannotOpen(db.path, err)
	}
	if err := db.copyInto(fresh); err != nil {
		return nil, err
	}
	was, err := db.file.Stat()
	if err == nil {
		err = ownLike(fresh, was)
	}
	if err == nil {
		err = db.disk.sync(fresh)
	}
	if err != nil {
		return nil, cannotOpen(db.path, err)
	}
	next := newDB(fresh, Options{})
	if err := next.openFile(os.O_RDWR); err != nil {
		return nil, err
	}
	if err := db.accept(ctx, next); err != nil {
		next.closeFile()
		return nil, err
	}
	return next, nil
}

// accept locks a file that is to become the database, and finds out whether it holds the same.
func (db *DB) accept(ctx context.Context, next *DB) error {
	if err := next.lockFile(ctx, unix.LOCK_EX, time.Now()); err != nil {
		return err
	}
	if err := next.read(ctx, boltOptions(next.file)); err != nil {
		return err
	}
	return next.view(ctx, func(theirs *bolt.Tx) (err error) {
		ours, err := db.bolt.Begin(false)
		if err != nil {
			return err
		}
		defer ours.Rollback()
		if !same(ours.Cursor(), theirs.Cursor()) {
			return db.damaged(errors.New("its copy is another"))
		}
		return nil
	})
}

// same reports whether two buckets hold the same.
func same(a, b *bolt.Cursor) bool {
	key, value := a.First()
	for other, its := b.First(); key != nil || other != nil; other, its = b.Next() {
		if !bytes.Equal(key, other) || !bytes.Equal(value, its) || (value == nil) != (its == nil) {
			return false
		}
		if value == nil && !same(a.Bucket().Bucket(key).Cursor(), b.Bucket().Bucket(key).Cursor()) {
			return false
		}
		key, value = a.Next()
	}
	return true
}

// copyInto copies all buckets and values into a new database.
func (db *DB) copyInto(fresh string) (err error) {
	defer db.recovered(&err)
	to, err := bolt.Open(fresh, 0o600, boltOptions(nil))
	if err != nil {
		return cannotOpen(db.path, err)
	}
	defer to.Close() // for a panic
	to.AllocSize = compactAlloc
	if err := errors.Join(bolt.Compact(to, db.bolt, compactStep), to.Close(), trim(fresh)); err != nil {
		return cannotOpen(db.path, err)
	}
	return nil
}

// trim cuts off what bbolt has prepared for later.
func trim(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m, err := newestMeta(f, info.Size())
	if err != nil {
		return err
	}
	return f.Truncate(int64(m.high * m.pageSize))
}
