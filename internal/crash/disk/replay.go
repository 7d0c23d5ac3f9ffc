package disk

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"popsync/internal/crash/strace"
)

// A Replay does to a disk, step by step, what the calls of a log did to the folder root.
//
// A change is there from the moment when its call begins, since it may be done at once, and an fsync
// covers what returned before it began: so little is durable when two calls overlap.
type Replay struct {
	disk     *Disk
	root     string
	after    Tree
	moments  []moment
	next     int
	openings map[int]*node
	lands    map[*strace.Op]func() // what is to be done when a call returns
}

// A moment is the beginning of a call, or its return.
type moment struct {
	op   *strace.Op
	line int
	ends bool
}

// Replay begins one. Ops is a whole log from the start of its program, and after what really lay
// in root in the end.
func (d *Disk) Replay(root string, ops []strace.Op, after Tree) *Replay {
	r := &Replay{disk: d, root: root, after: after, openings: make(map[int]*node), lands: make(map[*strace.Op]func())}
	for i := range ops {
		op := &ops[i]
		if op.Errno != "" {
			continue
		}
		r.moments = append(r.moments, moment{op: op, line: op.Begin})
		if op.End != 0 {
			r.moments = append(r.moments, moment{op: op, line: op.End, ends: true})
		}
	}
	slices.SortStableFunc(r.moments, func(a, b moment) int { return cmp.Compare(a.line, b.line) })
	return r
}

// Check is for the end. It is an error if the disk, as programs see it, is not what really lay there:
// then something was done to that which the model has not seen.
func (r *Replay) Check() error {
	if wrong := r.disk.Tree().Differ(r.after); wrong != "" {
		return fmt.Errorf("the model is not the disk:\n%s", wrong)
	}
	return nil
}

// Moments is how many there are.
func (r *Replay) Moments() int { return len(r.moments) }

// Find is how many steps it takes to get behind the beginning of each call of that kind.
func (r *Replay) Find(kind func(strace.Op) bool) (steps []int) {
	for i, m := range r.moments {
		if !m.ends && kind(*m.op) {
			steps = append(steps, i+1)
		}
	}
	return steps
}

// Step goes on to the next moment. It is false behind the last one, and at an error, which is of the
// log: a call that the model does not know.
func (r *Replay) Step() (m Moment, ok bool, err error) {
	if r.next == len(r.moments) {
		return Moment{}, false, nil
	}
	next := r.moments[r.next]
	r.next++
	m = Moment{Op: *next.op, Ends: next.ends}
	if next.ends {
		m.Changed = r.end(next.op)
	} else {
		m.Changed, err = r.begin(next.op)
	}
	if err != nil {
		return m, false, fmt.Errorf("%v: %w", m, err)
	}
	return m, true, nil
}

// A Moment is the beginning of a call, or its return.
type Moment struct {
	strace.Op
	Ends    bool
	Changed bool // what a power cut may leave is not the same as before
}

func (m Moment) String() string {
	verb := "begins"
	if m.Ends {
		verb = "returns"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", m.Call, verb, strings.TrimSpace(m.Path+" "+m.To)))
}

// end is the return of a call. Only that of an fsync changes what survives.
func (r *Replay) end(op *strace.Op) (changed bool) {
	if land := r.lands[op]; land != nil {
		land()
		delete(r.lands, op)
	}
	return op.Call == "fsync" || op.Call == "fdatasync"
}

// begin does what a call does.
func (r *Replay) begin(op *strace.Op) (changed bool, err error) {
	switch op.Call {
	case "open", "openat", "creat":
		return r.open(op)
	case "write", "pwrite64", "writev", "pwritev", "pwritev2":
		return r.write(op)
	case "truncate", "ftruncate", "fallocate":
		return r.resize(op)
	case "fsync", "fdatasync":
		return false, r.sync(op)
	case "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir":
		return r.change(op)
	case "chmod", "fchmod", "fchmodat":
		return r.chmod(op), nil
	case "bind":
		return r.bind(op)
	case "symlink", "symlinkat", "copy_file_range", "sendfile", "splice", "syncfs":
		return false, r.unknown(op)
	case "mmap":
		if strings.Contains(op.Flags, "PROT_WRITE") && strings.Contains(op.Flags, "MAP_SHARED") {
			return false, r.unknown(op)
		}
	}
	return false, nil
}

// unknown is an error for a call that concerns the disk and that the model cannot do.
func (r *Replay) unknown(op *strace.Op) error {
	if _, ours := r.below(op.Path); ours {
		return fmt.Errorf("%s is not modelled", op.Call)
	}
	return nil
}

// below is a path as seen from the root.
func (r *Replay) below(name string) (string, bool) {
	below, err := filepath.Rel(r.root, name)
	return below, err == nil && filepath.IsLocal(below)
}

// open finds what an opening is of, and creates it where it does that.
func (r *Replay) open(op *strace.Op) (changed bool, err error) {
	name, ours := r.below(op.Path)
	if !ours {
		return false, nil
	}
	n := r.disk.lookUp(name)
	switch {
	case strings.Contains(op.Flags, "O_TMPFILE"):
		n = newNode(fs.FileMode(op.Mode)) // without a name
	case n == nil:
		var land func()
		if n, land, err = r.disk.create(name, fs.FileMode(op.Mode)); err != nil {
			return false, err
		}
		r.lands[op], changed = land, true
	case strings.Contains(op.Flags, "O_TRUNC"):
		r.add(op, n, &write{truncate: true})
		changed = true
	}
	r.openings[op.Open] = n
	return changed, nil
}

// add does a write to a file.
func (r *Replay) add(op *strace.Op, n *node, w *write) {
	n.content.news = append(n.content.news, w)
	r.lands[op] = func() { w.landed = true }
}

func (r *Replay) write(op *strace.Op) (changed bool, err error) {
	n, err := r.opened(op)
	if n == nil || err != nil {
		return false, err
	}
	w := &write{offset: op.Offset, data: op.Data}
	if op.End != 0 {
		w.data = op.Done()
	}
	if w.offset < 0 { // at the end (O_APPEND)
		w.offset = n.content.size()
	}
	r.add(op, n, w)
	return true, nil
}

// opened is the node that a call's descriptor stands for; nil for one that is not on the disk.
func (r *Replay) opened(op *strace.Op) (*node, error) {
	n := r.openings[op.Open]
	if _, ours := r.below(op.Path); ours && n == nil {
		return nil, fmt.Errorf("nobody has opened it")
	}
	return n, nil
}

func (r *Replay) resize(op *strace.Op) (changed bool, err error) {
	size := op.Length
	var n *node
	if op.Call == "truncate" {
		if name, ours := r.below(op.Path); ours {
			n = r.disk.lookUp(name)
		}
	} else if n, err = r.opened(op); err != nil {
		return false, err
	}
	if n == nil {
		return false, nil
	}
	if op.Call == "fallocate" {
		if op.Flags != "0" {
			return false, r.unknown(op)
		}
		size = max(n.content.size(), op.Offset+op.Length)
	}
	r.add(op, n, &write{truncate: true, offset: size})
	return true, nil
}

func (r *Replay) sync(op *strace.Op) error {
	n, err := r.opened(op)
	switch {
	case err != nil || n == nil:
		return err
	case n.mode.IsDir():
		r.lands[op] = r.disk.syncFolder(n)
	default:
		r.lands[op] = n.content.sync()
	}
	return nil
}

// change is what becomes of names.
func (r *Replay) change(op *strace.Op) (changed bool, err error) {
	name, ours := r.below(op.Path)
	to, there := r.below(op.To)
	if op.To != "" && ours != there {
		return false, fmt.Errorf("it leads out of %s", r.root)
	}
	if !ours {
		return false, nil
	}
	var land func()
	switch op.Call {
	case "mkdir", "mkdirat":
		var n *node
		if n, land, err = r.disk.create(name, fs.ModeDir|fs.FileMode(op.Mode)); err == nil {
			n.inode = r.after[name].Inode
		}
	case "unlink", "unlinkat", "rmdir":
		land, err = r.disk.remove(name)
	case "link", "linkat":
		land, err = r.disk.link(name, to)
	default:
		if strings.Contains(op.Flags, "RENAME_EXCHANGE") {
			return false, r.unknown(op)
		}
		land, err = r.disk.rename(name, to)
	}
	r.lands[op] = land
	return err == nil, err
}

// chmod is durable at once: what it changes is not what this is about.
func (r *Replay) chmod(op *strace.Op) (changed bool) {
	n := r.openings[op.Open]
	if name, ours := r.below(op.Path); ours && n == nil {
		n = r.disk.lookUp(name)
	}
	if n != nil {
		n.mode = n.mode.Type() | fs.FileMode(op.Mode)
	}
	return n != nil
}

// socketName is in the text of bind's arguments.
var socketName = regexp.MustCompile(`sun_path=("[^"]*")`)

// bind makes a socket on the disk, where it is one that has a name there.
func (r *Replay) bind(op *strace.Op) (changed bool, err error) {
	found := socketName.FindStringSubmatch(op.Args)
	if found == nil {
		return false, nil
	}
	path, err := strconv.Unquote(found[1])
	if err != nil {
		return false, err
	}
	name, ours := r.below(path)
	if !ours {
		return false, nil
	}
	_, land, err := r.disk.create(name, fs.ModeSocket|0o600)
	r.lands[op] = land
	return err == nil, err
}
