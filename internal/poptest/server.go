package poptest

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Password is that of every mailbox for which no other was set.
const Password = "secret"

// TB is the part of testing.TB that this package uses.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	TempDir() string
}

// Options says how a server differs from a plain one without TLS. The zero value is correct and useful.
type Options struct {
	// TLS is spoken from the first octet, or after STLS where that is set too.
	TLS  *tls.Config
	STLS bool

	// Tickets has the server send session tickets, by which a client may resume a TLS session. They are
	// sent in the hand-shake: over [NewPipe] they would wait for a client that is writing.
	Tickets bool

	// Greeting is the first line without its end, "+OK POP3 server ready" by default. Stamp is added to it
	// behind a blank; with it, or a "<…>" in Greeting itself, the server takes APOP. Good or not, it is
	// the same in all sessions: [Greet] is for another one in each.
	Greeting string
	Stamp    string

	// Capabilities are the lines that CAPA tells before the log-in, CapabilitiesAfter those after it.
	// Nil means [Capabilities](); for CapabilitiesAfter it means the same list as before. STLS is
	// added where it can be used.
	Capabilities      []string
	CapabilitiesAfter []string

	// SASL are the mechanisms that AUTH takes, in capitals and in the order in which CAPA announces them
	// before the log-in: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256, both with -PLUS, XOAUTH2,
	// OAUTHBEARER, EXTERNAL. In clear it is SASLClear, which by default is the same list without -PLUS.
	// Auth says how the server differs from the RFCs.
	SASL      []string
	SASLClear []string
	Auth      Auth

	// Refusal is the answer to a wrong password or token, without its end; [AuthRefused] by default.
	Refusal string

	// Doors have a say in each log-in; see [Server.Doors].
	Doors []Door

	// Hooks are those that the server begins with; see [Server.Hook].
	Hooks map[string]HookFunc

	// MaxErrors is how many commands of a session are refused before the connection is closed behind the
	// answer (solid-pop3d: 5, migadu: 10). 0 means any number.
	MaxErrors int

	// Window is the most messages that a session sees, the oldest of the mailbox; 0 means all (mailpit:
	// 100). With Popped, QUIT also takes those that were retrieved out of the window, for all sessions to
	// come, though they stay in the mailbox; a user name with "recent:" before it sees them all (Gmail).
	Window int
	Popped bool

	// NewUIDs gives every message another UID in each session.
	NewUIDs bool

	// WrapsUTF8 announces UTF8 and sends a message with 8-bit octets in its header as an attachment of
	// another one, unless the client has said UTF8 before the log-in (Courier).
	WrapsUTF8 bool

	// Exclusive refuses a second session of the same mailbox with [IN-USE], as RFC 1939 has it;
	// most servers in use let it in.
	Exclusive bool

	// Chunk is the most octets that go out in one write, and Pause the time between two of them.
	// 0 means as they come: the answers to pipelined commands leave together.
	Chunk int
	Pause time.Duration

	// Patience is how long the server waits before each answer for commands that come early, so
	// that [Command.Pipelined] is certain. It need not be real time in a bubble.
	Patience time.Duration

	// ReadAhead bounds the octets of commands that are read before they are answered. A client that
	// writes more than this, and what the sockets hold, while it reads nothing waits for ever.
	// 0 means no bound.
	ReadAhead int

	// Buffers is the size in octets of the socket's two buffers; 0 leaves them to the system.
	Buffers int

	// Listener takes the place of one on 127.0.0.1, such as one on a Unix socket.
	Listener net.Listener
}

// A Server answers on any number of connections at once. Its methods may be called at any time, from
// any goroutine, hooks included.
type Server struct {
	Host string // "127.0.0.1"; empty where the server does not listen on TCP
	Port int

	opts     Options
	listener net.Listener // nil after NewPipe
	running  sync.WaitGroup
	wrapped  atomic.Int64 // messages that were sent within another one

	mu       sync.Mutex
	boxes    map[string]*Mailbox
	hooks    map[string]HookFunc
	doors    []Door
	listings map[string]ListingFunc
	conns    []*Conn // all there ever were, in order
	open     int
	peak     int
	closed   bool
}

// New starts a server on loopback that ends with the test.
func New(t TB, opts Options) *Server {
	t.Helper()
	s, err := Start(opts)
	if err != nil {
		t.Fatalf("poptest: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// NewPipe is a server that listens nowhere and ends with the test: its sessions come from [Server.Pipe],
// [Server.Dial] and [Server.ServeConn].
func NewPipe(t TB, opts Options) *Server {
	s := newServer(opts)
	t.Cleanup(s.Close)
	return s
}

// Start starts a server on loopback, for callers other than tests; [Server.Close] ends it.
func Start(opts Options) (*Server, error) {
	s := newServer(opts)
	s.listener = opts.Listener
	if s.listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s.listener = l
	}
	if addr, ok := s.listener.Addr().(*net.TCPAddr); ok {
		s.Host, s.Port = addr.IP.String(), addr.Port
	}
	s.running.Go(s.accept)
	return s, nil
}

func newServer(opts Options) *Server {
	if opts.Capabilities == nil {
		opts.Capabilities = Capabilities()
	}
	if opts.CapabilitiesAfter == nil {
		opts.CapabilitiesAfter = opts.Capabilities
	}
	opts.Greeting = cmp.Or(opts.Greeting, "+OK POP3 server ready")
	opts.Refusal = cmp.Or(opts.Refusal, AuthRefused)
	if opts.Stamp != "" {
		opts.Greeting += " " + opts.Stamp
	}
	opts.TLS = serverConfig(opts.TLS, opts.Tickets)
	hooks := make(map[string]HookFunc)
	maps.Copy(hooks, opts.Hooks)
	return &Server{
		opts:     opts,
		boxes:    make(map[string]*Mailbox),
		hooks:    hooks,
		doors:    opts.Doors,
		listings: make(map[string]ListingFunc),
	}
}

// Addr is the address to dial, "127.0.0.1:port" for one on loopback.
func (s *Server) Addr() string {
	if s.listener == nil {
		return "pipe"
	}
	return s.listener.Addr().String()
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.setBuffers(conn)
		s.running.Go(func() { s.ServeConn(conn) })
	}
}

func (s *Server) setBuffers(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok && s.opts.Buffers > 0 {
		_ = tcp.SetReadBuffer(s.opts.Buffers)
		_ = tcp.SetWriteBuffer(s.opts.Buffers)
	}
}

// ServeConn is one session on conn, which is closed in the end. It returns when the session is over and
// its goroutines have ended.
func (s *Server) ServeConn(conn net.Conn) {
	c := s.enter(conn)
	if c == nil {
		conn.Close()
		return
	}
	defer s.leave(c)
	c.run()
}

// Pipe starts a session over net.Pipe and returns the client's end of it.
func (s *Server) Pipe() net.Conn {
	client, server := net.Pipe()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		server.Close()
		return client
	}
	s.running.Go(func() { s.ServeConn(server) })
	return client
}

// Dial is [Server.Pipe] with the signature of a dialer; it looks at none of its arguments.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	return s.Pipe(), nil
}

// enter registers a new session; it returns nil once the server is closed.
func (s *Server) enter(conn net.Conn) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	c := newConn(s, len(s.conns)+1, conn)
	s.conns = append(s.conns, c)
	s.open++
	s.peak = max(s.peak, s.open)
	return c
}

func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if c.box != nil {
		c.box.unlock(c)
	}
}

// Peak is the largest number of sessions that were open at the same time.
func (s *Server) Peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}

// Sessions tells what has happened so far, one entry a connection, in the order of their beginnings.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions := make([]Session, len(s.conns))
	for i, c := range s.conns {
		sessions[i] = c.session()
	}
	return sessions
}

// Mailbox is the mailbox of user, made empty and with [Password] where there was none. Users are told
// apart byte for byte; one whose mailbox was never asked for cannot log in.
func (s *Server) Mailbox(user string) *Mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := s.boxes[user]
	if box == nil {
		box = &Mailbox{password: Password}
		s.boxes[user] = box
	}
	return box
}

func (s *Server) lookUp(user string) (*Mailbox, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	box, ok := s.boxes[user]
	if name, recent := strings.CutPrefix(user, "recent:"); recent && !ok && s.opts.Popped {
		box, ok = s.boxes[name]
	}
	return box, ok
}

// Close ends the server and all sessions at once, and waits for their goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	conns := s.conns
	s.mu.Unlock()
	if s.listener != nil {
		s.listener.Close()
	}
	for _, c := range conns {
		c.abort()
	}
	s.running.Wait()
}

// String names the server in a test's messages.
func (s *Server) String() string {
	return fmt.Sprintf("poptest server at %s", s.Addr())
}
