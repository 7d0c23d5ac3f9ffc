package uidl

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lockAgain is the time between two tries for a lock: flock cannot wait and be interrupted.
const lockAgain = 50 * time.Millisecond

// A lock is the ownership of a state: a file beside it that is locked, and holds the owner's
// process id for those who wait in vain. It is never renamed or removed, or two programs could
// each lock a file of that name. The kernel ends the lock with its process.
type lock struct {
	file    *os.File
	used    bool   // an owner before us had a state
	vouched string // what the owner before us has written of its file, if it ended in order
}

// takeLock waits for the ownership of the state at path until deadline or ctx ends. The error is
// ctx's, a *[HeldError], or the operating system's.
func takeLock(ctx context.Context, path string, deadline time.Time) (*lock, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	l := &lock{file: f}
	err = flock(ctx, f, unix.LOCK_EX, deadline)
	if err == nil {
		l.read()
		err = l.sign("")
	}
	if errors.Is(err, errHeld) {
		err = &HeldError{Path: path, PID: l.owner()}
	}
	if err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// ownerOf is the process id of who has the lock of a state, 0 if nobody has or names himself.
func ownerOf(path string) int {
	f, err := os.Open(path + ".lock")
	if err != nil {
		return 0
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil {
		return 0
	}
	return (&lock{file: f}).owner()
}

// sign writes our process id into the lock, the line of [vouch] if there is one, and whether there has
// been a state. As long as the state is in use nobody vouches for it.
func (l *lock) sign(vouched string) error {
	text := strconv.Itoa(os.Getpid()) + "\n" + vouched
	if l.used {
		text += hadState
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(text)))
}

// opened notes that there is a state: should it be gone next time, that is worth a word.
func (l *lock) opened() error {
	l.used = true
	return l.sign("")
}

const hadState = "state\n"

// read reads what the owner before us has left.
func (l *lock) read() {
	b, err := io.ReadAll(io.NewSectionReader(l.file, 0, 256))
	if err != nil {
		return
	}
	_, rest, _ := strings.Cut(string(b), "\n")
	l.vouched, l.used = strings.CutSuffix(rest, hadState)
}

// owner reads the process id of who has the lock, 0 where there is none.
func (l *lock) owner() int {
	b, err := io.ReadAll(io.NewSectionReader(l.file, 0, 32))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, _ := strconv.Atoi(line)
	return pid
}

func (l *lock) release() error { return l.file.Close() }

var errHeld = errors.New("locked by another program")

// flock locks f, unix.LOCK_EX for oneself or unix.LOCK_SH with others who only read. At the deadline
// it returns errHeld.
func flock(ctx context.Context, f *os.File, how int, deadline time.Time) error {
	again := time.NewTicker(lockAgain)
	defer again.Stop()
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		case !time.Now().Before(deadline):
			return errHeld
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
