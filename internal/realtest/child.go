package realtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// A Child is a process that ends at the latest with the one that started it.
type Child struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	done   chan struct{}
}

// Start starts cmd, whose output the child keeps.
func Start(cmd *exec.Cmd) (*Child, error) {
	c := &Child{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.stdout, &c.stderr
	cmd.WaitDelay = time.Second // for output that a grandchild keeps open
	dieWithParent(cmd)
	started := make(chan error, 1)
	go func() {
		defer close(c.done)
		// The kernel takes the thread that started a child for its parent: it has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() // ProcessState says how it ended
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// Done is closed when the child is over.
func (c *Child) Done() <-chan struct{} { return c.done }

// Signal sends a signal; to a child that is over, none.
func (c *Child) Signal(sig os.Signal) error {
	err := c.cmd.Process.Signal(sig)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Wait returns once the child is over: its exit status, or -1 where a signal ended it.
func (c *Child) Wait() int {
	<-c.done
	return c.cmd.ProcessState.ExitCode()
}

// Stop asks the child to end, and makes it end after grace.
func (c *Child) Stop(grace time.Duration) error {
	if err := c.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(grace):
	}
	err := c.Signal(syscall.SIGKILL)
	<-c.done
	return errors.Join(err, fmt.Errorf("%s does not end within %v of SIGTERM", c.cmd.Path, grace))
}

// Stdout is what the child wrote, once it is over.
func (c *Child) Stdout() string { return c.output(&c.stdout) }

// Stderr is what the child wrote to standard error, once it is over.
func (c *Child) Stderr() string { return c.output(&c.stderr) }

func (c *Child) output(b *bytes.Buffer) string {
	select {
	case <-c.done:
		return b.String()
	default:
		return ""
	}
}

// output is what a program writes, without the last line's end.
func output(program string, args ...string) (string, error) {
	out, err := exec.Command(program, args...).Output()
	return string(bytes.TrimSpace(out)), err
}
