// Package tracer runs a program and decides at each of its system calls what becomes of it: whether the
// program is killed before or after the call, whether the call fails, how much of a write it makes.
//
//	outcome, err := tracer.Run(ctx, program, func(call tracer.Call) tracer.Fate {
//		if call.Name == "fsync" {
//			return tracer.Fate{Fail: syscall.EIO}
//		}
//		return tracer.Fate{}
//	})
//
// strace(1) can inject too, but counts the calls of each thread by itself, and a Go program puts its
// work on any thread. Here the calls of all threads come in one sequence.
package tracer

import (
	"fmt"
	"os"
	"syscall"
)

// A Program is what to run. It gets no standard input.
type Program struct {
	Path   string
	Args   []string // behind the name
	Dir    string
	Env    []string
	Output *os.File // standard output and standard error
}

// A Call is a system call that a thread is about to make. Only those come up that work on files,
// sockets and processes; not those by which the Go runtime manages memory and threads.
type Call struct {
	Name   string // as the kernel has it, "pwrite64"
	Path   string // of the file that it works on or names, "socket:[4711]" for one of these
	To     string // the second name of rename and link
	Length int    // octets that a read or write asks for, else 0
	Forked bool   // made by a child between its fork and its execve
}

func (c Call) String() string {
	s := c.Name
	if c.Forked {
		s = "forked " + s
	}
	if c.Path != "" {
		s += " " + c.Path
	}
	if c.To != "" {
		s += " " + c.To
	}
	return s
}

// A Fate is what becomes of a call, and of the program with it. The zero one leaves both alone.
type Fate struct {
	Fail syscall.Errno // the call fails with it and does nothing
	Done bool          // ... or is done all the same, as a close that fails
	Cut  int           // the call reads or writes that many octets at most; 0: as many as it likes
	Kill Kill
	All  bool // the kill hits the program's children and their process groups too
}

// A Kill says when SIGKILL hits the program.
type Kill uint8

// Spare is the zero Kill.
const (
	Spare  Kill = iota
	Before      // the call does nothing
	After       // it is done, and nobody saw it return
)

func (k Kill) String() string { return [...]string{"spare", "before", "after"}[k] }

// An Outcome is how the program ended.
type Outcome struct {
	Status int            // its exit status, or -1
	Signal syscall.Signal // that ended it, or 0
	Left   []int          // children that were its own when [Fate].Kill hit, and go on without it
}

func (o Outcome) String() string {
	if o.Signal != 0 {
		return fmt.Sprintf("killed by signal %d (%v)", int(o.Signal), o.Signal)
	}
	return fmt.Sprintf("status %d", o.Status)
}
