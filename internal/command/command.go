// Package command runs a child process that cannot hold its caller up: bounded in time, in the
// memory that its output takes, and in what it leaves behind.
//
// The child leads a process group of its own. Whatever goes wrong, the whole group is ended:
// SIGTERM first, SIGKILL a grace of 3 seconds later, or of 1 where the context has ended.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	grace      = 3 * time.Second // from SIGTERM, or from the child's exit, to SIGKILL
	hurry      = time.Second     // the same where the context has ended
	lastWait   = time.Second     // for what SIGKILL does not end: another user's, or stuck in the kernel
	keptStderr = 4 << 10         // octets
	maxOutput  = 16 << 20        // octets of stdout and of stderr: more is a flood

	// Between two looks at whether left-over children are gone: the pause grows from the one to the other.
	firstCheck = 200 * time.Microsecond
	lastCheck  = 20 * time.Millisecond
)

// A Command is a program and all that it is given. There is no shell.
type Command struct {
	Argv    []string
	Env     []string      // all of it; nil: [BaseEnv]
	Dir     string        // working folder; "": ours
	Stdin   *os.File      // nil: nothing (/dev/null)
	Timeout time.Duration // of the whole run; 0: none
	Stdout  int           // octets of standard output to keep; what exceeds them is thrown away

	// Asks is set for a program that may ask its user on the terminal. It stays in our process
	// group, or the terminal would stop it; what it leaves behind is not ended.
	Asks bool
}

// A Result is what a child left behind, complete or not.
type Result struct {
	Stdout    []byte // its first Command.Stdout octets
	Truncated bool   // there was more than that
	Stderr    []byte // its first 4 KiB, raw
}

// Run starts c and waits for its end. The error is nil only after exit status 0; otherwise it is
// a [*StartError] or an [*ExitError].
//
// The end of ctx and the timeout end the process group. A child that exits 0 nevertheless, within
// the grace, has succeeded: it may have acted on its input. Children that it leaves behind get
// the rest of the grace and are then killed, which is no error. Run returns at most 4 seconds
// after ctx or the timeout, even if the child cannot be killed.
func (c Command) Run(ctx context.Context) (Result, error) {
	if len(c.Argv) == 0 {
		return Result{}, &StartError{Err: errors.New("no program given")}
	}
	if err := ctx.Err(); err != nil {
		return Result{}, &ExitError{Program: c.Argv[0], Status: -1, Ended: context.Cause(ctx)}
	}
	p, err := c.start()
	if err != nil {
		return Result{}, &StartError{Program: c.Argv[0], Err: reason(err)}
	}
	end := p.supervise(ctx, c.Timeout)
	res := p.result()
	return res, end.verdict(c.Argv[0], res.Stderr)
}

// start runs the child with its output connected to two pipes that are being read.
func (c Command) start() (*process, error) {
	stdout, err := newOutput(c.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := newOutput(keptStderr)
	if err != nil {
		stdout.close()
		return nil, err
	}
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	if cmd.Env == nil {
		cmd.Env = BaseEnv()
	}
	if c.Stdin != nil { // a nil *os.File in the interface would not be /dev/null
		cmd.Stdin = c.Stdin
	}
	// Files, not writers: with those, Cmd.Wait would wait for whoever holds the pipe.
	cmd.Stdout, cmd.Stderr = stdout.child, stderr.child
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: !c.Asks}
	if err := cmd.Start(); err != nil {
		stdout.close()
		stderr.close()
		return nil, err
	}
	return watch(cmd, !c.Asks, stdout, stderr), nil
}

// reason takes the program's name off err, which StartError says once.
func reason(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.PathError](err); ok && e.Op == "fork/exec" {
		return e.Err
	}
	return err
}

// StartError says that a program could not be started, and why. Nothing has run.
type StartError struct {
	Program string
	Err     error
}

func (e *StartError) Error() string { return fmt.Sprintf("%s: %v", e.Program, e.Err) }
func (e *StartError) Unwrap() error { return e.Err }

// Temporary reports whether the system was short of something (processes, memory, descriptors),
// so that the same program may start later.
func (e *StartError) Temporary() bool {
	for _, shortage := range []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ETXTBSY} {
		if errors.Is(e.Err, shortage) {
			return true
		}
	}
	return false
}
