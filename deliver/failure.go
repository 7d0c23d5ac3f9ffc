package deliver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// failed wraps a failed file operation in the folder dir. The error names the folder and not the
// file, whose random name tells nobody anything.
func failed(dir string, err error) *Error {
	e := &Error{Kind: IO, Err: fmt.Errorf("%s: %w", dir, cause(err))}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		e.Hint = "free space or inodes on the file system of " + dir
	case errors.Is(err, syscall.EDQUOT):
		e.Hint = "free space below the quota on the file system of " + dir
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Kind, e.Hint = Create, "make "+dir+" writable for the user who runs popsync"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		e.Kind = Create
	}
	return e
}

// cause is err without the operation and the path that package os puts around it.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// unusable is an error about the target as a whole.
func unusable(hint, format string, args ...any) *Error {
	return &Error{Kind: Create, Err: fmt.Errorf(format, args...), Hint: hint}
}

// fill answers err for all of n messages.
func fill(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
