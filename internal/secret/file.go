package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"popsync/internal/shell"
)

// File is the file path. It has to belong to the running user or root and be nobody else's to
// read (see [CheckMode]).
func File(path string) Source {
	return func(context.Context) (Value, error) {
		return readFirstLine(path, private(path))
	}
}

// private permits a file that is the running user's or root's, and closed to others.
func private(path string) func(fs.FileInfo) error {
	return func(info fs.FileInfo) error {
		if err := CheckOwner(path, info, os.Getuid()); err != nil {
			return err
		}
		return CheckMode(path, info, os.Getuid())
	}
}

// Credential is the systemd credential name: a file of $CREDENTIALS_DIRECTORY (systemd.exec(5),
// LoadCredential=). Owner and mode are systemd's affair: the folder is the service's own.
func Credential(name string) Source {
	return func(context.Context) (Value, error) {
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		switch {
		case dir == "":
			return Value{}, hinted("run popsync as a systemd service with LoadCredential="+name+":FILE",
				"credential %s: $CREDENTIALS_DIRECTORY is not set", name)
		case name == "", name == ".", name == "..", strings.ContainsRune(name, '/'):
			return Value{}, hinted("write the name of LoadCredential=NAME:FILE", "credential %s: the name is no plain file name", name)
		}
		path := filepath.Join(dir, name)
		v, err := readFirstLine(path, func(fs.FileInfo) error { return nil })
		if errors.Is(err, fs.ErrNotExist) {
			return Value{}, hinted("add LoadCredential="+name+":FILE to the service", "credential %s: %w", name, err)
		}
		return v, err
	}
}

// readFirstLine reads the secret in the file path once permit has seen the open file.
func readFirstLine(path string, permit func(fs.FileInfo) error) (Value, error) {
	text, err := readFile(path, MaxOutput, permit)
	if err != nil {
		return Value{}, behind("secret file ", err, fileHint(path, err))
	}
	v, err := firstLine(text)
	return v, behind("secret file "+path+": ", err, "its first line is to be the password")
}

// fileHint is for a file that cannot be read.
func fileHint(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "make it, for yourself alone: mode 0600"
	case errors.Is(err, fs.ErrPermission):
		return "let the user that popsync runs as read it: see ls -l " + shell.Quote(path)
	}
	return "see what it is: ls -l " + shell.Quote(path)
}

// readFile reads at most most bytes of path once permit has seen the open file. Its error begins
// with the path. Opened without waiting: a named pipe that nobody writes to would hold the
// account for ever.
func readFile(path string, most int, permit func(fs.FileInfo) error) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", pathFirst(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", pathFirst(path, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	if err := permit(info); err != nil {
		return "", behind(path+" ", err, "")
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(most)))
	if err != nil {
		return "", pathFirst(path, err)
	}
	return string(text), nil
}

// pathFirst is what the system says of path, without the name of the call.
func pathFirst(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
