package owner

import (
	"fmt"
	"net"
	"os/user"
	"strconv"
)

// A peer is the process at the other end of a connection, as the kernel knows it.
type peer struct {
	known bool // or the kernel does not say
	uid   int  // the effective one when it connected or began to listen
	pid   int  // 0: not known
}

// peerOf asks the kernel who is at the other end.
func peerOf(conn *net.UnixConn) (p peer, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	asked := raw.Control(func(fd uintptr) { p, err = credentials(int(fd)) })
	if asked != nil {
		return peer{}, asked
	}
	return p, err
}

// mayAsk reports whether an owner that runs as user uid serves p. Where the kernel does not say
// who that is, the mode of the socket decides.
func (p peer) mayAsk(uid int) bool { return !p.known || p.uid == uid || p.uid == 0 }

// mayServe reports whether a client that runs as user uid believes p. Root looks at the states of all.
func (p peer) mayServe(uid int) bool { return p.mayAsk(uid) || uid == 0 }

func (p peer) String() string {
	if p.pid == 0 {
		return userName(p.uid)
	}
	return fmt.Sprintf("process %d of %s", p.pid, userName(p.uid))
}

func userName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return "user " + u.Username
	}
	return "user ID " + id
}
