//go:build !linux

package main

import "errors"

func mountTmpfs(dir, size string, again bool) error { return errors.ErrUnsupported }

func unmount(dir string) error { return errors.ErrUnsupported }
