package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// S3: no permission, and the way out of each kind.
func TestPermissionHint(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "my state")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	denied := func(path string) error {
		return fmt.Errorf("state: %w", &fs.PathError{Op: "open", Path: path, Err: syscall.EACCES})
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"a file":                        {denied(file), "chmod u+rw '" + file + "'"},
		"a file that cannot be created": {denied(filepath.Join(dir, "lock")), "chmod u+rwx " + dir},
		"a folder above":                {denied(filepath.Join(dir, "none", "state")), "see which of the folders above it keeps you out: namei -l " + dir + "/none"},
		"another error":                 {&fs.PathError{Op: "open", Path: file, Err: syscall.ENOENT}, ""},
		"no file at all":                {errors.New("no"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := permissionHint(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(file, 1, -1); err != nil {
			t.Fatal(err)
		}
		if got := permissionHint(denied(file)); !strings.Contains(got, "belongs to uid 1, and popsync runs as uid 0") {
			t.Errorf("another's: %q", got)
		}
	}
}
