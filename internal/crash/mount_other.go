//go:build !linux

package main

// A room is a file system in memory that is as large as it is told to be.
type room struct{ dir string }

// A space is what a room has: 0 means no limit.
type space struct{ bytes, inodes int64 }

const nowhere = cannot("file systems of any size are to be had on Linux only")

func mountRoom(string, space) (*room, error) { return nil, nowhere }
func (*room) resize(space) error             { return nowhere }
func (*room) seal() (bool, error)            { return false, nowhere }
func (*room) used() (space, error)           { return space{}, nowhere }
func (*room) unmount() error                 { return nowhere }
