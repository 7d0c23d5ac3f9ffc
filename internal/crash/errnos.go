package main

import (
	"syscall"

	"popsync/internal/crash/tracer"
)

// A misfortune is how a call fails.
type misfortune struct {
	name  string
	fate  func(tracer.Call) tracer.Fate
	errno syscall.Errno // 0: a call that does a part of what it was asked for
	lasts bool          // every call of its kind below the trial's folder fails from then on
}

func fails(errno syscall.Errno, lasts bool) misfortune {
	m := misfortune{
		name: errno.Error(), errno: errno, lasts: lasts,
		fate: func(c tracer.Call) tracer.Fate {
			return tracer.Fate{Fail: errno, Done: c.Name == "close"} // which closes whatever it says
		},
	}
	if lasts {
		m.name += " from then on"
	}
	return m
}

func oneOctet(tracer.Call) tracer.Fate { return tracer.Fate{Cut: 1} }
func half(c tracer.Call) tracer.Fate   { return tracer.Fate{Cut: c.Length / 2} }

var partial = []misfortune{{name: "one octet of it", fate: oneOctet}, {name: "half of it", fate: half}}

// errnos are those that a call can give (its page in section 2 of the manual), of which a program may
// meet them on disks that fail or are full, in want of memory or descriptors, and on a line that breaks.
var errnos = map[string][]syscall.Errno{
	"openat":          {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENOMEM, syscall.EINTR, syscall.EROFS, syscall.EACCES},
	"close":           {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EINTR},
	"read":            {syscall.EIO, syscall.EINTR},
	"pread64":         {syscall.EIO, syscall.EINTR},
	"write":           {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EINTR},
	"pwrite64":        {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EINTR},
	"fsync":           {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EINTR},
	"fdatasync":       {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EINTR},
	"ftruncate":       {syscall.EIO, syscall.ENOSPC, syscall.EINTR},
	"fallocate":       {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EINTR, syscall.EOPNOTSUPP},
	"flock":           {syscall.EINTR, syscall.ENOLCK, syscall.ENOMEM},
	"fchmod":          {syscall.EIO, syscall.EPERM, syscall.EROFS},
	"fstat":           {syscall.EIO, syscall.ENOMEM},
	"newfstatat":      {syscall.EIO, syscall.ENOMEM, syscall.EACCES},
	"statx":           {syscall.EIO, syscall.ENOMEM, syscall.ENOSYS},
	"faccessat":       {syscall.EIO, syscall.ENOMEM, syscall.EACCES},
	"getdents64":      {syscall.EIO, syscall.ENOMEM},
	"mmap":            {syscall.ENOMEM, syscall.ENODEV},
	"mkdirat":         {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EACCES, syscall.EROFS},
	"unlinkat":        {syscall.EIO, syscall.EACCES, syscall.EROFS},
	"renameat":        {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EACCES, syscall.EROFS},
	"renameat2":       {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EACCES, syscall.EROFS, syscall.EINVAL, syscall.ENOSYS},
	"linkat":          {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EPERM},
	"utimensat":       {syscall.EIO, syscall.EPERM},
	"socket":          {syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAFNOSUPPORT},
	"connect":         {syscall.ECONNREFUSED, syscall.ETIMEDOUT, syscall.ENETUNREACH, syscall.EADDRNOTAVAIL},
	"bind":            {syscall.EIO, syscall.ENOSPC, syscall.EROFS, syscall.EACCES, syscall.EADDRINUSE},
	"listen":          {syscall.EADDRINUSE},
	"accept4":         {syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ECONNABORTED},
	"clone":           {syscall.EAGAIN, syscall.ENOMEM},
	"execve":          {syscall.ENOMEM, syscall.EIO, syscall.EACCES, syscall.E2BIG},
	"pipe2":           {syscall.EMFILE, syscall.ENFILE},
	"dup3":            {syscall.EMFILE, syscall.EINTR, syscall.EBUSY},
	"waitid":          {syscall.EINTR},
	"wait4":           {syscall.EINTR},
	"pidfd_open":      {syscall.EMFILE, syscall.ENOMEM, syscall.ENOSYS},
	"copy_file_range": {syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EXDEV},
}

// ofSockets are those of reads and writes where a line breaks.
var ofSockets = []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT, syscall.ENOBUFS, syscall.EINTR}

// lasting are errors that a disk goes on to give. A call that is interrupted for ever would never end.
var lasting = map[syscall.Errno]bool{
	syscall.EIO: true, syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EROFS: true, syscall.EMFILE: true, syscall.ENOMEM: true,
}
