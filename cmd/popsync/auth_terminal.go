package main

import "golang.org/x/sys/unix"

// longLines lets the terminal fd take lines of more than 4096 characters, which is all that it
// gathers for a program by default: an address with a code may be longer. Ctrl-C works as ever.
func longLines(fd int) (restore func()) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {}
	}
	now := *before
	now.Lflag &^= unix.ICANON
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
	if unix.IoctlSetTermios(fd, setTermios, &now) != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }
}
