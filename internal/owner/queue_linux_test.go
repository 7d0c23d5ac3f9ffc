package owner

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Linux does not let a client wait for its place in the queue of who does not accept.
func TestFullQueueIsWaitedFor(t *testing.T) {
	path := socketPath(t)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	fillQueue(t, path)
	if _, _, err := dial(t.Context(), path, bob, 100*time.Millisecond); err != ErrSilent {
		t.Errorf("while the queue is full: %v", err)
	}
	met := make(chan error)
	go func() {
		c, _, err := dial(context.Background(), path, bob, time.Minute)
		if err == nil {
			c.Close()
		}
		met <- err
	}()
	for { // whoever waited before is accepted, too
		accepted, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		unix.Write(accepted, []byte(helloLine))
		select {
		case err := <-met:
			if err != nil {
				t.Error(err)
			}
			unix.Close(accepted)
			return
		case <-time.After(100 * time.Millisecond):
			unix.Close(accepted)
		}
	}
}

// fillQueue connects until nobody can any more.
func fillQueue(t testing.TB, path string) {
	t.Helper()
	for range 10 {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		if errors.Is(err, unix.EAGAIN) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Skip("the system's queue does not fill")
}
