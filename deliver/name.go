package deliver

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Owner marks the names of staged files, so that [Target.Clean] knows what was left by whom.
type Owner struct {
	State string // the UIDL database's ID: 8 hexadecimal digits
	Run   string // new for each process: 16 hexadecimal digits
}

// NewOwner is the Owner of this process's files for the database with the ID state.
func NewOwner(state string) Owner {
	var run [8]byte
	_, _ = rand.Read(run[:]) // never fails: see its documentation
	return Owner{State: state, Run: hex.EncodeToString(run[:])}
}

// names counts the names of this process. It belongs to all targets together: two of them may
// share a folder and an Owner, and O_EXCL does not see names that have moved on to new/.
var names atomic.Uint64

// newName is a file name that was never used before and never will be, on any host:
// "<seconds>.R<run>Q<count>_s<state>I<place>.<host>" as maildir(5) suggests.
func (o Owner) newName(now time.Time, place place) string {
	return fmt.Sprintf("%d.R%sQ%d_s%sI%x.%s", now.Unix(), o.Run, names.Add(1), o.State, uint64(place), hostname())
}

// A place tells the folder in which messages are staged from another one at the same path: that
// of a file system which is not mounted, or one that was made anew. It is made of the folder's
// inode and, since file systems use inodes again, of the time when it was created where that is
// known. Device numbers change when a machine starts, so they are no part of it.
type place uint64

// stagedAt is the place in a name that newName made.
func stagedAt(name string) place {
	m := nameSyntax.FindStringSubmatch(name)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseUint(m[3], 16, 64)
	return place(n)
}

var nameSyntax = regexp.MustCompile(`^[0-9]+\.R([0-9a-f]{16})Q[0-9]+_s([0-9a-f]{8})I([0-9a-f]{1,16})\.[^/:,]+$`)

// parseName finds whose file a name is; ok is false for files of other programs.
func parseName(name string) (o Owner, ok bool) {
	m := nameSyntax.FindStringSubmatch(name)
	if m == nil {
		return Owner{}, false
	}
	return Owner{Run: m[1], State: m[2]}, true
}

// leftBehind reports whether name was given by an earlier process with o's database.
func (o Owner) leftBehind(name string) bool {
	whose, ok := parseName(name)
	return ok && whose.State == o.State && whose.Run != o.Run
}

// checkName refuses a name that comes from a damaged database before it leads out of the folder.
func checkName(name string) error {
	if _, ok := parseName(name); !ok {
		return &Error{Kind: IO, Err: fmt.Errorf("%q: %w: not the name of a staged message", name, fs.ErrInvalid)}
	}
	return nil
}

// hostname is this host's name as maildir(5) wants it.
var hostname = sync.OnceValue(func() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "localhost"
	}
	return escapeHost(name)
})

// escapeHost writes what means something else in a Maildir's file names, and what is not
// printable, in octal. The result is cut: a file name has 255 octets.
func escapeHost(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		piece := string(rune(c))
		if c <= ' ' || c >= 0x7f || strings.IndexByte("/:,\\", c) >= 0 {
			piece = fmt.Sprintf(`\%03o`, c)
		}
		if b.Len()+len(piece) > 128 {
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}

// checkFolder checks the name of a Maildir++ folder: parts with dots between them, such as "Lists.go".
func checkFolder(name string) error {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case strings.Contains(name, "/"):
		return fmt.Errorf("folder %q: parts are separated by dots, not slashes", name)
	case strings.ContainsFunc(name, control):
		return fmt.Errorf("folder %q: control characters", name)
	case strings.HasPrefix(name, "."), strings.HasSuffix(name, "."), strings.Contains(name, ".."):
		return fmt.Errorf("folder %q: a part of the name is empty", name)
	case len(name) > 254:
		return fmt.Errorf("folder %q: %w", name, syscall.ENAMETOOLONG)
	}
	return nil
}

// folderPath is where the Maildir++ folder of the Maildir root lies; "" is the root itself.
func folderPath(root, folder string) string {
	if folder == "" {
		return filepath.Clean(root)
	}
	return filepath.Join(root, "."+folder)
}
