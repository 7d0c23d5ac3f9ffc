package strace

import (
	"maps"
	"strings"
)

// A process has descriptors and a folder of its own; its threads share them.
type process struct {
	number int
	cwd    string
	files  map[int]*opening // by descriptor
}

// An opening is what open returned, however many descriptors lead to it.
type opening struct {
	number   int
	position int64
	appends  bool
}

// fork is a new process that has what its parent has at this moment.
func (p *process) fork(number int) *process {
	return &process{number: number, cwd: p.cwd, files: maps.Clone(p.files)}
}

// at is the position of a descriptor, or -1.
func (p *process) at(fd int) int64 {
	o := p.files[fd]
	if o == nil || o.appends {
		return -1
	}
	return o.position
}

// move goes on by what was read or written at a position that is the opening's own.
func (p *process) move(fd int, by int64) {
	if o := p.files[fd]; o != nil && by > 0 {
		o.position += by
	}
}

// birth is how a thread or process came to be.
type birth struct {
	parent int // thread
	thread bool
}

// births finds out who made whom. A child may show up in the log before the call that made it returns.
func births(events []event) map[int]birth {
	born := map[int]birth{}
	for _, e := range events {
		if c := e.call; c != nil && c.end == e.line && isClone(c.name) && c.errno == "" {
			born[int(number(c.result))] = birth{
				parent: c.thread,
				thread: strings.Contains(named(c.args, "flags"), "CLONE_THREAD"),
			}
		}
	}
	return born
}

func isClone(name string) bool {
	switch name {
	case "clone", "clone3", "fork", "vfork":
		return true
	default:
		return false
	}
}
