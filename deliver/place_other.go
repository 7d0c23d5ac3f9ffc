//go:build !linux

package deliver

import (
	"os"
	"syscall"
)

// placeOf is 0 where it cannot be found out.
func placeOf(dir string) place {
	info, err := os.Stat(dir)
	if err != nil {
		return 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return place(st.Ino)
}
