//go:build !linux

package main

import (
	"errors"
	"os"
	"time"
)

// adoptOrphans is known on Linux only: elsewhere nothing is measured.
func adoptOrphans() error { return errors.ErrUnsupported }

func sleepExactly(d time.Duration) { time.Sleep(d) }

func syncAround(*os.File) error { return errors.ErrUnsupported }
