package uidl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// A HeldError says that another program owns the state and did not let go of it in time.
type HeldError struct {
	Path string
	PID  int // 0: not known
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("state %s is held by another program", e.Path)
	}
	return fmt.Sprintf("state %s is held by pid %d", e.Path, e.PID)
}

// Hint says what a person can do.
func (e *HeldError) Hint() string {
	return "it was waited for in vain: try again when that program has ended, or end it"
}

// A DamageError says that the state, or one mailbox in it, does not hold what was written to it.
// Nothing is repaired or created anew: both could fetch everything again.
type DamageError struct {
	Path    string
	Mailbox *Mailbox // nil: the state as a whole
	Err     error    // what is wrong
	hint    string   // what a person can do, where that is not to repair
}

func (e *DamageError) Error() string {
	if e.Mailbox == nil {
		return fmt.Sprintf("state %s is damaged: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("state %s is damaged: mailbox %v: %v", e.Path, e.Mailbox, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// Hint says what a person can do.
func (e *DamageError) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	hint := "`popsync uidl verify` says what is wrong, `popsync uidl repair` saves what can be read"
	if info, err := os.Stat(goodPath(e.Path)); err == nil && info.Mode().IsRegular() {
		hint += fmt.Sprintf(" and takes the rest from the good copy of %s, %s",
			info.ModTime().Format(time.DateOnly), goodPath(e.Path))
	}
	return hint
}

// A VersionError says that a newer popsync wrote the state. It was left alone.
type VersionError struct {
	Path    string
	Version int // the state's; the newest that is understood is [Version]
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("state %s has version %d, of a newer popsync; this one knows version %d", e.Path, e.Version, Version)
}

// Hint says what a person can do.
func (e *VersionError) Hint() string { return "use the newer popsync, or another state" }

// A WriteError says that a transaction failed and nobody knows whether it is durable. From then
// on the database refuses every change with the same error; opening it anew finds out.
type WriteError struct {
	Path string
	Err  error
}

func (e *WriteError) Error() string { return fmt.Sprintf("state %s: write: %v", e.Path, e.Err) }
func (e *WriteError) Unwrap() error { return e.Err }

// cannotOpen names the state beside the file that the operating system refused, which may be
// another: the lock, a parent folder. Callers find the *fs.PathError inside.
func cannotOpen(path string, err error) error {
	pe, ok := errors.AsType[*fs.PathError](err)
	switch {
	case ok && pe.Path == path:
		return fmt.Errorf("state %s: %s: %w", path, pe.Op, &bare{pe})
	case ok, isLinkError(err):
		return fmt.Errorf("state %s: %w", path, err)
	}
	return &WriteError{Path: path, Err: err} // bbolt's own errors do not say which file it was
}

// isSystem reports whether the operating system says err, and nothing of ours is around it.
func isSystem(err error) bool {
	_, isWrite := errors.AsType[*WriteError](err)
	_, isPath := errors.AsType[*fs.PathError](err)
	_, isErrno := errors.AsType[syscall.Errno](err)
	return !isWrite && (isPath || isErrno)
}

// bySystem is cannotOpen for what the operating system says; other errors stay as they are.
func bySystem(path string, err error) error {
	if isSystem(err) {
		return cannotOpen(path, err)
	}
	return err
}

func isLinkError(err error) bool {
	_, ok := errors.AsType[*os.LinkError](err)
	return ok
}

// A bare error is an *fs.PathError that shows only the reason, where the path was said already.
type bare struct{ path *fs.PathError }

func (e *bare) Error() string { return e.path.Err.Error() }
func (e *bare) Unwrap() error { return e.path }
