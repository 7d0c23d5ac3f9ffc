package tracer

import "golang.org/x/sys/unix"

// skip makes the call that a thread is about to make none.
func skip(id int) error {
	return change(id, func(r *unix.PtraceRegs) { r.Orig_rax = ^uint64(0) })
}

// setCount sets the third argument of the call that a thread is about to make.
func setCount(id int, n uint64) error {
	return change(id, func(r *unix.PtraceRegs) { r.Rdx = n })
}

// setResult sets what the call returns that a thread comes back from.
func setResult(id int, value int64) error {
	return change(id, func(r *unix.PtraceRegs) { r.Rax = uint64(value) })
}

func change(id int, do func(*unix.PtraceRegs)) error {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(id, &r); err != nil {
		return err
	}
	do(&r)
	return unix.PtraceSetRegs(id, &r)
}
