package deliver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// A gate keeps the fsync of a Maildir's tmp/ away from messages on their way to new/.
//
// A rename changes two folders. On a file system that makes each durable by itself, an fsync of
// tmp/ between the rename and the fsync of new/ makes durable that the message is not in tmp/
// any more, while a power cut still takes it out of new/: it would be in neither. Accounts that
// share a Maildir sync and publish at the same time, so the gate belongs to the Maildir and
// not to a Target. Publishing holds it for reading, the fsync of tmp/ for writing.
type gate struct {
	sync.RWMutex
	passed bool  // since the start of this process; guarded by the lock, as is
	failed error // what a pass met for which nobody waited: a second fsync would not say it again
}

// A folderID tells folders apart however they are spelt: links, bind mounts, "..".
type folderID struct{ dev, ino uint64 }

// gates holds one gate for each Maildir that this process delivered into. They are few and stay.
var gates sync.Map // folderID → *gate

func (m *Maildir) gate() (*gate, error) {
	info, err := os.Stat(m.tmp.dir)
	if err != nil {
		return nil, failed(m.tmp.dir, err)
	}
	id := folderID{}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id = folderID{uint64(st.Dev), uint64(st.Ino)}
	}
	g, _ := gates.LoadOrStore(id, new(gate))
	return g.(*gate), nil
}

// syncTmp makes the names in tmp/ durable.
func (m *Maildir) syncTmp() error {
	g, err := m.gate()
	if err != nil {
		return err
	}
	g.Lock()
	defer g.Unlock()
	if err := m.firstPass(g); err != nil {
		return err
	}
	if err := m.sys.syncDir(m.tmp.dir); err != nil {
		return failed(m.tmp.dir, err)
	}
	return nil
}

// passFirst is the first pass before anything waits for it. What fails is told to the next who does.
func (m *Maildir) passFirst() {
	g, err := m.gate()
	if err != nil {
		return
	}
	g.Lock()
	if g.failed == nil {
		g.failed = m.firstPass(g)
	}
	g.Unlock()
}

// firstPass makes durable, once a process, what one that was killed may have left half done: a
// rename out of tmp/ (a reader may have moved the message on to cur/), and the Maildir itself.
func (m *Maildir) firstPass(g *gate) error {
	if g.passed {
		return nil
	}
	if err := g.failed; err != nil {
		g.failed = nil
		return err
	}
	for _, dir := range []string{m.sub("new"), m.sub("cur"), m.path} {
		if err := m.sys.syncDir(dir); err != nil {
			return failed(dir, err)
		}
	}
	for _, path := range slices.Compact([]string{m.path, m.root}) {
		// A parent that we may not read is somebody else's work, and old.
		if parent := parentOf(path); parent != "" {
			if err := m.sys.syncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
				return failed(parent, err)
			}
		}
	}
	g.passed = true
	return nil
}

// parentOf is the folder that holds a Maildir's own name; "" where it cannot be found.
func parentOf(path string) string {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	return filepath.Dir(path)
}
