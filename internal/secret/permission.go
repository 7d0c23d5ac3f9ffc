package secret

import (
	"fmt"
	"io/fs"
	"syscall"

	"popsync/internal/shell"
)

const root = 0

// CheckOwner refuses a file that belongs to neither the user uid nor root: its owner could
// change what is in it. The error goes behind the file's name; path is for the command in its hint.
// It is an *[Error].
func CheckOwner(path string, info fs.FileInfo, uid int) error {
	owner := ownerOf(info)
	if owner == uid || owner == root {
		return nil
	}
	return hinted(fmt.Sprintf("make it yours: chown %d %s", uid, shell.Quote(path)),
		"belongs to uid %d, neither to root nor to uid %d that popsync runs as", owner, uid)
}

// CheckMode refuses a file that holds a secret and is open to others than its owner. Where root
// owns it the group may read, which is how a service gets a file that it cannot change. The error
// goes behind the file's name, as with [CheckOwner].
func CheckMode(path string, info fs.FileInfo, uid int) error {
	owner, mode := ownerOf(info), info.Mode().Perm()
	forbidden, mend := fs.FileMode(0o077), "600"
	if owner == root {
		forbidden = 0o037
		if uid != root {
			mend = "640" // with 600 popsync itself could not read it
		}
	}
	if mode&forbidden == 0 {
		return nil
	}
	return hinted(fmt.Sprintf("close it: chmod %s %s", mend, shell.Quote(path)),
		"holds a secret and its mode %04o lets others at it", mode)
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1 // nobody's: refused
}
