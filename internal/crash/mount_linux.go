package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// A room is a file system in memory that is as large as it is told to be.
type room struct{ dir string }

// A space is what a room has: 0 means no limit.
type space struct{ bytes, inodes int64 }

// mountRoom mounts one at dir. Where nobody may mount, the error is a [cannot].
func mountRoom(dir string, s space) (*room, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, s.options())
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return nil, cannot("mounting a file system needs root: " + err.Error())
	case err != nil:
		return nil, fmt.Errorf("mount %s with %s: %w", dir, s.options(), err)
	}
	return &room{dir}, nil
}

func (s space) options() string {
	return fmt.Sprintf("size=%d,nr_inodes=%d,mode=0700", s.bytes, s.inodes)
}

// resize gives the room another size, and makes it writable.
func (r *room) resize(s space) error {
	return syscall.Mount("tmpfs", r.dir, "tmpfs", syscall.MS_REMOUNT, s.options())
}

// seal makes the room read-only. It says no where a file is open for writing.
func (r *room) seal() (done bool, err error) {
	err = syscall.Mount("tmpfs", r.dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	if errors.Is(err, syscall.EBUSY) {
		return false, nil
	}
	return err == nil, err
}

// used is what lies in it.
func (r *room) used() (space, error) {
	var st syscall.Statfs_t
	err := syscall.Statfs(r.dir, &st)
	return space{int64(st.Blocks-st.Bfree) * st.Bsize, int64(st.Files - st.Ffree)}, err
}

func (r *room) unmount() error { return syscall.Unmount(r.dir, syscall.MNT_DETACH) }
