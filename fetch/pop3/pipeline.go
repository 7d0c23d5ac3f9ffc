package pop3

import "iter"

// The window of commands that are on their way at once. It is bounded in commands and in octets
// both ways: commands always fit into the socket's own buffer, so that writing never waits for
// a server that itself waits for us to read; and what is still to come when a session has to end
// early is little.
const (
	windowCommands = 256
	windowOctets   = 4 << 10 // of commands
	windowReplies  = 8 << 20 // of messages, as announced
	guessedSize    = 64 << 10
)

// A call is a command of a pipelined series and what reads its answer.
type call struct {
	verb, args string
	expect     int64 // octets of the answer; 0: a line
	read       func() error
}

// pipelined sends calls as the window allows, one at a time without PIPELINING, and reads the
// answers in order. An error of a read ends the series.
func (c *Client) pipelined(calls iter.Seq[call]) error {
	next, stop := iter.Pull(calls)
	defer stop()
	w := window{one: !c.Pipelining(), next: next}
	if w.one {
		c.answered = func() { c.sendNext(&w) }
		defer func() { c.answered = nil }()
	}
	for {
		if err := c.sendOpen(&w); err != nil {
			return err
		}
		if len(w.sent) == 0 {
			return nil
		}
		if err := w.sent[0].read(); err != nil {
			return err
		}
		w.remove()
	}
}

// sendOpen sends what the window has room for.
func (c *Client) sendOpen(w *window) error {
	for w.open() {
		call, more := w.next()
		if !more {
			w.closed = true
			break
		}
		if err := c.send(call.verb, call.args, call.verb+" "+call.args); err != nil {
			return err
		}
		w.add(call)
	}
	return nil
}

// sendNext sends the next of calls that go one at a time as soon as the one before is answered: what
// is done with the answer is done while the server is at work. An error shows with the next reply.
func (c *Client) sendNext(w *window) {
	if w.closed || c.err != nil {
		return
	}
	call, more := w.next()
	if !more {
		w.closed = true
		return
	}
	w.add(call) // before it can fail: whose reply it is that does not come
	if err := c.send(call.verb, call.args, call.verb+" "+call.args); err != nil {
		return
	}
	c.c.await(false)
	if err := c.c.flush(); err != nil {
		c.fail(err)
	}
}

type window struct {
	one    bool // without PIPELINING
	closed bool // no more calls will come
	full   bool // and not yet half empty
	next   func() (call, bool)
	sent   []call
	octets int
	expect int64
}

// open says whether another command may go out. A full window opens again when it is half empty,
// so that commands go out many in one packet.
func (w *window) open() bool {
	switch {
	case w.closed:
		return false
	case w.one || len(w.sent) == 0:
		return len(w.sent) == 0
	case w.full:
		w.full = len(w.sent) > windowCommands/2 || w.octets > windowOctets/2 || w.expect > windowReplies/2
	default:
		w.full = len(w.sent) >= windowCommands || w.octets > windowOctets-64 || w.expect >= windowReplies
	}
	return !w.full
}

func (w *window) add(k call) {
	w.sent = append(w.sent, k)
	w.octets += len(k.verb) + len(k.args) + 3
	w.expect += k.expect
}

func (w *window) remove() {
	k := w.sent[0]
	w.sent = w.sent[1:]
	w.octets -= len(k.verb) + len(k.args) + 3
	w.expect -= k.expect
}
