package strace

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A Log is what strace wrote.
type Log struct {
	Ops   []Op   // in the order in which they returned; then those that did not, in the order of Begin
	Exits []Exit // of processes, in the order of their ends
}

// ReadFile is [Parse] of a file.
func ReadFile(name, dir string) (*Log, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	log, err := Parse(f, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return log, nil
}

// Parse reads a log that was made with the options of [Command]. dir is the folder in which the first
// process began.
func Parse(r io.Reader, dir string) (*Log, error) {
	s := scanner{open: map[int]*call{}}
	if err := s.scan(r); err != nil {
		return nil, err
	}
	p := parser{
		dir:     dir,
		born:    births(s.events),
		threads: map[int]*process{},
		alive:   map[int]int{},
		entered: map[*call]*Op{},
	}
	for _, e := range s.events {
		if err := p.take(e); err != nil {
			return nil, fmt.Errorf("line %d: %w", e.line, err)
		}
	}
	for c, op := range p.entered {
		if err := p.complete(c, op); err != nil {
			return nil, fmt.Errorf("line %d: %w", c.begin, err)
		}
	}
	pending := p.log.Ops[p.returned:]
	slices.SortFunc(pending, func(a, b Op) int { return cmp.Compare(a.Begin, b.Begin) })
	return &p.log, nil
}

// A parser follows threads and descriptors from line to line.
type parser struct {
	dir      string
	born     map[int]birth
	threads  map[int]*process
	alive    map[int]int // threads of each process
	entered  map[*call]*Op
	openings int
	returned int
	log      Log
}

func (p *parser) take(e event) error {
	proc := p.process(e.thread)
	switch {
	case e.exit != nil:
		p.exit(proc, e)
		return nil
	case e.line == e.call.begin:
		e.call.process = proc
		if err := p.enter(proc, e.call); err != nil {
			return err
		}
	}
	if e.line != e.call.end {
		return nil
	}
	op := p.entered[e.call]
	delete(p.entered, e.call)
	p.returned++
	return p.complete(e.call, op)
}

// process is the one that a thread belongs to.
func (p *parser) process(thread int) *process {
	if proc := p.threads[thread]; proc != nil {
		return proc
	}
	proc := &process{number: thread, cwd: p.dir, files: map[int]*opening{}}
	if b, known := p.born[thread]; known {
		parent := p.process(b.parent)
		proc = parent
		if !b.thread {
			proc = parent.fork(thread)
		}
	}
	p.threads[thread] = proc
	p.alive[proc.number]++
	return proc
}

// exit notes the end of a process with that of its last thread.
func (p *parser) exit(proc *process, e event) {
	delete(p.threads, e.thread)
	p.alive[proc.number]--
	if p.alive[proc.number] == 0 {
		e.exit.Process = proc.number
		p.log.Exits = append(p.log.Exits, *e.exit)
	}
}

// enter is what the kernel looks up when a call begins: another thread may change it before the end.
func (p *parser) enter(proc *process, c *call) error {
	op := &Op{
		Call: c.name, Process: proc.number, Thread: c.thread,
		Begin: c.begin, End: c.end, Result: -1, FD: -1, Offset: -1,
	}
	if err := op.fill(c.head, proc.cwd); err != nil {
		return err
	}
	if file := proc.files[op.FD]; file != nil {
		op.Open = file.number
		if op.Offset < 0 && moves(c.name) {
			op.Offset = proc.at(op.FD)
		}
	}
	if c.name == "close" {
		delete(proc.files, op.FD)
	}
	p.entered[c] = op
	return nil
}

// complete adds what is known of a call in the end.
func (p *parser) complete(c *call, op *Op) error {
	proc := c.process
	position := op.Offset
	op.Flags = ""
	if err := op.fill(c.args, proc.cwd); err != nil {
		return err
	}
	if moves(c.name) {
		op.Offset = position
	}
	op.End, op.Errno = c.end, c.errno
	if op.OK() {
		if err := p.effect(proc, c, op); err != nil {
			return err
		}
	}
	p.log.Ops = append(p.log.Ops, *op)
	return nil
}

// effect is what a call that succeeded does to its process.
func (p *parser) effect(proc *process, c *call, op *Op) error {
	switch c.name {
	case "open", "openat", "creat", "socket", "accept4":
		return p.opened(proc, c, op)
	case "chdir", "fchdir":
		proc.cwd = op.Path
	}
	op.Result = number(c.result)
	switch {
	case isDup(op):
		fd, _, err := descriptor(c.result)
		if err != nil {
			return err
		}
		op.Result = int64(fd)
		if file := proc.files[op.FD]; file != nil {
			proc.files[fd] = file
		}
	case c.name == "lseek":
		if file := proc.files[op.FD]; file != nil {
			file.position = op.Result
		}
	case moves(c.name):
		proc.move(op.FD, op.Result)
	}
	return nil
}

func (p *parser) opened(proc *process, c *call, op *Op) error {
	fd, path, err := descriptor(c.result)
	if err != nil {
		return err
	}
	p.openings++
	proc.files[fd] = &opening{number: p.openings, appends: strings.Contains(op.Flags, "O_APPEND")}
	op.FD, op.Open, op.Path, op.Result = fd, p.openings, path, int64(fd)
	return nil
}

// moves says whether a call reads or writes at the position of its opening.
func moves(name string) bool {
	switch name {
	case "read", "readv", "write", "writev":
		return true
	default:
		return false
	}
}

func isDup(op *Op) bool {
	switch op.Call {
	case "dup", "dup2", "dup3":
		return true
	default:
		return op.Call == "fcntl" && strings.Contains(op.Flags, "F_DUPFD")
	}
}
