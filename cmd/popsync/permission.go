package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"popsync/internal/shell"
)

// permissionHint is what lets us have a file that we are refused, or empty if err is another one.
func permissionHint(err error) string {
	pe, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	path, mode := pe.Path, "u+rw"
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		path = filepath.Dir(path) // where it cannot be created
		info, err = os.Stat(path)
	}
	if err != nil {
		return "see which of the folders above it keeps you out: namei -l " + shell.Quote(path)
	}
	if info.IsDir() {
		mode = "u+rwx"
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); ok && int(st.Uid) != uid {
		return fmt.Sprintf("%s belongs to uid %d, and popsync runs as uid %d: run it as that user, or: chown %d %s",
			path, st.Uid, uid, uid, shell.Quote(path))
	}
	return "chmod " + mode + " " + shell.Quote(path)
}
