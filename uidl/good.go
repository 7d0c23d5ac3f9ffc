package uidl

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// goodFor is how long a good copy is good enough.
const goodFor = 24 * time.Hour

// goodPath is where the last good copy of the state at path lies.
func goodPath(path string) string { return path + ".good" }

// KeepGood copies the state to PATH.good, mode 0600, if the copy there is not of the last 24 hours
// (by its time of modification). Nothing goes into its place but a copy that was read back from the
// first to the last octet and is sound: of damage the error is a *[DamageError], and the older copy
// stays. So it does when the disk is full.
//
// A copy of another state, one that was there before this one began anew, may know more than ours
// does: it is set aside as PATH.good.ID, by its own ID, or PATH.good.unknown. popsync itself never
// makes a state of a good copy; [Repair] does.
func (db *DB) KeepGood(ctx context.Context, now time.Time) (kept bool, err error) {
	if err := db.enter(); err != nil {
		return false, err
	}
	defer db.users.Done()
	if err := db.upkeep.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer db.upkeep.Release(1)
	good := goodPath(db.path)
	if info, err := os.Stat(good); err == nil {
		if age := now.Sub(info.ModTime()); age >= 0 && age < goodFor {
			return false, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, cannotOpen(db.path, err)
	}
	fresh := beside(good)
	err = db.copyTo(ctx, fresh, now)
	if err == nil {
		err = bySystem(db.path, db.putInPlace(fresh, good))
	}
	if err != nil {
		return false, db.disk.clean(fresh, err)
	}
	return true, nil
}

// putInPlace makes a copy the good one.
func (db *DB) putInPlace(fresh, good string) error {
	if err := db.makeRoom(good); err != nil {
		return err
	}
	if err := db.disk.rename(fresh, good); err != nil {
		return err
	}
	return db.disk.syncDir(good)
}

// copyTo makes a copy of the file as it is now, durable and sound.
func (db *DB) copyTo(ctx context.Context, fresh string, now time.Time) error {
	if err := db.lastCommit(); err != nil {
		return err
	}
	if err := db.disk.remove(fresh); err != nil {
		return cannotOpen(db.path, err)
	}
	err := db.quiet(ctx, func() error { return copyFile(ctx, db.path, fresh) })
	if err == nil {
		err = os.Chtimes(fresh, now, now)
	}
	if err == nil {
		err = db.disk.sync(fresh)
	}
	if err != nil {
		return bySystem(db.path, err)
	}
	report, err := verifyFile(ctx, fresh, time.Now())
	if err != nil {
		return err
	}
	report.Path = db.path
	return report.Err()
}

// makeRoom moves a copy of another state out of the way.
func (db *DB) makeRoom(good string) error {
	id, err := idOf(good)
	if errors.Is(err, fs.ErrNotExist) || err == nil && id == db.id {
		return nil
	}
	if err != nil {
		return err
	}
	if id == "" {
		id = "unknown"
	}
	if err := db.disk.rename(good, good+"."+id); err != nil {
		return err
	}
	return db.disk.syncDir(good)
}

// setAside are the copies of other states that were moved out of the way of the one at path.
func setAside(path string) (others []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		name := filepath.Join(filepath.Dir(path), e.Name())
		if strings.HasPrefix(name, path+".") && name != beside(path) {
			others = append(others, name)
		}
	}
	return others, err
}

// copyFile copies a file. It reads and writes each octet: a copy that shares its blocks with the
// other, as some file systems make them, would be damaged with it.
func copyFile(ctx context.Context, from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{dst}, stoppable{ctx, src}, make([]byte, 1<<20))
	return errors.Join(err, dst.Close())
}

// A stoppable reader ends with its context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(b)
}
