package deliver

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames and replaces nothing. File systems that cannot promise that (NFS) get a
// plain rename: the names are unique, so this is a second guard only.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINTR):
		return os.Rename(from, to)
	case err != nil:
		return &os.LinkError{Op: "renameat2", Old: from, New: to, Err: err}
	}
	return nil
}
