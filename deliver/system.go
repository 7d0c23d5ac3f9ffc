package deliver

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"popsync/internal/durable"
)

// A system has the file operations whose order and failure decide what a crash leaves behind.
// Tests put failures and records in the place of [kernel].
type system interface {
	create(path string, mode fs.FileMode) (*os.File, error) // which must not be there
	write(f *os.File, p []byte) (int, error)
	fsync(f *os.File) error
	rename(from, to string) error // replaces nothing
	remove(path string) error
	syncDir(path string) error
}

type kernel struct{}

// create spares four calls by which [os.OpenFile] finds out that a file cannot be polled.
func (kernel) create(path string, mode fs.FileMode) (*os.File, error) {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for {
		fd, err := unix.Open(path, flags, uint32(mode.Perm()))
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR: // network file systems may be interrupted by the runtime's own signals
		default:
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

func (kernel) write(f *os.File, p []byte) (int, error) { return f.Write(p) }
func (kernel) fsync(f *os.File) error                  { return f.Sync() }
func (kernel) rename(from, to string) error            { return renameNew(from, to) }
func (kernel) remove(path string) error                { return os.Remove(path) }
func (kernel) syncDir(path string) error               { return durable.SyncDir(path) }
