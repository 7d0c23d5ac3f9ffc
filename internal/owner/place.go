package owner

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// listen binds a socket beside and renames it, so that at path there is never one that others may
// open, nor one that nobody listens at.
func listen(path string) (*net.UnixListener, fs.FileInfo, error) {
	beside := path + newSuffix
	for _, name := range []string{path, beside} {
		if err := checkPlace(name); err != nil {
			return nil, nil, err
		}
	}
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: beside, Net: "unix"})
	if err != nil {
		return nil, nil, &fs.PathError{Op: "listen at", Path: path, Err: reason(err)}
	}
	file, err := settle(beside, path)
	if err != nil {
		return nil, nil, errors.Join(err, socket.Close()) // which removes the name that it was bound to
	}
	return socket, file, nil
}

// settle gives a socket its mode and its name, in this order.
func settle(beside, path string) (fs.FileInfo, error) {
	if err := os.Chmod(beside, 0o600); err != nil {
		return nil, err
	}
	file, err := os.Lstat(beside)
	if err != nil {
		return nil, err
	}
	return file, os.Rename(beside, path)
}

// checkPlace is about what lies where a socket is going to be.
func checkPlace(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is %s where the state's socket has to be; move it away", path, kind(info.Mode()))
	}
	return nil
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "a file"
	case m.IsDir():
		return "a folder"
	case m.Type() == fs.ModeSymlink:
		return "a link"
	}
	return "something else"
}

// reason takes off err what the net package says of sockets and addresses.
func reason(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err
}
