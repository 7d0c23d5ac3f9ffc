//go:build !linux

package uidl

import "os"

func openNameless(dir string) (*os.File, error) { return openUnlinked(dir) }
