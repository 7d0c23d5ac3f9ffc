//go:build !linux

package pop3

import "syscall"

// setLowWater is not known to work here.
func setLowWater(syscall.RawConn, int) bool { return false }
