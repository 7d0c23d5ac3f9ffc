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

// Why a child was ended; [ExitError.Ended] is one of them or the cause of a context's end.
var (
	ErrTimeout = errors.New("not finished in time")
	ErrFlood   = errors.New("too much output")
)

// A process is a child that runs, and what hears from it.
type process struct {
	pid            int  // of the child, and so of its group
	group          bool // it has one
	exited         chan *os.ProcessState
	stdout, stderr *output
	flood          chan struct{} // told of by each output that is too much
}

// An ending is how a process came to its end.
type ending struct {
	state *os.ProcessState // nil: it lives on
	ended error            // why we ended it; nil: it came to its end by itself
}

// watch takes over a started cmd: its exit and its output are waited for from now on.
func watch(cmd *exec.Cmd, group bool, stdout, stderr *output) *process {
	p := &process{
		pid:    cmd.Process.Pid,
		group:  group,
		exited: make(chan *os.ProcessState, 1), // so that the goroutine ends even if nobody listens any more
		stdout: stdout,
		stderr: stderr,
		flood:  make(chan struct{}, 2), // one for each output
	}
	go func() {
		_ = cmd.Wait() // ProcessState says it all
		p.exited <- cmd.ProcessState
	}()
	stdout.read(p.flood)
	stderr.read(p.flood)
	return p
}

// supervise waits for the child, then for what it left behind, and ends both where they take
// too long. When it returns nothing reads the pipes any more.
func (p *process) supervise(ctx context.Context, timeout time.Duration) ending {
	defer p.stopReading()
	var e ending
	if e = p.waitWilling(ctx, timeout); e.state == nil {
		p.signal(syscall.SIGTERM)
		p.signal(syscall.SIGCONT) // a stopped one, as by reading a terminal in the background, would not hear it
	}
	kill := time.NewTimer(patience(ctx))
	defer kill.Stop()
	if e.state == nil {
		select {
		case e.state = <-p.exited:
		case <-kill.C:
			p.signal(syscall.SIGKILL)
			e.state = p.waitKilled()
			return e
		}
	}
	p.waitLeftOver(kill.C)
	return e
}

// patience is the time from SIGTERM to SIGKILL. Where ctx has ended popsync itself is to end, and
// the child has had its time.
func patience(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return hurry
	}
	return grace
}

// waitWilling waits for the child's exit as long as it is given time, output and ctx.
func (p *process) waitWilling(ctx context.Context, timeout time.Duration) ending {
	var late <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case state := <-p.exited:
		return ending{state: state}
	case <-late:
		return ending{ended: fmt.Errorf("%w (%v)", ErrTimeout, timeout)}
	case <-p.flood:
		return ending{ended: fmt.Errorf("%w (more than %d MiB)", ErrFlood, maxOutput>>20)}
	case <-ctx.Done():
		return ending{ended: context.Cause(ctx)}
	}
}

// waitKilled waits a last time. A child of another user (a set-user-ID agent) and one that is
// stuck in the kernel survive SIGKILL, and are left to themselves.
func (p *process) waitKilled() *os.ProcessState {
	select {
	case state := <-p.exited:
		return state
	case <-time.After(lastWait):
		return nil
	}
}

// waitLeftOver waits until the exited child's group is empty and its output at an end, and
// kills the group when kill fires.
func (p *process) waitLeftOver(kill <-chan time.Time) {
	alive := true
	for pause := firstCheck; ; pause = min(2*pause, lastCheck) {
		// Once empty the group is never signalled again: its ID could belong to somebody else.
		alive = alive && p.groupAlive()
		if !alive && p.outputEnded() {
			return
		}
		select {
		case <-time.After(pause):
		case <-kill:
			if alive {
				p.signal(syscall.SIGKILL)
			}
			return
		}
	}
}

// groupAlive tells whether the exited child's group has members, dead ones that nobody has waited for
// included. In a container popsync may be the first process, which inherits them and has to.
func (p *process) groupAlive() bool {
	if !p.group {
		return false
	}
	for inherited := 1; inherited > 0; {
		inherited, _ = syscall.Wait4(-p.pid, nil, syscall.WNOHANG, nil)
	}
	return !errors.Is(syscall.Kill(-p.pid, 0), syscall.ESRCH)
}

func (p *process) outputEnded() bool { return p.stdout.ended() && p.stderr.ended() }

// signal reaches the whole group, where there is one. It may be another user's: then there is
// nothing to be done.
func (p *process) signal(s syscall.Signal) {
	if p.group {
		_ = syscall.Kill(-p.pid, s)
		return
	}
	_ = syscall.Kill(p.pid, s)
}

func (p *process) stopReading() {
	p.stdout.stop()
	p.stderr.stop()
}

// result is valid after supervise.
func (p *process) result() Result {
	return Result{Stdout: p.stdout.kept, Truncated: p.stdout.truncated, Stderr: p.stderr.kept}
}
