//go:build amd64 || arm64

package tracer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A shape says where a call has its file.
type shape struct {
	name string
	at   place // of Path
	to   place // of To
	data bool  // the third argument is how many octets it reads or writes
}

// A place is an argument that leads to a file.
type place struct {
	kind     kind
	argument int
}

type kind uint8

const (
	nowhere kind = iota
	byDescriptor
	byName // behind a descriptor of the folder
	byPath // alone
)

var (
	fd   = place{byDescriptor, 0}
	name = place{byName, 0}
)

// shapes are the calls of interest, by number. The two kinds of machine have the same names for them.
var shapes = map[uint64]shape{
	unix.SYS_OPENAT:          {name: "openat", at: name},
	unix.SYS_CLOSE:           {name: "close", at: fd},
	unix.SYS_READ:            {name: "read", at: fd, data: true},
	unix.SYS_PREAD64:         {name: "pread64", at: fd, data: true},
	unix.SYS_WRITE:           {name: "write", at: fd, data: true},
	unix.SYS_PWRITE64:        {name: "pwrite64", at: fd, data: true},
	unix.SYS_WRITEV:          {name: "writev", at: fd},
	unix.SYS_FSYNC:           {name: "fsync", at: fd},
	unix.SYS_FDATASYNC:       {name: "fdatasync", at: fd},
	unix.SYS_FTRUNCATE:       {name: "ftruncate", at: fd},
	unix.SYS_FALLOCATE:       {name: "fallocate", at: fd},
	unix.SYS_FLOCK:           {name: "flock", at: fd},
	unix.SYS_FCHMOD:          {name: "fchmod", at: fd},
	unix.SYS_FSTAT:           {name: "fstat", at: fd},
	unix.SYS_GETDENTS64:      {name: "getdents64", at: fd},
	unix.SYS_LSEEK:           {name: "lseek", at: fd},
	unix.SYS_MMAP:            {name: "mmap", at: place{byDescriptor, 4}},
	unix.SYS_NEWFSTATAT:      {name: "newfstatat", at: name},
	unix.SYS_STATX:           {name: "statx", at: name},
	unix.SYS_FACCESSAT:       {name: "faccessat", at: name},
	unix.SYS_READLINKAT:      {name: "readlinkat", at: name},
	unix.SYS_FCHMODAT:        {name: "fchmodat", at: name},
	unix.SYS_UTIMENSAT:       {name: "utimensat", at: name},
	unix.SYS_MKDIRAT:         {name: "mkdirat", at: name},
	unix.SYS_UNLINKAT:        {name: "unlinkat", at: name},
	unix.SYS_RENAMEAT:        {name: "renameat", at: name, to: place{byName, 2}},
	unix.SYS_RENAMEAT2:       {name: "renameat2", at: name, to: place{byName, 2}},
	unix.SYS_LINKAT:          {name: "linkat", at: name, to: place{byName, 2}},
	unix.SYS_COPY_FILE_RANGE: {name: "copy_file_range", at: place{byDescriptor, 2}},
	unix.SYS_SENDFILE:        {name: "sendfile", at: fd},

	unix.SYS_SOCKET:   {name: "socket"},
	unix.SYS_CONNECT:  {name: "connect", at: fd},
	unix.SYS_BIND:     {name: "bind", at: fd},
	unix.SYS_LISTEN:   {name: "listen", at: fd},
	unix.SYS_ACCEPT4:  {name: "accept4", at: fd},
	unix.SYS_SENDTO:   {name: "sendto", at: fd, data: true},
	unix.SYS_RECVFROM: {name: "recvfrom", at: fd, data: true},
	unix.SYS_SHUTDOWN: {name: "shutdown", at: fd},

	unix.SYS_CLONE:      {name: "clone"},
	unix.SYS_EXECVE:     {name: "execve", at: place{byPath, 0}},
	unix.SYS_WAITID:     {name: "waitid"},
	unix.SYS_WAIT4:      {name: "wait4"},
	unix.SYS_KILL:       {name: "kill"},
	unix.SYS_PIPE2:      {name: "pipe2"},
	unix.SYS_DUP3:       {name: "dup3", at: fd},
	unix.SYS_FCNTL:      {name: "fcntl", at: fd},
	unix.SYS_EXIT_GROUP: {name: "exit_group"},

	unix.SYS_PIDFD_OPEN:        {name: "pidfd_open"},
	unix.SYS_PIDFD_SEND_SIGNAL: {name: "pidfd_send_signal"},
}

// describe says whether a call is of interest, and what there is to know of it.
func (t *tracee) describe(th *thread, info info) (Call, bool) {
	s, known := shapes[info.number]
	switch {
	case !known,
		info.number == unix.SYS_CLONE && info.args[0]&unix.CLONE_THREAD != 0,
		info.number == unix.SYS_MMAP && int32(info.args[4]) < 0:
		return Call{}, false
	}
	c := Call{Name: s.name, Forked: th.forked, Path: th.look(s.at, info), To: th.look(s.to, info)}
	if s.data {
		c.Length = int(info.args[2])
	}
	return c, true
}

// look is the path that an argument leads to; "" where it leads nowhere.
func (th *thread) look(p place, info info) string {
	a := info.args[p.argument:]
	switch p.kind {
	case byDescriptor:
		return th.file(int32(a[0]))
	case byName:
		path := th.text(uintptr(a[1]))
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(th.file(int32(a[0])), path)
	case byPath:
		return th.text(uintptr(a[0]))
	default:
		return ""
	}
}

// file is what a descriptor is of.
func (th *thread) file(fd int32) string {
	link := fmt.Sprintf("/proc/%d/fd/%d", th.id, fd)
	if fd == unix.AT_FDCWD {
		link = fmt.Sprintf("/proc/%d/cwd", th.id)
	}
	path, err := os.Readlink(link)
	if err != nil { // one that is closed
		return ""
	}
	return path
}

// text is a string of the thread's memory.
func (th *thread) text(address uintptr) string {
	var read []byte
	for len(read) < unix.PathMax {
		part := make([]byte, 256-address%256) // within one page: the next one may not be there
		n, err := unix.ProcessVMReadv(th.id,
			[]unix.Iovec{{Base: &part[0], Len: uint64(len(part))}},
			[]unix.RemoteIovec{{Base: address, Len: len(part)}}, 0)
		if err != nil || n == 0 {
			return ""
		}
		text, _, ended := bytes.Cut(part[:n], []byte{0})
		read = append(read, text...)
		if ended {
			return string(read)
		}
		address += uintptr(n)
	}
	return ""
}

// threadGroup is the number of the process that a thread is of, parentOf that of its parent.
func threadGroup(id int) (int, error) { return strconv.Atoi(statusOf(id, "Tgid:")) }
func parentOf(id int) (int, error)    { return strconv.Atoi(statusOf(id, "PPid:")) }

// lives says whether a process may do something yet: it is there, and waits not only for its parent.
func lives(id int) bool {
	switch statusOf(id, "State:") {
	case "", "Z", "X":
		return false
	default:
		return true
	}
}

// statusOf is the first word behind a key of proc_pid_status(5); "" for a process that is not there.
func statusOf(id int, key string) string {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
	_, rest, _ := strings.Cut(string(status), key)
	word, _, _ := strings.Cut(strings.TrimLeft(rest, "\t"), "\n")
	word, _, _ = strings.Cut(word, " ")
	return word
}

// info is what the kernel tells of a stop at a call.
type info struct {
	op     uint8
	number uint64
	args   [6]uint64
}

// callInfo asks for it (Linux 5.3).
func callInfo(id int) (info, error) {
	// struct ptrace_syscall_info of ptrace(2)
	var raw struct {
		op     uint8
		_      [3]uint8
		_      uint32 // arch
		_, _   uint64 // instruction and stack pointer
		number uint64
		args   [6]uint64
		_      uint64
	}
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(id),
		unsafe.Sizeof(raw), uintptr(unsafe.Pointer(&raw)), 0, 0)
	if errno != 0 {
		return info{}, errno
	}
	return info{op: raw.op, number: raw.number, args: raw.args}, nil
}

// canTellCalls says whether the kernel has that.
func canTellCalls(id int) error {
	if _, err := callInfo(id); err != nil {
		return fmt.Errorf("PTRACE_GET_SYSCALL_INFO: %w", err)
	}
	return nil
}
