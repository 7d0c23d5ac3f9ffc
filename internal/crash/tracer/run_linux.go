//go:build amd64 || arm64

package tracer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Available returns why no program can be traced here, or nil.
func Available() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := begin(Program{Path: self, Dir: "/"})
	if err != nil {
		return err
	}
	program.kill()
	program.reap()
	return nil
}

// Run runs the program to its end. decide is asked about each call of interest when it begins, one at a
// time. When ctx ends the program is killed, and that is the error; what decide kills is none.
func Run(ctx context.Context, p Program, decide func(Call) Fate) (Outcome, error) {
	// A traced thread listens to the thread that started it, and to no other one of this process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t, err := begin(p)
	if err != nil {
		return Outcome{}, err
	}
	t.decide = decide
	stop := context.AfterFunc(ctx, t.kill)
	defer stop()
	if err := t.follow(); err != nil {
		t.kill()
		t.reap()
		return Outcome{}, fmt.Errorf("trace %s: %w", p.Path, err)
	}
	if !stop() {
		return t.outcome, context.Cause(ctx)
	}
	return t.outcome, nil
}

// A tracee is the running program.
type tracee struct {
	pid      int
	decide   func(Call) Fate
	threads  map[int]*thread
	children []int // processes that it made
	struck   Fate  // that killed it
	outcome  Outcome

	mu   sync.Mutex
	over bool // its number may be another one's by now
}

// options: stop at each call, follow new threads, and children up to their execve.
const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACECLONE |
	unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

// begin starts the program, which has stopped behind its execve then.
func begin(p Program) (*tracee, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	output := null.Fd()
	if p.Output != nil {
		output = p.Output.Fd()
	}
	pid, err := syscall.ForkExec(p.Path, append([]string{p.Path}, p.Args...), &syscall.ProcAttr{
		Dir: p.Dir, Env: p.Env, Files: []uintptr{null.Fd(), output, output},
		Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", p.Path, err)
	}
	t := &tracee{pid: pid, threads: map[int]*thread{pid: {id: pid, begun: true}}}
	if _, err := wait(pid); err != nil {
		return nil, err
	}
	err = errors.Join(unix.PtraceSetOptions(pid, options), canTellCalls(pid), unix.PtraceSyscall(pid, 0))
	if err != nil {
		t.kill()
		t.reap()
		return nil, fmt.Errorf("trace %s: %w", p.Path, err)
	}
	return t, nil
}

// wait is for a thread that this thread traces, or for any of a process group: -id.
func wait(id int) (status event, err error) {
	for {
		status.id, err = unix.Wait4(id, &status.WaitStatus, unix.WALL|unix.WNOTHREAD, nil)
		if !errors.Is(err, unix.EINTR) {
			return status, err
		}
	}
}

type event struct {
	id int
	unix.WaitStatus
}

// follow returns when the program is gone. The program leads a process group: this thread may have
// children that are none of our business.
func (t *tracee) follow() error {
	for {
		e, err := wait(-t.pid)
		switch {
		case errors.Is(err, unix.ECHILD):
			return nil
		case err != nil:
			return err
		}
		// A thread that a kill takes away meanwhile is not there any more.
		if err := t.take(e); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
}

// kill kills the program; it may be called from any thread, and when it is over.
func (t *tracee) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		unix.Kill(t.pid, unix.SIGKILL) // it cannot fail: the process is ours until it is waited for
	}
}

// AwaitEnd returns once none of the processes does anything any more.
func AwaitEnd(ctx context.Context, processes []int) error {
	for slices.ContainsFunc(processes, lives) {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// reap waits for what was killed.
func (t *tracee) reap() {
	for {
		if _, err := wait(-t.pid); err != nil {
			return
		}
	}
}

// ended is the end of the process itself: its number is free from now on.
func (t *tracee) ended(status unix.WaitStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.outcome.Status = status.ExitStatus()
	if status.Signaled() {
		t.outcome.Signal = status.Signal()
	}
}
