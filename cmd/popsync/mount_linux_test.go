package main

import "syscall"

// mountTmpfs mounts a file system of size at dir, or gives the one there another size.
func mountTmpfs(dir, size string, again bool) error {
	var flags uintptr
	if again {
		flags = syscall.MS_REMOUNT
	}
	return syscall.Mount("tmpfs", dir, "tmpfs", flags, "size="+size)
}

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
