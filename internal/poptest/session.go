package poptest

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxClear is how many octets received in clear are kept.
const maxClear = 1 << 20

// A Command is what a client has sent, whether it was answered or not.
type Command struct {
	Verb      string // in capitals; empty for a line that was read by [Conn.ReadLine]
	Arg       string // behind the verb and one blank, byte for byte
	Pipelined bool   // came before the answer to the one before it was sent
	TLS       bool   // came over TLS
}

// String is the command as it was sent.
func (c Command) String() string {
	return strings.TrimRight(c.Verb+" "+c.Arg, " ")
}

// A Session is what has happened on one connection so far.
type Session struct {
	Commands []Command
	Clear    []byte // what the client sent in clear, the first MiB of it
	Received int64  // octets, within TLS where there was TLS
	Sent     int64
	Dropped  int // octets that came in clear behind STLS, before its answer

	Attempts []Attempt // to log in, in order

	User    string   // who has logged in
	UTF8    bool     // UTF8 was taken
	Quit    bool     // QUIT was sent by the client
	Deleted []string // UIDs that QUIT has deleted, in the mailbox's order
	Ahead   int      // most commands that were ever sent and not answered, 1 for a client that waits its turn

	TLS      *tls.ConnectionState // nil in clear
	TLSError error                // of the hand-shake

	Began time.Time
	Ended time.Time // zero as long as it lasts
}

// Verbs is that of each command, in order.
func (s Session) Verbs() []string {
	verbs := make([]string, len(s.Commands))
	for i, cmd := range s.Commands {
		verbs[i] = cmd.Verb
	}
	return verbs
}

// Args is the argument of each command that has verb, in order.
func (s Session) Args(verb string) []string {
	var args []string
	for _, cmd := range s.Commands {
		if cmd.Verb == verb {
			args = append(args, cmd.Arg)
		}
	}
	return args
}

// Pipelined says whether any command came before its turn.
func (s Session) Pipelined() bool {
	return slices.ContainsFunc(s.Commands, func(cmd Command) bool { return cmd.Pipelined })
}

// String is the talk's client side, one command a line, with a mark before those that came early.
func (s Session) String() string {
	var b strings.Builder
	for _, cmd := range s.Commands {
		mark := " "
		if cmd.Pipelined {
			mark = "+"
		}
		fmt.Fprintf(&b, "%s %q\n", mark, cmd.String())
	}
	return b.String()
}

// A record is the Session of a Conn, written by its two goroutines.
type record struct {
	mu sync.Mutex
	s  Session
}

// session is a copy of what was recorded, with what waits to be answered.
func (c *Conn) session() Session {
	pending := c.in.pending()
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	s := c.log.s
	s.Commands = slices.Concat(s.Commands, pending)
	s.Clear = slices.Clone(s.Clear)
	s.Deleted = slices.Clone(s.Deleted)
	s.Attempts = cloneAttempts(s.Attempts)
	s.Quit = slices.ContainsFunc(s.Commands, func(cmd Command) bool { return cmd.Verb == "QUIT" })
	return s
}

func (r *record) update(f func(*Session)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.s)
}

func (r *record) end() {
	r.update(func(s *Session) { s.Ended = time.Now() })
}

func (r *record) command(cmd Command) {
	r.update(func(s *Session) { s.Commands = append(s.Commands, cmd) })
}

func (r *record) sent(n int) {
	r.update(func(s *Session) { s.Sent += int64(n) })
}

func (r *record) received(p []byte) {
	r.update(func(s *Session) {
		s.Received += int64(len(p))
		if s.TLS == nil {
			s.Clear = append(s.Clear, p[:min(len(p), maxClear-len(s.Clear))]...)
		}
	})
}

func (r *record) dropped(n int) {
	r.update(func(s *Session) { s.Dropped += n })
}

func (r *record) ahead(n int) {
	r.update(func(s *Session) { s.Ahead = max(s.Ahead, n) })
}

func (r *record) secured(state tls.ConnectionState, err error) {
	r.update(func(s *Session) {
		s.TLSError = err
		if err == nil {
			s.TLS = &state
		}
	})
}

// secure says whether the client speaks TLS by now.
func (r *record) secure() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.s.TLS != nil
}
