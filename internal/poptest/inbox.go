package poptest

import (
	"bytes"
	"net"
	"strings"
	"sync"
)

const (
	readSize = 16 << 10 // octets a read takes at most
	maxLine  = 64 << 10 // octets of a line that are kept
)

// A command is a line from the client.
type command struct {
	Command
	line string // all of it, without its end
	held bool   // the reader waits behind it: see inbox.resume
}

// An inbox reads what the client sends, always and at once, in a goroutine of its own: a client may
// write while the server writes, also where nothing between them has a buffer (net.Pipe).
type inbox struct {
	log     *record
	bound   int           // of held, in octets; 0: none
	done    chan struct{} // ends all waits
	arrived chan struct{} // something is new in the queue
	taken   chan struct{} // something has left it
	resumed chan net.Conn
	drained chan struct{} // closed when nothing will be answered any more
	once    sync.Once

	mu    sync.Mutex
	queue []command
	held  int // octets in the queue
	owed  int // commands whose answer has not been sent
}

func newInbox(log *record, bound int, done chan struct{}) *inbox {
	return &inbox{
		log:     log,
		bound:   bound,
		done:    done,
		arrived: make(chan struct{}, 1),
		taken:   make(chan struct{}, 1),
		resumed: make(chan net.Conn),
		drained: make(chan struct{}),
	}
}

// read fills the queue until the connection ends. Behind STLS, and before the first octet, it waits until
// it is told where to go on: what follows may be a hand-shake.
func (in *inbox) read(conn net.Conn) {
	size := readSize
	if in.bound > 0 {
		size = min(size, in.bound)
	}
	buf := make([]byte, size)
	var rest []byte
	hold := true
	for {
		if hold {
			next, ok := in.hold(conn)
			if !ok {
				return
			}
			if next != conn {
				in.log.dropped(len(rest)) // came in clear behind STLS: RFC 2595, section 4
				conn, rest = next, nil
			}
		}
		var cmds []command
		cmds, rest, hold = cut(rest, in.log.secure())
		in.push(cmds)
		if hold {
			continue
		}
		if !in.room() {
			return
		}
		n, err := conn.Read(buf)
		in.log.received(buf[:n])
		rest = append(rest, buf[:n]...)
		if err != nil {
			cmds, _, _ = cut(rest, in.log.secure())
			in.push(cmds)
			return
		}
	}
}

// hold waits for resume, and is what it says. It is false when the session is over.
func (in *inbox) hold(conn net.Conn) (net.Conn, bool) {
	select {
	case next := <-in.resumed:
		return next, true
	case <-in.drained:
		return conn, true
	case <-in.done:
		return nil, false
	}
}

// resume lets read go on, from now on with conn.
func (in *inbox) resume(conn net.Conn) {
	select {
	case in.resumed <- conn:
	case <-in.drained:
	case <-in.done:
	}
}

// room waits until less than the bound is held.
func (in *inbox) room() bool {
	for in.full() {
		select {
		case <-in.taken:
		case <-in.drained:
			return true
		case <-in.done:
			return false
		}
	}
	return true
}

func (in *inbox) full() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.bound > 0 && in.held >= in.bound
}

// push queues what came in one read. A command is pipelined if it came behind another one, or before
// all answers were sent.
func (in *inbox) push(cmds []command) {
	if len(cmds) == 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, cmd := range cmds {
		cmd.Pipelined = in.owed > 0
		in.owed++
		in.held += len(cmd.line)
		in.log.ahead(in.owed)
		in.queue = append(in.queue, cmd)
	}
	notify(in.arrived)
}

// take removes the first command. Where there is none, all were answered, and the answers are about to
// be sent: the next command is in its turn.
func (in *inbox) take() (command, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.queue) == 0 {
		in.owed = 0
		return command{}, false
	}
	cmd := in.queue[0]
	in.queue = in.queue[1:]
	in.held -= len(cmd.line)
	notify(in.taken)
	return cmd, true
}

// waiting says whether take would return a command.
func (in *inbox) waiting() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.queue) > 0
}

// pending is what the client has sent and nobody has looked at.
func (in *inbox) pending() []Command {
	in.mu.Lock()
	defer in.mu.Unlock()
	var cmds []Command
	for _, cmd := range in.queue {
		cmds = append(cmds, cmd.Command)
	}
	return cmds
}

// drain makes read go on to the end of the connection without a bound, and wait for nothing else.
func (in *inbox) drain() {
	in.once.Do(func() { close(in.drained) })
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// cut splits the complete lines off buf. It stops behind STLS, and says so. Of a line that is too long
// only the beginning is kept.
func cut(buf []byte, secure bool) (cmds []command, rest []byte, hold bool) {
	for {
		line, after, ok := bytes.Cut(buf, []byte("\n"))
		if !ok {
			return cmds, buf[:min(len(buf), maxLine)], false
		}
		buf = after
		cmd := parse(string(bytes.TrimSuffix(line, []byte("\r"))), secure)
		cmds = append(cmds, cmd)
		if cmd.held {
			return cmds, buf, true
		}
	}
}

// parse separates a verb from its argument, which is left as it is: a password may begin with a blank.
func parse(line string, secure bool) command {
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	return command{
		Command: Command{Verb: verb, Arg: arg, TLS: secure},
		line:    line,
		held:    verb == "STLS",
	}
}
