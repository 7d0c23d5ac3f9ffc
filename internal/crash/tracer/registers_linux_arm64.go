package tracer

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// skip makes the call that a thread is about to make none. Its number is no register here.
func skip(id int) error {
	none := int32(-1)
	iov := unix.Iovec{Base: (*byte)(unsafe.Pointer(&none)), Len: uint64(unsafe.Sizeof(none))}
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SETREGSET, uintptr(id),
		unix.NT_ARM_SYSTEM_CALL, uintptr(unsafe.Pointer(&iov)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// setCount sets the third argument of the call that a thread is about to make.
func setCount(id int, n uint64) error {
	return change(id, func(r *unix.PtraceRegsArm64) { r.Regs[2] = n })
}

// setResult sets what the call returns that a thread comes back from.
func setResult(id int, value int64) error {
	return change(id, func(r *unix.PtraceRegsArm64) { r.Regs[0] = uint64(value) })
}

func change(id int, do func(*unix.PtraceRegsArm64)) error {
	var r unix.PtraceRegsArm64
	if err := unix.PtraceGetRegSetArm64(id, unix.NT_PRSTATUS, &r); err != nil {
		return err
	}
	do(&r)
	return unix.PtraceSetRegSetArm64(id, unix.NT_PRSTATUS, &r)
}
