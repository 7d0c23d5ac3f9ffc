package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// A Tree is all that lies on a disk, by slash-separated paths below its root, which has none.
type Tree map[string]Entry

// An Entry is a file, a folder or a socket.
type Entry struct {
	Mode  fs.FileMode
	Data  []byte
	Inode uint64 // of the folder as it really is, where that is known; see [Site]
}

// Sum is the same for trees with the same paths, kinds and contents.
func (t Tree) Sum() [sha256.Size]byte {
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(t)) {
		e := t[path]
		binary.Write(h, binary.LittleEndian, []int64{int64(len(path)), int64(e.Mode.Type()), int64(len(e.Data))})
		h.Write([]byte(path))
		h.Write(e.Data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// Differ says what is different in want, a line for each path, or returns "".
func (t Tree) Differ(want Tree) string {
	all := maps.Clone(t)
	maps.Copy(all, want)
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(all)) {
		have, there := t[path]
		other, wanted := want[path]
		switch {
		case !there:
			fmt.Fprintf(&b, "%s is not there\n", path)
		case !wanted:
			fmt.Fprintf(&b, "%s is there\n", path)
		case have.Mode.Type() != other.Mode.Type():
			fmt.Fprintf(&b, "%s is %v instead of %v\n", path, have.Mode.Type(), other.Mode.Type())
		case !bytes.Equal(have.Data, other.Data):
			fmt.Fprintf(&b, "%s has other content: %d octets instead of %d\n", path, len(have.Data), len(other.Data))
		}
	}
	return b.String()
}

// String lists the tree.
func (t Tree) String() string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(t)) {
		e := t[path]
		fmt.Fprintf(&b, "%v %8d %s\n", e.Mode, len(e.Data), path)
	}
	return b.String()
}
