package uidl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"popsync/internal/durable"
)

// Version is the newest version of the state that this program understands.
const Version = 3 // 1: records and intents without the digest of a header; 2: no history

// everybody is the whole of a gate.
const everybody = math.MaxInt64

// The default of Options.Wait.
const defaultWait = 5 * time.Second

var (
	bucketMeta      = []byte("meta")
	bucketMailboxes = []byte("mailboxes")

	keyVersion   = []byte("version")
	keyID        = []byte("id")
	keyCreated   = []byte("created")
	keyMailboxes = []byte("mailboxes")
)

// Options say how to open a state.
type Options struct {
	Wait    time.Duration // how long to wait for another owner of the state; 0: 5 s
	History time.Duration // how long the history reaches back; 0: none is kept, and what there is goes with time
}

// A DB is an open UIDL database, and its only owner. Its methods and those of its Boxes may be
// called from several goroutines.
type DB struct {
	path    string
	id      string
	keep    time.Duration // of the history
	version int           // of the file; only the committer looks at it after Open
	lock    *lock
	vouched string // what the owner before has written of the file: see [vouch]
	checked Stamp  // when the shape of the file was
	lost    bool   // created, though there has been one
	disk    disk

	// gate is held by whoever uses what stands below: one of it, or all by who replaces the file.
	gate   *semaphore.Weighted
	file   *os.File // the one that bolt has open
	bolt   *bolt.DB
	broken error   // the file was replaced, and nobody knows whether durably
	seen   version // of the file after the last transaction; of who writes

	upkeep *semaphore.Weighted // one, for who writes a copy of the file

	queue chan *request // to the committer
	ended chan struct{} // closed once the committer is done

	size  atomic.Int64 // octets of the file after the last transaction; only Compact shrinks it
	doubt atomic.Bool  // something is wrong with the file, or somebody else has written to it
	stuck atomic.Bool  // bolt panicked while it held locks of its own

	mu     sync.Mutex
	closed bool
	failed error             // of the last transaction: there is none any more
	users  sync.WaitGroup    // calls under way
	owners map[string]string // the account that last asked for each mailbox, by the mailbox's key
}

// Open opens the state at path and creates it, with the folders above it, where there is none.
// It has one owner at a time, and Open waits for it as o says. Opening a state that is there
// changes nothing in it, but that one of an earlier version gets its list of free pages.
//
// The error is a *[HeldError], a *[DamageError], a *[VersionError], ctx's, or wraps the operating
// system's as an *fs.PathError: a state that cannot be created or opened for writing, or a disk
// that is full, is found out here.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, cannotOpen(path, err)
	}
	deadline := time.Now().Add(o.Wait)
	l, err := takeLock(ctx, path, deadline)
	if err != nil {
		return nil, err
	}
	db := newDB(path, o)
	db.lock, db.vouched = l, l.vouched
	if err := db.open(ctx, deadline); err != nil {
		l.release()
		return nil, err
	}
	go db.commitAll()
	return db, nil
}

func newDB(path string, o Options) *DB {
	return &DB{
		path:   path,
		keep:   o.History,
		gate:   semaphore.NewWeighted(everybody),
		upkeep: semaphore.NewWeighted(1),
		queue:  make(chan *request),
		ended:  make(chan struct{}),
		owners: make(map[string]string),
	}
}

// Note is what its user is to be told once, or empty.
func (db *DB) Note() string {
	if !db.lost {
		return ""
	}
	note := fmt.Sprintf("state %s was not there any more and begins anew: what lies on the servers counts as new", db.path)
	if id, err := idOf(goodPath(db.path)); err == nil && id != "" && id != db.id {
		note += fmt.Sprintf("; to go back to its good copy, end popsync, move %[1]s away and run `popsync uidl repair`", db.path)
	}
	return note
}

// open opens the file under the lock. After an error nothing of it stays open.
func (db *DB) open(ctx context.Context, deadline time.Time) (err error) {
	if err := db.createMissing(); err != nil {
		return err
	}
	if err := db.openFile(os.O_RDWR); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			db.closeFile()
		}
	}()
	if err := db.lockFile(ctx, unix.LOCK_EX, deadline); err != nil {
		return err
	}
	if err := db.settleDown(); err != nil {
		return cannotOpen(db.path, err)
	}
	if err := db.read(ctx, boltOptions(db.file)); err != nil {
		return err
	}
	if err := db.sweep(); err != nil {
		return cannotOpen(db.path, err)
	}
	if err := probe(db.path); err != nil {
		return cannotOpen(db.path, err)
	}
	if err := db.lock.opened(); err != nil {
		return cannotOpen(db.path, err)
	}
	return nil
}

// lockFile locks the file itself, as bbolt's own tools do, and who has a second name (a link) for
// the same state.
func (db *DB) lockFile(ctx context.Context, how int, deadline time.Time) error {
	err := flock(ctx, db.file, how, deadline)
	if errors.Is(err, errHeld) {
		return &HeldError{Path: db.path}
	}
	return err
}

// read gives the file to bbolt, once it has the shape of a database, and finds out whether it is a state.
// What the owner before us has checked, and nobody has written to since, has it.
func (db *DB) read(ctx context.Context, o *bolt.Options) error {
	db.measure()
	db.checked = vouchedOf(db.seen, db.vouched, At(time.Now()))
	if db.checked.IsZero() {
		if err := checkPages(db.file); err != nil {
			return db.damaged(err)
		}
		db.checked = At(time.Now())
	}
	if err := db.openBolt(o); err != nil {
		return err
	}
	return db.readMeta(ctx)
}

// sweep removes what a crash left of a copy of the state.
func (db *DB) sweep() error {
	target, err := filepath.EvalSymlinks(db.path)
	if err != nil {
		return err
	}
	return errors.Join(db.disk.remove(beside(target)), db.disk.remove(beside(goodPath(db.path))))
}

// settleDown makes durable what an owner that was killed had written and not synced, the file's
// name included, before anybody acts upon it: messages published for an intent that a power cut
// then takes back would come again.
func (db *DB) settleDown() error {
	if err := db.file.Sync(); err != nil {
		return err
	}
	dir := filepath.Dir(db.path)
	if err := durable.SyncDir(dir); err != nil {
		return err
	}
	// A parent that we may not read is somebody else's work, and old.
	if err := durable.SyncDir(filepath.Dir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// createMissing makes a new database where there is none.
func (db *DB) createMissing() error {
	switch _, err := os.Stat(db.path); {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return cannotOpen(db.path, err)
	}
	if _, err := os.Lstat(db.path); err == nil {
		// What it points to may come back, with all its records: a disk not mounted yet.
		return cannotOpen(db.path, linkToNothing(db.path))
	}
	db.lost = db.lock.used
	if err := create(db.path); err != nil {
		return cannotOpen(db.path, err)
	}
	return nil
}

func linkToNothing(path string) error {
	return &fs.PathError{Op: "follow the link", Path: path, Err: fs.ErrNotExist}
}

// openFile opens the database.
func (db *DB) openFile(flag int) error {
	info, err := os.Stat(db.path)
	switch {
	case err != nil:
		return cannotOpen(db.path, err)
	case info.IsDir():
		return db.damaged(errors.New("it is a folder"))
	case !info.Mode().IsRegular():
		return db.damaged(errors.New("it is not a file"))
	}
	db.file, err = os.OpenFile(db.path, flag, 0)
	if err != nil {
		return cannotOpen(db.path, err)
	}
	return nil
}

// openBolt gives the file to bbolt, which closes it from now on, unless it panics.
func (db *DB) openBolt(o *bolt.Options) (err error) {
	defer db.recovered(&err)
	b, err := bolt.Open(db.path, 0o600, o)
	if err != nil {
		if unread := canRead(db.path); unread != nil { // bbolt takes a page that it cannot read for a damaged one
			return cannotOpen(db.path, unread)
		}
		return db.damaged(err)
	}
	db.bolt = b
	return nil
}

// boltOptions are those of every state. With a file, bbolt takes that one.
func boltOptions(f *os.File) *bolt.Options {
	o := &bolt.Options{
		Timeout:      defaultWait,
		FreelistType: bolt.FreelistMapType,
	}
	if f != nil {
		o.OpenFile = func(string, int, os.FileMode) (*os.File, error) { return f, nil }
	}
	return o
}

// readMeta checks that the file is a state and of a version that we know.
func (db *DB) readMeta(ctx context.Context) error {
	return db.view(ctx, func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil || meta.Get(keyVersion) == nil {
			return db.damaged(errors.New("it is a database of another program"))
		}
		version, err := getSealed(meta, keyVersion)
		if err != nil {
			return db.damaged(fmt.Errorf("version: %w", err))
		}
		n, err := strconv.Atoi(string(version))
		switch {
		case err != nil || n < 1:
			return db.damaged(fmt.Errorf("version %q", version))
		case n > Version:
			return &VersionError{Path: db.path, Version: n}
		case tx.Bucket(bucketMailboxes) == nil:
			return db.damaged(errors.New("the mailboxes are missing"))
		}
		id, err := getSealed(meta, keyID)
		if err != nil {
			return db.damaged(fmt.Errorf("id: %w", err))
		}
		db.id, db.version = string(id), n
		return nil
	})
}

// ID is 8 hex digits, made when the state was created. The names that popsync gives to files
// carry it, so that those of another state are left alone.
func (db *DB) ID() string { return db.id }

// Close waits for what is under way, then lets go of the state. Later calls of other methods fail
// with fs.ErrClosed.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	db.mu.Unlock()

	db.users.Wait()
	close(db.queue)
	<-db.ended
	vouched := db.vouch()
	// What was committed is durable, whatever closing says: the kernel frees the locks.
	_ = db.closeFile()
	if vouched != "" {
		_ = db.lock.sign(vouched)
	}
	_ = db.lock.release()
	return nil
}

// closeFile closes the database and writes nothing.
func (db *DB) closeFile() error {
	if db.bolt == nil || db.stuck.Load() {
		// bbolt's Close would wait for its own locks for ever.
		return db.file.Close()
	}
	return db.bolt.Close()
}

// enter counts a call that is under way. Each is followed by db.users.Done.
func (db *DB) enter() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return fmt.Errorf("state %s: %w", db.path, fs.ErrClosed)
	}
	db.users.Add(1)
	return nil
}

// view runs f in a reading transaction. What bbolt panics about is a *DamageError.
func (db *DB) view(ctx context.Context, f func(*bolt.Tx) error) (err error) {
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
	tx, err := db.begin(false)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return f(tx)
}

// begin starts a transaction on a file that is still whole.
func (db *DB) begin(writable bool) (*bolt.Tx, error) {
	if err := db.usable(); err != nil {
		return nil, err
	}
	if writable {
		db.watch()
	}
	began := false
	defer func() {
		if !began {
			db.stuck.Store(true)
		}
	}()
	tx, err := db.bolt.Begin(writable)
	began = true
	return tx, err
}

// usable says why no transaction can begin.
func (db *DB) usable() error {
	if db.broken != nil {
		return db.broken
	}
	if db.stuck.Load() {
		return db.damaged(errors.New("an earlier fault ended its use"))
	}
	return db.inPlace()
}

// inPlace finds out whether somebody cut the file short, removed it or put another in its place.
// What is written to it then is lost, and mail would come twice.
func (db *DB) inPlace() error {
	least := db.size.Load()
	ours, err := db.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(db.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(ours, there) {
		return db.damaged(errors.New("it was removed or replaced while in use"))
	}
	if err != nil {
		return err
	}
	if ours.Size() < least {
		return db.damaged(errors.New("it was cut short while in use"))
	}
	return nil
}

// measure notes the size of the file and its version, when nobody writes to it.
func (db *DB) measure() {
	if info, err := db.file.Stat(); err == nil {
		db.size.Store(info.Size())
		db.seen = versionOf(info)
	}
}

// damaged says that the state as a whole is damaged. An error of the operating system stays one.
func (db *DB) damaged(err error) error {
	if isSystem(err) {
		return cannotOpen(db.path, err)
	}
	db.doubt.Store(true)
	return &DamageError{Path: db.path, Err: err}
}

// recovered turns a panic into a *DamageError.
func (db *DB) recovered(err *error) {
	if r := recover(); r != nil {
		*err = db.damaged(fmt.Errorf("%v", r))
	}
}

func recoverAs(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%v", r)
	}
}

// putSealed stores body with its checksum.
func putSealed(b *bolt.Bucket, key, body []byte) error { return b.Put(key, seal(key, body)) }

// getSealed returns the value under key, nil where there is none, or errSum.
func getSealed(b *bolt.Bucket, key []byte) ([]byte, error) {
	sealed := b.Get(key)
	if sealed == nil {
		return nil, nil
	}
	return unseal(key, sealed)
}

// canRead tries to read the file's beginning.
func canRead(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.ReadAt(make([]byte, 1), 0)
	return err
}
