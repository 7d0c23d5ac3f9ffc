package uidl

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// vouchedFor is how long what an owner has checked is not checked again. A disk may change what
// nobody has written; whoever writes changes the file's ctime.
const vouchedFor = 24 * time.Hour

// A version of a file is another one whenever somebody writes to it, or puts another file in its place.
type version struct {
	ino     uint64
	size    int64
	written int64 // ctime, in nanoseconds
}

// versionOf is zero where it cannot be told.
func versionOf(info fs.FileInfo) version {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return version{}
	}
	written, known := ctime(st)
	if !known {
		return version{}
	}
	return version{st.Ino, st.Size, written}
}

// vouch is a line for the lock: when the shape of the file was checked that is now at v. A power cut
// may take back what this line and that version say, but not both by the same: so after a start of the
// machine nobody vouches.
func vouch(v version, checked Stamp) string {
	if v == (version{}) || checked.IsZero() || bootID() == "" {
		return ""
	}
	return fmt.Sprintf("checked %d %d %d %d %s\n", checked, v.ino, v.size, v.written, bootID())
}

// vouchedOf is when the shape of the file was checked that is now at v, as line has it; 0 where it may
// be another one by now, or it is too long ago.
func vouchedOf(v version, line string, now Stamp) Stamp {
	var checked Stamp
	if _, err := fmt.Sscanf(line, "checked %d ", &checked); err != nil || line != vouch(v, checked) {
		return 0
	}
	if age := now - checked; age < 0 || age > Stamp(vouchedFor/time.Second) {
		return 0
	}
	return checked
}

// bootID is another one after each start of the machine (random(4)); empty where there is none.
var bootID = sync.OnceValue(func() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
})

// watch finds out whether somebody else has written to the file since the last transaction.
func (db *DB) watch() {
	if info, err := db.file.Stat(); err != nil || versionOf(info) != db.seen {
		db.doubt.Store(true)
	}
}

// vouch is the line that spares the next owner a check, empty where not all is well.
func (db *DB) vouch() string {
	if db.watch(); db.doubt.Load() || db.usable() != nil || db.lastCommit() != nil {
		return ""
	}
	return vouch(db.seen, db.checked)
}
