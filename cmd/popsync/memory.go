package main

import (
	"runtime"
	"runtime/debug"
)

const (
	softLimit = 160 << 20 // octets: from here on the collector of garbage works harder

	firstPercent = 400 // the first collection comes at 16 MB
	garbage      = 50  // percent of what is in use
)

// tuneCollector lets most polls end before the first collection. A listing of a million messages is
// what takes memory: then half of it again for garbage will do, and less where that would be much.
func tuneCollector() {
	debug.SetMemoryLimit(softLimit)
	debug.SetGCPercent(firstPercent)
	collected := new([64]byte)
	runtime.AddCleanup(collected, func(percent int) { debug.SetGCPercent(percent) }, garbage)
}
