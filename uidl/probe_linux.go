package uidl

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openNameless opens a new file in dir that never gets a name there.
func openNameless(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDWR|unix.O_TMPFILE, 0o600)
	// EISDIR: a kernel before O_TMPFILE; EOPNOTSUPP: a file system without it.
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) {
		return openUnlinked(dir)
	}
	return f, err
}
