//go:build !linux || !(amd64 || arm64)

package tracer

import (
	"context"
	"errors"
)

// Available returns why no program can be traced here.
func Available() error {
	return errors.New("system calls are traced on Linux alone, on amd64 and arm64")
}

// Run is not to be had here.
func Run(context.Context, Program, func(Call) Fate) (Outcome, error) { return Outcome{}, Available() }

// AwaitEnd returns at once: no process was traced.
func AwaitEnd(context.Context, []int) error { return nil }
