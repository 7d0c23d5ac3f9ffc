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
	create(path string, mode fs.FileMode) (file, error) // which must not be there
	write(f file, p []byte) (int, error)
	writeback(f file, at, n int64) error
	fsync(f file) error
	rename(from, to string) error // replaces nothing
	remove(path string) error
	syncDir(path string) error
}

type kernel struct{}

func (kernel) create(path string, mode fs.FileMode) (file, error) {
	return openFile(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, mode)
}

func (kernel) write(f file, p []byte) (int, error) { return f.write(p) }
func (kernel) fsync(f file) error                  { return f.sync() }
func (kernel) writeback(f file, at, n int64) error { return f.startWriteback(at, n) }
func (kernel) rename(from, to string) error        { return renameNew(from, to) }
func (kernel) remove(path string) error            { return os.Remove(path) }
func (kernel) syncDir(path string) error           { return durable.SyncDir(path) }
