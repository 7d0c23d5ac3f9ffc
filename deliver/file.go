package deliver

import (
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// A file is the descriptor of a file that is being staged. An [os.File] would do as well, with two
// more system calls and three allocations a message: it finds out whether it can be polled.
type file int

// openFile opens path, again where a network file system was interrupted by the runtime's own signals.
func openFile(path string, flags int, mode fs.FileMode) (file, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, uint32(mode.Perm()))
		switch err {
		case nil:
			return file(fd), nil
		case unix.EINTR:
		default:
			return 0, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// write writes all of p.
func (f file) write(p []byte) (written int, err error) {
	for written < len(p) {
		n, err := unix.Write(int(f), p[written:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return written, err
		case n == 0:
			return written, io.ErrUnexpectedEOF
		}
		written += max(0, n)
	}
	return written, nil
}

// sync makes the content durable.
func (f file) sync() error {
	for {
		if err := unix.Fsync(int(f)); err != unix.EINTR {
			return err
		}
	}
}

func (f file) mode() (fs.FileMode, error) {
	var st unix.Stat_t
	err := unix.Fstat(int(f), &st)
	return fs.FileMode(st.Mode).Perm(), err
}

func (f file) chmod(mode fs.FileMode) error { return unix.Fchmod(int(f), uint32(mode.Perm())) }

// close gives the descriptor back, whatever it says: it is not to be called twice.
func (f file) close() error { return unix.Close(int(f)) }
