package pop3

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// setLowWater has a socket count as readable once n octets are there (socket(7), SO_RCVLOWAT).
func setLowWater(socket syscall.RawConn, n int) bool {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, n)
	})
	return err == nil && failed == nil
}
