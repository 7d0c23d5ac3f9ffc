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
)

// maxSize is the most that is read in search of the first line, in bytes; OAuth2 tokens of a
// few kB are the longest secrets seen.
const maxSize = 64 << 10

// File is the file path. It has to belong to the running user or root and be nobody else's to
// read (see [CheckMode]).
func File(path string) Source {
	return func(context.Context) (Value, error) {
		return readFile(path, func(info fs.FileInfo) error {
			if err := CheckOwner(path, info, os.Getuid()); err != nil {
				return err
			}
			return CheckMode(path, info, os.Getuid())
		})
	}
}

// Credential is the systemd credential name: a file of $CREDENTIALS_DIRECTORY (systemd.exec(5),
// LoadCredential=). Owner and mode are systemd's affair: the folder is the service's own.
func Credential(name string) Source {
	return func(context.Context) (Value, error) {
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		switch {
		case dir == "":
			return Value{}, fmt.Errorf("credential %s: $CREDENTIALS_DIRECTORY is not set; "+
				"run popsync as a systemd service with LoadCredential=%s:FILE", name, name)
		case name == "", name == ".", name == "..", strings.ContainsRune(name, '/'):
			return Value{}, fmt.Errorf("credential %s: a name of a credential is a plain file name", name)
		}
		path := filepath.Join(dir, name)
		v, err := readFile(path, func(fs.FileInfo) error { return nil })
		if errors.Is(err, fs.ErrNotExist) {
			return Value{}, fmt.Errorf("credential %s: %w; add LoadCredential=%s:FILE to the service", name, err, name)
		}
		return v, err
	}
}

// readFile reads the secret in path once permit has seen the open file. Opened without waiting:
// a named pipe that nobody writes to would hold the account for ever.
func readFile(path string, permit func(fs.FileInfo) error) (Value, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Value{}, fmt.Errorf("secret file %s: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return Value{}, fmt.Errorf("secret file %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Value{}, fmt.Errorf("secret file %w", err)
	}
	if !info.Mode().IsRegular() {
		return Value{}, fmt.Errorf("secret file %s is not a regular file", path)
	}
	if err := permit(info); err != nil {
		return Value{}, fmt.Errorf("secret file %s %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return Value{}, fmt.Errorf("secret file %w", err)
	}
	v, err := firstLine(string(text))
	if err != nil {
		return Value{}, fmt.Errorf("secret file %s: %w", path, err)
	}
	return v, nil
}
