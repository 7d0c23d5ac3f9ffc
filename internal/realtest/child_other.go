//go:build !linux

package realtest

import (
	"errors"
	"os/exec"
)

func dieWithParent(*exec.Cmd) {}

func isolate(*exec.Cmd) {}

// PeakMemory is known on Linux only.
func (c *Child) PeakMemory() (int64, error) { return 0, errors.ErrUnsupported }
