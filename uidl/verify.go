package uidl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// A Report says what is in a state, and what is wrong with it.
type Report struct {
	Path      string
	Size      int64 // octets of the file
	Version   int   // 0: it could not be read
	Mailboxes []Summary
	Faults    []Fault // none: it is sound
}

// A Fault is one thing that is wrong.
type Fault struct {
	Where string // the mailbox; empty: the state as a whole
	What  string
}

func (f Fault) String() string {
	if f.Where == "" {
		return f.What
	}
	return "mailbox " + f.Where + ": " + f.What
}

// Err is nil for a sound state, else a *[DamageError] with the first fault.
func (r Report) Err() error {
	if len(r.Faults) == 0 {
		return nil
	}
	err := errors.New(r.Faults[0].String())
	if more := len(r.Faults) - 1; more > 0 {
		err = fmt.Errorf("%w, and %d more", err, more)
	}
	return &DamageError{Path: r.Path, Err: err}
}

// Verify reads all of the open state and reports what is wrong with it: the shape of its file, each
// checksum, and whether something is missing. Damage is no error.
func (db *DB) Verify(ctx context.Context) (Report, error) {
	report := Report{Path: db.path}
	err := db.quiet(ctx, func() error {
		if err := checkPages(db.file); err != nil {
			report.fault("", err)
		}
		report.Size = db.size.Load()
		return nil
	})
	if err == nil {
		err = db.view(ctx, func(tx *bolt.Tx) error { return report.examine(ctx, tx) })
	}
	if damage, ok := errors.AsType[*DamageError](err); ok {
		report.fault("", damage.Err)
		err = nil
	}
	if len(report.Faults) > 0 {
		db.doubt.Store(true)
	}
	return report, err
}

// quiet runs f while nobody writes to the file. Reading goes on.
func (db *DB) quiet(ctx context.Context, f func() error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.enter(); err != nil {
		return err
	}
	defer db.users.Done()
	if err := db.gate.Acquire(ctx, 1); err != nil {
		return err
	}
	defer db.gate.Release(1)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer db.recovered(&err)
	tx, err := db.begin(true) // there is one writer at a time
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return f()
}

// Verify reads all of the state at path, which may be damaged in any way, or of a copy, and reports
// what is wrong with it. It changes nothing; nobody can own the state meanwhile.
//
// The error is a *[HeldError], a *[VersionError], ctx's, or the operating system's: the state is
// not there, or cannot be read. Damage is none.
func Verify(ctx context.Context, path string, o Options) (Report, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Report{}, err
	}
	report, err := verifyFile(ctx, path, time.Now().Add(cmp.Or(o.Wait, defaultWait)))
	if held, ok := errors.AsType[*HeldError](err); ok {
		held.PID = ownerOf(path)
	}
	return report, err
}

func verifyFile(ctx context.Context, path string, deadline time.Time) (Report, error) {
	report := Report{Path: path}
	err := report.read(ctx, deadline)
	if damage, ok := errors.AsType[*DamageError](err); ok {
		report.fault("", damage.Err)
		return report, report.salvage()
	}
	return report, err
}

// read reads a file that is sound as a whole; otherwise the error is a *DamageError.
func (r *Report) read(ctx context.Context, deadline time.Time) error {
	db := newDB(r.Path, Options{})
	if err := db.openToRead(ctx, deadline); err != nil {
		return err
	}
	defer db.closeFile()
	r.Size = db.size.Load()
	return db.view(ctx, func(tx *bolt.Tx) error { return r.examine(ctx, tx) })
}

// openToRead opens a file that is not written to. After an error nothing of it stays open.
func (db *DB) openToRead(ctx context.Context, deadline time.Time) (err error) {
	if err := db.openFile(os.O_RDONLY); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			db.closeFile()
		}
	}()
	if err := db.lockFile(ctx, unix.LOCK_SH, deadline); err != nil {
		return err
	}
	o := boltOptions(db.file)
	o.ReadOnly = true
	return db.read(ctx, o)
}

// salvage adds what can be read of a file that bbolt must not see.
func (r *Report) salvage() error {
	left, err := salvageFile(r.Path)
	if err != nil {
		return cannotOpen(r.Path, err)
	}
	r.Size, r.Version, r.Mailboxes = left.size, left.version, nil
	for _, key := range slices.Sorted(maps.Keys(left.mailboxes)) {
		r.Mailboxes = append(r.Mailboxes, left.summary(r.Path, left.mailboxes[key]))
	}
	r.sort()
	for _, f := range left.faults {
		if !slices.Contains(r.Faults, f) {
			r.Faults = append(r.Faults, f)
		}
	}
	return nil
}

// sort brings the mailboxes into the order in which people look for them.
func (r *Report) sort() {
	slices.SortFunc(r.Mailboxes, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Mailbox.String(), b.Mailbox.String()))
	})
}

func (r *Report) fault(where string, err error) {
	r.Faults = append(r.Faults, Fault{Where: where, What: err.Error()})
}

// examine reads all of an open state.
func (r *Report) examine(ctx context.Context, tx *bolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	version, err := getSealed(meta, keyVersion)
	if err != nil {
		r.fault("", fmt.Errorf("version: %w", err))
	}
	r.Version, _ = strconv.Atoi(string(version))
	if _, err := getSealed(meta, keyCreated); err != nil {
		r.fault("", fmt.Errorf("when it was created: %w", err))
	}
	there := set{}
	err = tx.Bucket(bucketMailboxes).ForEachBucket(func(key []byte) error {
		there.add(sum(key, nil))
		return r.mailbox(ctx, tx, key)
	})
	if err != nil {
		return err
	}
	if want, err := mailboxes(tx); err != nil {
		r.fault("", err)
	} else if there != want {
		r.fault("", fmt.Errorf("%d mailboxes of %d are there, or others", there.n, want.n))
	}
	r.sort()
	return nil
}

// mailbox examines a single one.
func (r *Report) mailbox(ctx context.Context, tx *bolt.Tx, key []byte) error {
	m, err := parseMailbox(string(key))
	if err != nil {
		r.fault("", fmt.Errorf("mailbox %q: %w", key, err))
		return nil
	}
	summary := Summary{Mailbox: m}
	found := func(err error) {
		r.fault(m.String(), err)
		if summary.Err == nil {
			summary.Err = &DamageError{Path: r.Path, Mailbox: &m, Err: err}
		}
	}
	s, err := openShelf(tx, key)
	if err != nil {
		found(err)
	} else if err := summary.count(ctx, s, found); err != nil {
		return err
	}
	r.Mailboxes = append(r.Mailboxes, summary)
	return nil
}
