package pop3

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// A listing of 20,000 messages comes in hundreds of small pieces, and to be woken for each costs more
// than to read it. As long as much more is sure to come, the kernel collects some of it first.
const (
	bulkOctets = 16 << 10
	bulkWait   = 50 * time.Millisecond // after which it was not that sure
)

// A bulk reads a connection in large pieces, for as long as that works.
type bulk struct {
	socket syscall.RawConn // nil where there is none: under TLS, in tests
	sure   int             // octets that are still to come, at least
	mark   int             // of the kernel, 0: its own
}

func bulkOf(nc net.Conn) bulk {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return bulk{}
	}
	socket, err := tcp.SyscallConn()
	if err != nil {
		return bulk{}
	}
	return bulk{socket: socket}
}

// begin says whether the next read is one for a large piece.
func (b *bulk) begin() bool {
	want := 1
	if b.sure >= bulkOctets {
		want = bulkOctets
	}
	if b.socket == nil || want == max(1, b.mark) {
		return b.mark > 1
	}
	if !setLowWater(b.socket, want) {
		b.socket = nil
		return false
	}
	b.mark = want
	return want > 1
}

// giveUp ends it for this connection: the server has sent less than it said.
func (b *bulk) giveUp() {
	b.sure = 0
	b.begin()
	b.socket = nil
}

// read reads from the net within what is left of the wait.
func (c *conn) read(b []byte) (int, error) {
	if c.bulk.begin() {
		n, err := c.timed(min(c.left, bulkWait), c.net.Read, b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		c.bulk.giveUp()
	}
	return c.timed(c.left, c.net.Read, b)
}
