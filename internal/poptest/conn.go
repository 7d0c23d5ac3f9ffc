package poptest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// linger is how long a connection that the server has ended is still read, so that FIN does not become RST.
const linger = time.Second

// errOver ends a session that was brought to its end on purpose, or whose client has gone.
var errOver = errors.New("the session is over")

// A Conn is one session as the server sees it. Hooks and actions use its methods, in the session's own
// goroutine; they are not for any other.
type Conn struct {
	ID int // counts the server's sessions from 1

	server *Server
	raw    net.Conn // as it was accepted
	conn   net.Conn // raw, or TLS over it
	out    *out
	in     *inbox
	log    record
	once   sync.Once
	done   chan struct{} // closed when nothing more is to be said
	gone   chan struct{} // closed when the client has gone and all that it sent was read

	current  command // the one to be answered
	answer   []byte  // the first line of what was said to it
	answered bool    // that line is complete
	errors   int     // commands that were refused

	stamp      string // of the greeting, for APOP
	named      string // what USER said, if it was taken
	claimed    string // what USER said
	applicant  string // whom a log-in is decided about
	attempting bool   // the command is a log-in
	auth       Auth   // of the AUTH that is being answered
	challenges int    // sent for it
	refusals   int    // log-ins that were refused
	utf8       bool

	user      string // who has logged in; empty in the AUTHORIZATION state
	box       *Mailbox
	msgs      []*Message // the snapshot; number n is msgs[n-1]
	deleted   map[int]bool
	retrieved map[int]bool
}

func newConn(s *Server, id int, raw net.Conn) *Conn {
	c := &Conn{
		ID:      id,
		server:  s,
		raw:     raw,
		conn:    raw,
		done:    make(chan struct{}),
		gone:    make(chan struct{}),
		stamp:   stampOf(s.opts.Greeting),
		deleted: make(map[int]bool),

		retrieved: make(map[int]bool),
	}
	c.log.s.Began = time.Now()
	c.out = &out{conn: raw, log: &c.log, chunk: s.opts.Chunk, sleep: func() error { return c.wait(s.opts.Pause) }, limit: unlimited}
	c.in = newInbox(&c.log, s.opts.ReadAhead, c.done)
	return c
}

// run is the session from its first octet to its last.
func (c *Conn) run() {
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(c.gone)
		c.in.read(c.raw)
	})
	_ = c.serve()
	c.abort()
	reader.Wait()
	c.log.end()
}

// serve answers until the session is over, one way or another.
func (c *Conn) serve() error {
	if err := c.respond(command{Command: Command{Verb: Accept}, held: true}); err != nil {
		return err
	}
	if err := c.respond(command{Command: Command{Verb: Greeting}}); err != nil {
		return err
	}
	for {
		cmd, err := c.next()
		if err != nil {
			return err
		}
		c.log.command(cmd.Command)
		c.begin(cmd)
		if err := c.respond(cmd); err != nil {
			return err
		}
		if err := c.count(); err != nil {
			return err
		}
	}
}

// count ends the session at its last error.
func (c *Conn) count() error {
	if !c.refused() {
		return nil
	}
	c.errors++
	if limit := c.server.opts.MaxErrors; limit == 0 || c.errors < limit {
		return nil
	}
	return Cut(c)
}

// next is the next command. Before it waits for one, all that was answered goes out.
func (c *Conn) next() (command, error) {
	for {
		cmd, ok := c.in.take()
		if ok {
			return cmd, nil
		}
		if err := c.out.flush(); err != nil {
			return command{}, err
		}
		select {
		case <-c.in.arrived:
		case <-c.gone:
			if cmd, ok := c.in.take(); ok { // came with the end
				return cmd, nil
			}
			return command{}, errOver
		case <-c.done:
			return command{}, errOver
		}
	}
}

// respond answers cmd by its hook, or as usual.
func (c *Conn) respond(cmd command) error {
	c.current = cmd
	defer c.release()
	if d := c.server.opts.Patience; d > 0 {
		c.Early(d)
	}
	return c.server.action(c, cmd)(c)
}

// release lets the reader go on, which waits after STLS (and at the very start) for what the connection
// is going to be.
func (c *Conn) release() {
	if c.current.held {
		c.current.held = false
		c.in.resume(c.conn)
	}
}

// abort ends the connection at once, whatever is under way.
func (c *Conn) abort() {
	c.once.Do(func() { close(c.done) })
	c.raw.Close()
}

// wait lets d pass, or less where the session ends meanwhile.
func (c *Conn) wait(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.gone:
		return errOver
	case <-c.done:
		return errOver
	}
}

// Write adds to the answer, which goes out when it is complete, when it is long, and when the server
// waits for something.
func (c *Conn) Write(p []byte) (int, error) {
	c.note(p)
	return c.out.Write(p)
}

// Reply writes one line and its CRLF.
func (c *Conn) Reply(format string, args ...any) error {
	_, err := fmt.Fprintf(c, format+"\r\n", args...)
	return err
}

// Flush sends what was written.
func (c *Conn) Flush() error {
	return c.out.flush()
}

// Sleep sends what was written and lets d pass. It returns an error if the session ends meanwhile.
func (c *Conn) Sleep(d time.Duration) error {
	if err := c.out.flush(); err != nil {
		return err
	}
	return c.wait(d)
}

// ReadLine sends what was written and reads a line that is no command, such as the answer to a SASL
// challenge, without its end.
func (c *Conn) ReadLine() (string, error) {
	c.release()
	cmd, err := c.next()
	if err != nil {
		return "", err
	}
	if cmd.held { // it only looked like STLS
		c.in.resume(c.conn)
	}
	c.log.command(Command{Arg: cmd.line, TLS: cmd.TLS})
	c.responded(cmd.line)
	c.answer, c.answered = c.answer[:0], false
	return cmd.line, nil
}

// Early says whether the client has sent more before it has the answer to this command, or does so
// within d.
func (c *Conn) Early(d time.Duration) bool {
	if c.current.Verb == Accept || c.current.Verb == Greeting {
		return false // nothing was asked
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for !c.in.waiting() {
		select {
		case <-c.in.arrived:
		case <-timer.C:
			return false
		case <-c.gone:
			return c.in.waiting()
		case <-c.done:
			return false
		}
	}
	return true
}

// Forget throws away the commands that have come early, as a server does that empties its buffer after
// each command.
func (c *Conn) Forget() {
	for {
		cmd, ok := c.in.take()
		if !ok {
			return
		}
		if cmd.held {
			c.in.resume(c.conn)
		}
		c.log.command(cmd.Command)
	}
}

// User is who has logged in, and empty before that.
func (c *Conn) User() string {
	return c.user
}

// Messages is the session's snapshot of the mailbox, deleted ones included: number n is n-1 here.
func (c *Conn) Messages() []*Message {
	return c.msgs
}

// Deleted says whether number n is marked as deleted.
func (c *Conn) Deleted(n int) bool {
	return c.deleted[n]
}

// TLS is the state of the connection's TLS, nil in clear.
func (c *Conn) TLS() *tls.ConnectionState {
	if over, ok := c.conn.(*tls.Conn); ok {
		state := over.ConnectionState()
		return &state
	}
	return nil
}
