package strace

// An Op is one system call of the log.
//
// A call that works on a descriptor has FD, Open and Path; one that works on names has Path and, where
// there are two, To. Paths are absolute. That of a descriptor is where its file lay when the call began,
// as the kernel says; one that was given by name is joined with its folder, and no link in it is resolved.
type Op struct {
	Call    string // as the kernel names it, "pwrite64"
	Process int
	Thread  int

	// Begin and End are places in the log, which number its lines from 1: of two calls the one with the
	// smaller Begin was entered first. End is 0 where the log has no return: whether such a call took
	// effect is not known.
	Begin, End int

	Result int64  // what it returned, -1 for an error
	Errno  string // "ENOSPC", or "" where it succeeded

	FD   int    // the descriptor it works on; the new one of openat, the old one of dup; else -1
	Open int    // which opening FD comes from: numbered from 1, shared by dup, 0 where the log does not have it
	Path string // the file; "TCP:[127.0.0.1:41000->127.0.0.1:110]" for a socket; the program of execve
	To   string // the second name of rename and link

	// Flags are those of openat, renameat2, unlinkat, mmap, clone and others as the headers name them,
	// with "|" between. Those of mmap are its protection and its flags.
	Flags string
	Mode  uint32 // of openat with O_CREAT, mkdir, chmod, fallocate; permission bits alone

	// Offset and Length are of reads and writes, fallocate, sync_file_range and mmap; Length is also the
	// new size of ftruncate. Length is what was asked for, Result says what was done. A write without an
	// offset of its own gets the position of its opening, or -1 where that is not known: with O_APPEND,
	// and for what was opened before the log begins.
	Offset, Length int64

	// Data is what was read or written, the parts of a vector joined; of a write that was cut short
	// all that was asked for. It is nil where the log was made without [Command].Data.
	Data []byte

	// Args is the text of all arguments, for what has no field here.
	Args string
}

// OK says whether the call returned and succeeded.
func (o Op) OK() bool { return o.End != 0 && o.Errno == "" }

// Done is the part of Data that was read or written.
func (o Op) Done() []byte {
	if !o.OK() || o.Result < 0 {
		return nil
	}
	return o.Data[:min(int64(len(o.Data)), o.Result)]
}

// An Exit is how a process ended.
type Exit struct {
	Process int
	Line    int // its place in the log
	Status  int
	Signal  string // "SIGKILL", or "" where it exited
}
