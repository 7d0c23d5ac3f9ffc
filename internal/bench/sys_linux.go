package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of all below it whose own parent ends.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// sleepExactly blocks a thread, not a goroutine: the kernel's timers are better than the runtime's.
func sleepExactly(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	unix.Nanosleep(&t, nil) // whoever calls looks at the time
}

// syncAround makes everything durable that lies on the file system of dir.
func syncAround(dir *os.File) error { return unix.Syncfs(int(dir.Fd())) }
