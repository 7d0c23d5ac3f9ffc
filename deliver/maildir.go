package deliver

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// MaildirOptions say where and how a [Maildir] delivers.
type MaildirOptions struct {
	Path   string      // absolute
	Folder string      // a Maildir++ folder of it: "Lists.go" is PATH/.Lists.go; "": none
	Mode   fs.FileMode // of the files; 0: 0600
	CRLF   bool        // line ends stay CR LF, as they come over the wire; otherwise LF
	Owner  Owner
	Trace  Trace // nil: nothing is added
}

// A Maildir delivers into tmp/ and then new/ of a Maildir, exactly once whatever is killed and
// whenever (docs/architecture.md).
type Maildir struct {
	root   string // of the Maildir++ tree
	folder string // the name of the folder in it; "": root itself
	path   string // the Maildir that is delivered into
	tmp    staging
	sys    system
	seen   map[string]string // by the first Settle, until Open: see look

	mu    sync.Mutex
	shown map[string]struct{} // names published and not dropped: nothing of them is in tmp/
}

var _ Target = (*Maildir)(nil)

const maildirPrefix = "maildir:"

// maxBatch bounds a batch: 256 share the cost of the two folder fsyncs well enough.
const maxBatch = 256

// NewMaildir touches no disk; [Maildir.Open] does.
func NewMaildir(o MaildirOptions) *Maildir {
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	m := &Maildir{
		root:   filepath.Clean(o.Path),
		folder: o.Folder,
		path:   folderPath(o.Path, o.Folder),
		sys:    kernel{},
	}
	m.tmp = staging{
		sys:   m.sys,
		dir:   m.sub("tmp"),
		mode:  o.Mode.Perm(),
		lf:    !o.CRLF,
		owner: o.Owner,
		trace: o.Trace,
	}
	return m
}

func (m *Maildir) sub(name string) string { return filepath.Join(m.path, name) }

// MaxBatch is 256.
func (m *Maildir) MaxBatch() int { return maxBatch }

// Location is "maildir:" and the folder's path.
func (m *Maildir) Location() string { return maildirPrefix + m.path }

// Where is the path under which a message appears in new/. Readers move it from there.
func (m *Maildir) Where(st Staged) string { return m.newPath(st) }

// Prepare creates files in tmp/, and goes through what is to be done once a process.
func (m *Maildir) Prepare(n int) (done func()) {
	ready := m.tmp.prepare(n)
	var passing sync.WaitGroup
	passing.Go(m.passFirst)
	return func() {
		passing.Wait()
		ready()
	}
}

// Stage writes msg into tmp/. The file stays open until Sync or Drop, which every staged message needs.
func (m *Maildir) Stage(_ context.Context, uid string, msg io.Reader) (Staged, error) {
	return m.tmp.stage(uid, msg)
}

// Sync makes files and names in tmp/ durable. It ignores ctx: half an fsync is none.
func (m *Maildir) Sync(_ context.Context, batch []Staged) []error {
	errs := m.tmp.syncFiles(batch)
	if !slices.Contains(errs, nil) {
		return errs
	}
	err := m.syncTmp()
	if err == nil {
		return errs
	}
	for i := range errs {
		if errs[i] == nil {
			errs[i] = err
		}
	}
	return errs
}

// Publish renames batch into new/ and makes that durable. It ignores ctx, as Sync does.
func (m *Maildir) Publish(_ context.Context, batch []Staged) []error {
	gate, err := m.gate()
	if err != nil {
		return fill(len(batch), err)
	}
	gate.RLock()
	defer gate.RUnlock()

	errs := make([]error, len(batch))
	for i, st := range batch {
		errs[i] = m.show(st)
	}
	if !slices.Contains(errs, nil) {
		return errs
	}
	err = m.sys.syncDir(m.sub("new"))
	if err == nil {
		return errs
	}
	for i, st := range batch {
		if errs[i] == nil {
			errs[i] = failed(m.sub("new"), err)
			m.hide(st)
		}
	}
	return errs
}

// show renames one message from tmp/ into new/.
func (m *Maildir) show(st Staged) error {
	if err := checkName(st.Name); err != nil {
		return err
	}
	to := m.newPath(st)
	err := m.sys.rename(m.tmp.path(st.Name), to)
	// NFS repeats a request whose answer was lost, and the second one finds nothing to rename.
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && exists(to)) {
		return failed(m.sub("new"), err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown == nil {
		m.shown = make(map[string]struct{})
	}
	m.shown[st.Name] = struct{}{}
	return nil
}

// wasShown says whether a message was published by us, and forgets it.
func (m *Maildir) wasShown(st Staged) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, shown := m.shown[st.Name]
	delete(m.shown, st.Name)
	return shown
}

// hide takes a message back whose rename may not outlive a crash. Where a reader was faster it
// stays visible and will come again: a second copy is better than none.
func (m *Maildir) hide(st Staged) {
	m.wasShown(st)
	_ = m.sys.rename(m.newPath(st), m.tmp.path(st.Name))
}

// newPath carries the size in octets, ",S=", which spares quota-minding readers a stat (Maildir++).
func (m *Maildir) newPath(st Staged) string {
	return filepath.Join(m.sub("new"), st.Name+",S="+strconv.FormatInt(st.Size, 10))
}

// Drop removes batch from tmp/. It spares the system calls for what Publish has taken out of it.
func (m *Maildir) Drop(batch []Staged) error {
	return m.tmp.drop(slices.DeleteFunc(slices.Clone(batch), m.wasShown))
}

// Clean removes from tmp/ what earlier runs left, never what another program put there.
func (m *Maildir) Clean(keep func(name string) bool) error { return m.tmp.clean(keep) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
