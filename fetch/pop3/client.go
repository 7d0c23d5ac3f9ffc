package pop3

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"time"
)

// Options are what a [Client] can be told. The zero value works.
type Options struct {
	// Timeout is the longest wait for a reply, and for progress within a long one; 0: 60 s.
	Timeout time.Duration

	// Pipelining is whether commands may be sent before earlier ones are answered.
	Pipelining Pipelining

	// User and Password are what the log-in will send: should the server say the password, at any
	// time, it is shown nowhere.
	User, Password string

	// OneForm is set where credentials must not be sent twice in one log-in: an initial response
	// that is refused, for whatever reason, is not followed by the form of two lines.
	OneForm bool

	// Trace is told of every command ("C: ...", secrets masked) and of every status line
	// ("S: ...", raw), or is nil.
	Trace func(line string)
}

// Pipelining says when commands are sent before earlier ones are answered (RFC 2449, section 6.6).
type Pipelining uint8

const (
	Announced Pipelining = iota // where the server announces it
	Always                      // also where it does not; USER and PASS wait their turn even so
	Never
)

// A Client is one session with a server.
type Client struct {
	c            *conn
	pipelining   Pipelining
	oneForm      bool
	capabilities Capabilities
	err          error // after which nothing more is believed

	stamp      string        // of the greeting, for APOP
	user       string        // whose password is concealed
	secrets    [][]byte      // what no error and no trace may show, should the server repeat it
	pieces     [][]byte      // the long ones of them in lower case: no part of these either
	runs       runSet        // of pieces
	unanswered []sent        // in order
	answered   func()        // is called at the end of a body; nil where nobody cares
	distance   time.Duration // the shortest wait for an answer so far
	proven     bool          // a command that was sent before an earlier one's answer has been answered
}

// A sent is a command that waits for its answer.
type sent struct {
	verb    string
	early   bool // sent before an earlier one was answered
	ignored bool // nobody waits for its answer, which comes before that of the next command
}

// NewClient takes over an open connection and waits for the server's greeting. When it fails the
// connection is closed.
func NewClient(ctx context.Context, nc net.Conn, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Trace == nil {
		o.Trace = func(string) {}
	}
	c := &Client{c: newConn(nc, o.Timeout, o.Trace), pipelining: o.Pipelining, oneForm: o.OneForm, distance: math.MaxInt64}
	c.conceal(o.User, o.Password)
	if err := c.greeting(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

func (c *Client) greeting(ctx context.Context) error {
	defer c.c.until(ctx)()
	c.c.await(false)
	l, err := c.readStatusLine(keepStatus)
	if errors.Is(err, ErrTimeout) && c.c.progress == 0 {
		l, err = c.provoke(err)
	}
	if err != nil {
		return c.fail(err)
	}
	s, ok := c.status(l)
	switch {
	case len(l.text) > 0 && l.text[0] == tlsAlert:
		return c.fail(protocolErrorf("no POP3 greeting: the server speaks TLS here from the first byte"))
	case !ok || s.more:
		return c.fail(protocolErrorf("no POP3 server: it greets with %q", raw(c.shown(l))))
	case !s.ok:
		s.command = "greeting"
		return c.fail(s.refusal())
	}
	c.stamp = stampIn(s.raw)
	return nil
}

// A server that has not said a word may be one of another protocol, which waits for us to speak
// first: HTTP, or TLS, whose answer to nonsense is an alert.
const (
	provocation = 2 * time.Second
	tlsAlert    = 0x15 // content type of RFC 8446, section 5.1
)

// provoke makes a silent server say what it is. silence is the error if it stays silent.
func (c *Client) provoke(silence error) (line, error) {
	c.c.awaitFor(provocation)
	c.c.out = append(c.c.out, "QUIT\r\n"...)
	for c.c.progress == 0 {
		if err := c.c.fill(); err != nil {
			return line{}, silence
		}
	}
	b := c.c.buffered()
	if bytes.HasPrefix(b, []byte("+OK")) || bytes.HasPrefix(b, []byte("-ERR")) {
		return line{}, silence
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	return line{text: bytes.TrimSuffix(first, []byte("\r"))}, nil
}

// Capabilities are those of the last [Client.Capa], or none.
func (c *Client) Capabilities() Capabilities { return c.capabilities }

// Pipelining says whether commands are sent before earlier ones are answered.
func (c *Client) Pipelining() bool {
	switch c.pipelining {
	case Always:
		return true
	case Never:
		return false
	case Announced:
	}
	return c.capabilities.Pipelining
}

// Distance is the shortest wait for an answer so far: hardly less than the line's round-trip time.
func (c *Client) Distance() time.Duration { return c.distance }

// LostCommands says whether a failed session looks like that of a server that announces
// PIPELINING and loses commands which come early: none that came early was ever answered.
func (c *Client) LostCommands() bool {
	early := func(s sent) bool { return s.early }
	return c.err != nil && !c.proven && slices.ContainsFunc(c.unanswered, early) &&
		(errors.Is(c.err, ErrTimeout) || errors.Is(c.err, ErrClosed))
}

// Close closes the connection without a word. What was marked as deleted stays on the server.
func (c *Client) Close() error { return c.c.net.Close() }

// fail remembers err: after it nothing more is believed from the connection.
func (c *Client) fail(err error) error {
	c.err = err
	return err
}

// send writes a command, or keeps it until a reply is waited for. masked is what a trace shows
// in place of the arguments.
func (c *Client) send(verb, args, masked string) error {
	if args == "" {
		return c.sendLine(verb, verb, masked)
	}
	return c.sendLine(verb, verb+" "+args, masked)
}

// sendLine is send for a line that need not begin with the command that it belongs to.
func (c *Client) sendLine(verb, command, masked string) error {
	if c.err != nil {
		return c.err
	}
	// What lies there before a command is sent is no reply to it.
	if len(c.unanswered) == 0 && len(c.c.buffered()) > 0 {
		return c.fail(protocolErrorf("the server sent a reply that nobody asked for"))
	}
	if strings.ContainsAny(command, "\r\n\x00") {
		return c.fail(protocolErrorf("%s: CR, LF and NUL cannot be sent", verb))
	}
	c.c.out = append(c.c.out, command...)
	c.c.out = append(c.c.out, "\r\n"...)
	c.c.trace("C: " + masked)
	c.unanswered = append(c.unanswered, sent{verb: verb, early: len(c.unanswered) > 0})
	return nil
}

// reply reads the status line for the oldest unanswered command. Its error is a *ResponseError
// for -ERR.
func (c *Client) reply() (status, error) { return c.replyOf(keepStatus) }

// replyOf is reply where "+ " may be followed by more than what is kept of other status lines.
func (c *Client) replyOf(keep int) (status, error) {
	for c.err == nil && c.unanswered[0].ignored {
		c.unanswered[0].ignored = false
		if _, err := c.ok(); refusalIsFine(err) != nil {
			return status{}, err
		}
	}
	if c.err != nil {
		return status{}, c.err
	}
	command := c.unanswered[0].verb
	c.c.await(false)
	// Only an answer before which nothing else was asked has come all the way while we waited.
	asked, whole := time.Now(), c.answered == nil && !c.unanswered[0].early && len(c.c.buffered()) == 0
	l, err := c.readStatusLine(keep)
	if err != nil {
		return status{}, c.fail(err)
	}
	if whole {
		c.distance = min(c.distance, time.Since(asked))
	}
	s, ok := c.status(l)
	if !ok {
		return status{}, c.fail(protocolErrorf("%s: neither +OK nor -ERR: %q", command, raw(c.shown(l))))
	}
	c.proven = c.proven || c.unanswered[0].early
	c.unanswered = c.unanswered[1:]
	s.command = command
	if !s.ok && !s.more {
		return s, s.refusal()
	}
	return s, nil
}

// readStatusLine reads a line, of which at most keep octets are kept after "+ ", and otherwise
// keepStatus.
func (c *Client) readStatusLine(keep int) (line, error) {
	l, err := c.c.readLine(keep)
	if errors.Is(err, ErrTimeout) && c.c.progress > 0 {
		err = protocolErrorf("an answer that does not end within %s", c.c.timeout)
	}
	if len(l.text) > keepStatus && !bytes.HasPrefix(l.text, []byte("+ ")) {
		l.text, l.cut = l.text[:keepStatus], true
	}
	return l, err
}

// status traces a status line and reads it.
func (c *Client) status(l line) (status, bool) {
	s, ok := parseStatus(l)
	s.raw = s.text
	if len(l.text) > keepStatus {
		l.text, l.cut = l.text[:keepStatus], true
	}
	shown := c.shown(l)
	c.c.trace("S: " + string(shown))
	if ok && len(shown) > 0 && &shown[0] != &l.text[0] {
		_, s.text, _ = strings.Cut(string(shown), " ")
	}
	return s, ok
}

// ok is reply where "+ " is no answer.
func (c *Client) ok() (status, error) {
	s, err := c.reply()
	if err == nil && s.more {
		return s, c.fail(protocolErrorf("%s: the server answers with a bare +", s.command))
	}
	return s, err
}

// exchange sends a command without secrets and waits for its answer.
func (c *Client) exchange(verb, args string) (status, error) {
	if err := c.send(verb, args, strings.TrimSpace(verb+" "+args)); err != nil {
		return status{}, err
	}
	return c.ok()
}

// Err is the error after which nothing more is believed from the connection, or nil.
func (c *Client) Err() error { return c.err }
