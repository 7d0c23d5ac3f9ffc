//go:build darwin || freebsd

package owner

import "golang.org/x/sys/unix"

func credentials(fd int) (peer, error) {
	const solLocal = 0 // SOL_LOCAL, which x/sys does not have
	c, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return peer{}, err
	}
	return peer{known: true, uid: int(c.Uid)}, nil
}
