//go:build amd64 || arm64

package tracer

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// A thread is one that is traced: of the program, or the only one of a child before its execve.
type thread struct {
	id     int
	begun  bool // the stop with which it begins has passed
	forked bool // it is a child's
	fate   Fate // of the call that it is in
}

// take handles a stop, or the end, of one of the program's threads, and lets it go on.
func (t *tracee) take(e event) error {
	if e.Exited() || e.Signaled() {
		delete(t.threads, e.id)
		if e.id == t.pid {
			t.ended(e.WaitStatus)
		}
		return nil
	}
	if th := t.threads[e.id]; th != nil {
		return t.goOn(th, e)
	}
	// It may stop before the call that made it returns, and that may never do.
	group, err := threadGroup(e.id)
	switch {
	case err != nil:
		return err
	case group != t.pid:
		return t.adopt(e.id, &e)
	}
	th := &thread{id: e.id}
	t.threads[e.id] = th
	return t.goOn(th, e)
}

func (t *tracee) goOn(th *thread, e event) error {
	switch signal := e.StopSignal(); {
	case signal == unix.SIGTRAP|0x80:
		return t.atCall(th)
	case signal == unix.SIGTRAP && e.TrapCause() > 0:
		return t.atEvent(th, e.TrapCause())
	case signal == unix.SIGSTOP && !th.begun:
		th.begun = true
		return unix.PtraceSyscall(th.id, 0)
	default:
		return unix.PtraceSyscall(th.id, int(signal))
	}
}

func (t *tracee) atEvent(th *thread, cause int) error {
	if cause != unix.PTRACE_EVENT_FORK && cause != unix.PTRACE_EVENT_VFORK {
		return unix.PtraceSyscall(th.id, 0)
	}
	child, err := unix.PtraceGetEventMsg(th.id)
	if err != nil {
		return err
	}
	return errors.Join(unix.PtraceSyscall(th.id, 0), t.adopt(int(child), nil))
}

// adopt goes with a child up to its execve: what it runs then is another program. Meanwhile the
// program's other threads may have to wait, which the child does for none of them. first is
// a stop of it that was waited for already, or nil.
func (t *tracee) adopt(id int, first *event) error {
	if slices.Contains(t.children, id) {
		return nil
	}
	t.children = append(t.children, id)
	if t.struck.Kill != Spare {
		t.strikeChild(id)
	}
	th := &thread{id: id, forked: true}
	if first != nil {
		if err := t.goOn(th, *first); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	for {
		e, err := wait(id)
		switch {
		case err != nil:
			return err
		case e.Exited(), e.Signaled():
			return nil
		case e.TrapCause() == unix.PTRACE_EVENT_EXEC:
			return unix.PtraceDetach(id)
		}
		if err := t.goOn(th, e); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
}

// atCall is the begin or the end of a call.
func (t *tracee) atCall(th *thread) error {
	info, err := callInfo(th.id)
	if err != nil {
		return err
	}
	switch info.op {
	case unix.PTRACE_SYSCALL_INFO_ENTRY:
		err = t.enter(th, info)
	case unix.PTRACE_SYSCALL_INFO_EXIT:
		err = t.leave(th)
	}
	return errors.Join(err, unix.PtraceSyscall(th.id, 0))
}

func (t *tracee) enter(th *thread, info info) error {
	call, interesting := t.describe(th, info)
	if !interesting {
		return nil
	}
	th.fate = t.decide(call)
	switch {
	case th.fate.Kill == Before:
		t.strike(th.fate)
		return nil
	case th.fate.Fail != 0 && !th.fate.Done:
		return skip(th.id)
	case th.fate.Cut > 0 && th.fate.Cut < call.Length:
		return setCount(th.id, uint64(th.fate.Cut))
	default:
		return nil
	}
}

func (t *tracee) leave(th *thread) error {
	fate := th.fate
	th.fate = Fate{}
	if fate.Kill == After {
		t.strike(fate)
		return nil
	}
	if fate.Fail != 0 {
		return setResult(th.id, -int64(fate.Fail))
	}
	return nil
}

// strike kills the program. Its children are looked up while they are still its own.
func (t *tracee) strike(f Fate) {
	t.struck = f
	living := slices.DeleteFunc(slices.Clone(t.children), func(child int) bool {
		parent, err := parentOf(child)
		return err != nil || parent != t.pid
	})
	t.kill()
	for _, child := range living {
		t.strikeChild(child)
	}
}

// strikeChild is what a kill of the program means for one of its children.
func (t *tracee) strikeChild(id int) {
	if !t.struck.All {
		t.outcome.Left = append(t.outcome.Left, id)
		return
	}
	// One of the two may not be there: the child, or a group of its own that it has not made yet.
	unix.Kill(id, unix.SIGKILL)
	unix.Kill(-id, unix.SIGKILL)
}
