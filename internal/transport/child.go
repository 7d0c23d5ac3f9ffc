package transport

import (
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"popsync/internal/command"
)

const (
	lastWords = 500 * time.Millisecond // for a program that has closed the connection, to say why and exit
	grace     = time.Second            // from SIGTERM to SIGKILL
	lastWait  = time.Second            // for what SIGKILL does not end: another user's, or stuck in the kernel
	nextLook  = 5 * time.Millisecond   // between two looks at whether left-over children are gone
)

// A child is a program that is a connection.
//
// It is only waited for once the connection is closed. Until then, dead or alive, it keeps its
// process ID, so that signals reach nobody else.
type child struct {
	*net.UnixConn
	addr Addr
	cmd  *exec.Cmd
	said *stderr

	over    atomic.Bool // it has closed its end
	closing sync.Once
	mu      sync.Mutex
	failure string // the status with which it ended by itself, where that is no success
}

func (c *child) LocalAddr() net.Addr  { return c.addr }
func (c *child) RemoteAddr() net.Addr { return c.addr }

func (c *child) Read(p []byte) (int, error) {
	n, err := c.UnixConn.Read(p)
	return n, c.seen(err)
}

func (c *child) Write(p []byte) (int, error) {
	n, err := c.UnixConn.Write(p)
	return n, c.seen(err)
}

// seen notes the end of the connection. A program that ends without having read all that we sent
// resets the connection: it is closed, no more.
func (c *child) seen(err error) error {
	if !hungUp(err) {
		return err
	}
	c.over.Store(true)
	return io.EOF
}

// Close ends the connection and the program with all of its session. It takes at most 2.5 s; one
// that does what it is told is gone in milliseconds.
func (c *child) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		err = c.UnixConn.Close()
		c.end()
		c.said.stop()
	})
	return err
}

// end sends SIGTERM, and SIGKILL after the grace.
func (c *child) end() {
	exited := make(chan struct{})
	go func() {
		_ = c.cmd.Wait() // ProcessState says it all
		close(exited)
	}()
	gone := c.over.Load() && happens(exited, lastWords)
	if gone {
		c.note()
	}
	if gone && !c.groupAlive() {
		return
	}
	c.signal(syscall.SIGTERM)
	c.signal(syscall.SIGCONT) // a stopped one would not hear it
	begun := time.Now()
	if !happens(exited, grace) {
		c.signal(syscall.SIGKILL)
		happens(exited, lastWait)
		return
	}
	for c.groupAlive() {
		if time.Since(begun) > grace {
			c.signal(syscall.SIGKILL)
			return
		}
		time.Sleep(nextLook)
	}
}

// happens waits for done, at most for limit.
func happens(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func (c *child) signal(s syscall.Signal) { _ = syscall.Kill(-c.cmd.Process.Pid, s) }

func (c *child) groupAlive() bool {
	return !errors.Is(syscall.Kill(-c.cmd.Process.Pid, 0), syscall.ESRCH)
}

// note remembers how the program ended, which it did by itself.
func (c *child) note() {
	state := c.cmd.ProcessState
	if state == nil || state.Success() {
		return
	}
	e := &command.ExitError{Program: "", Status: state.ExitCode()}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		e.Signal = ws.Signal()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = strings.TrimPrefix(e.Error(), ": ")
}

// Complaint is what the program said on standard error, in one line, and how it ended.
func (c *child) Complaint() string {
	c.mu.Lock()
	failure := c.failure
	c.mu.Unlock()
	said := c.said.lines()
	if failure == "" || said == "" {
		return failure + said
	}
	return failure + ": " + said
}
