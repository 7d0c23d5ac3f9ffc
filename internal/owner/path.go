package owner

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// newSuffix is what a socket's name ends with until it is in its place.
const newSuffix = "~"

// maxPath is the longest path in octets that a socket's address holds, with its NUL and newSuffix.
const maxPath = len(unix.RawSockaddrUnix{}.Path) - 1 - len(newSuffix)

// Path is where the socket of a state lies: STATE.sock, or where that is too long for a socket's
// address, popsync-HASH.sock in runtimeDir, which is the value of $XDG_RUNTIME_DIR. Links are
// followed first, so that all names of a state lead to the same socket, whether the state has
// been created or not. Its folder has to be there.
func Path(state, runtimeDir string) (string, error) {
	state, err := resolve(state)
	if err != nil {
		return "", err
	}
	beside := state + ".sock"
	if len(beside) <= maxPath {
		return beside, nil
	}
	if !filepath.IsAbs(runtimeDir) {
		return "", tooLong(beside, "set XDG_RUNTIME_DIR to a folder of your own, or put the state where its path is shorter")
	}
	hash := sha256.Sum256([]byte(state))
	path := filepath.Join(runtimeDir, fmt.Sprintf("popsync-%x.sock", hash[:16]))
	if len(path) > maxPath {
		return "", tooLong(path, "set XDG_RUNTIME_DIR to a shorter path")
	}
	return path, nil
}

// resolve is the absolute path without links of a state that may not be there yet.
func resolve(state string) (string, error) {
	state, err := filepath.Abs(state)
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(state); !errors.Is(err, fs.ErrNotExist) {
		return filepath.EvalSymlinks(state)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(state))
	return filepath.Join(dir, filepath.Base(state)), err
}

func tooLong(path, advice string) error {
	return fmt.Errorf("socket %s: a path of %d octets is too long for a socket, which takes %d; %s", path, len(path), maxPath, advice)
}
