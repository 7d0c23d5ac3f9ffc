package uidl

import "syscall"

// ctime is when a file was last written to, in nanoseconds.
func ctime(st *syscall.Stat_t) (ns int64, known bool) { return st.Ctim.Nano(), true }
