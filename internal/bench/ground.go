package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"popsync/internal/realtest"
)

// A ground is what all rows stand on: a folder, the programs in it, and who runs them.
type ground struct {
	options
	dir      string
	owner    owner
	agent    string            // what the delivery program is, for people
	absent   map[string]string // by contender, the program that is not installed
	progress io.Writer

	discarded int            // folders so far
	ends      []func() error // see atEnd
}

// An owner is the user that contenders run as, and to whom their files belong.
type owner struct{ uid, gid int }

// nobody is who contenders run as if root runs the benchmark: getmail refuses to be root, fdm and
// Dovecot give root no mail.
var nobody = owner{65534, 65534}

// credential is how to become the owner; nil for who is it already.
func (o owner) credential() *syscall.Credential {
	if o.uid == os.Getuid() {
		return nil
	}
	return &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
}

// give makes all of dir the owner's.
func (o owner) give(dir string) error {
	if o.uid == os.Getuid() {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, o.uid, o.gid))
	})
}

// furnish makes the folder and puts the programs into it.
func furnish(o options) (*ground, error) {
	if err := realtest.Installed("dovecot"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.dir, "popsync-bench-")
	if err != nil {
		return nil, err
	}
	g := &ground{options: o, dir: dir, owner: owner{os.Getuid(), os.Getgid()}, absent: absent()}
	if g.owner.uid == 0 {
		g.owner = nobody
	}
	if err := g.furnish(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return g, nil
}

// atEnd has something done when all is measured.
func (g *ground) atEnd(do func() error) { g.ends = append(g.ends, do) }

// clear does what was left to the end, and removes the folder.
func (g *ground) clear() (errs error) {
	for _, do := range g.ends {
		errs = errors.Join(errs, do())
	}
	return errors.Join(errs, os.RemoveAll(g.dir))
}

// discard takes a folder away that may not be there. The files in it go in the end: for minutes
// after a file was removed, ext4 looks at its inode each time that another one is created, and whoever
// came next would pay for who came before. Large files are few, and go at once.
func (r *row) discard(dir string) error {
	if r.size >= large {
		return os.RemoveAll(dir)
	}
	r.discarded++
	err := os.Rename(dir, filepath.Join(r.ground.dir, fmt.Sprint("used-", r.discarded)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (g *ground) bin() string { return filepath.Join(g.dir, "bin") }

func (g *ground) furnish() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(g.dir, 0o755), os.Mkdir(g.bin(), 0o755)); err != nil {
		return err
	}
	// Copies: the owner may have no way to where they lie.
	for name, program := range map[string]string{"bench": self, "popsync": g.popsync} {
		if err := copyProgram(program, filepath.Join(g.bin(), name)); err != nil {
			return err
		}
	}
	g.agent, err = makeAgent(g.bin())
	return err
}

func copyProgram(from, to string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

// absent are the contenders whose program is not installed.
func absent() map[string]string {
	all := map[string]string{}
	for _, c := range contenders {
		if c.program == "" {
			continue
		}
		if _, err := exec.LookPath(c.program); err != nil {
			all[c.name] = c.program
		}
	}
	return all
}

// about says what is measured, and where.
func (g *ground) about() string {
	var b strings.Builder
	fmt.Fprintf(&b, "- machine: %s\n- files: %s\n- server: Dovecot %s\n", machine(), fileSystem(g.dir), version("dovecot-pop3d"))
	for _, c := range contenders {
		switch {
		case g.absent[c.name] != "":
			fmt.Fprintf(&b, "- %s: left out, it is not installed: apt-get install %s\n", c.name, c.family)
		case c.family != "":
			fmt.Fprintf(&b, "- %s: %s\n", c.name, version(c.family))
		}
	}
	fmt.Fprintf(&b, "- agent: %s\n", g.agent)
	if g.scale != 1 {
		fmt.Fprintf(&b, "- scale: %g of each workload: no figures to compare with others\n", g.scale)
	}
	return b.String()
}

// legend says what the figures are.
const legend = `- wall: median of n runs, the shortest and the longest
- CPU: median, user and system, with that of all children
- peak: the largest process of any run
- arithmetic: the waits that the protocol takes, a round-trip time each
- bare waits: the same, each as long as a bare client waits for an answer on this line
`

// notes are what to know about the figures and the contenders.
func notes() string {
	var b strings.Builder
	b.WriteString(legend)
	for _, c := range contenders {
		fmt.Fprintf(&b, "- %s: %s\n", c.name, c.note)
	}
	return b.String()
}
