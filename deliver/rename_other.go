//go:build !linux

package deliver

import "os"

// renameNew renames; that it replaces nothing rests on the names, which are unique.
func renameNew(from, to string) error { return os.Rename(from, to) }
