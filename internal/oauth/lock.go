package oauth

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockAgain is the time between two tries for a lock: flock cannot wait and be interrupted.
const lockAgain = 50 * time.Millisecond

// lock is held around read, renew and write; it waits until ctx ends. Its file is never removed, or
// two processes could each lock one of that name. It works within one process too.
func (s *Source) lock(ctx context.Context) (unlock func(), err error) {
	if err := s.makeFolder(); err != nil {
		return nil, err
	}
	path := filepath.Join(s.set.Dir, s.set.Account+".lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, s.storage(err)
	}
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case nil:
			return func() { f.Close() }, nil
		case unix.EWOULDBLOCK, unix.EINTR:
		default:
			f.Close()
			return nil, s.storage(&os.PathError{Op: "lock", Path: path, Err: err})
		}
		if err := pause(ctx, lockAgain); err != nil {
			f.Close()
			return nil, err
		}
	}
}

// pause waits, or returns the cause of ctx's end.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
