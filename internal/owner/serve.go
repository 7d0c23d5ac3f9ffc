package owner

import (
	"context"
	"net"
	"os"
	"time"
)

// acceptAgain is the pause after a connection that could not be accepted: descriptors are short,
// most likely.
const acceptAgain = 100 * time.Millisecond

// Serve answers clients until Close. It is called once. hello says who we are, each time; handle
// does what clients ask for.
func (l *Listener) Serve(hello func() Hello, handle Handler) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.work.Add(1)
	l.mu.Unlock()
	defer l.work.Done()
	l.hello, l.handle = hello, handle
	for l.ctx.Err() == nil {
		conn, err := l.socket.AcceptUnix()
		if err != nil {
			sleep(l.ctx, acceptAgain)
			continue
		}
		l.admit(conn)
	}
}

// admit gives a client its session, if there is a seat. It does not wait.
func (l *Listener) admit(conn *net.UnixConn) {
	s := newSession(l, conn)
	select {
	case l.seats <- struct{}{}:
	default:
		s.refuse(NewFailure(CodeBusy, "too many programs ask for this state at once; try again later"))
		conn.Close()
		return
	}
	l.work.Go(func() {
		defer func() { <-l.seats }()
		s.run()
	})
}

// introduction is our Hello.
func (l *Listener) introduction() Hello {
	h := l.hello()
	h.Schema, h.PID = Schema, os.Getpid()
	h.Ending = l.isEnding()
	return h
}

// sleep reports whether d is over before ctx.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
