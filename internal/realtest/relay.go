package realtest

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Relay stands before a server, passes everything on, and notes the commands that go by in
// the clear.
type Relay struct {
	listener net.Listener
	server   string
	pace     atomic.Int64 // time.Duration between two pieces to the client
	serving  sync.WaitGroup

	mu       sync.Mutex
	sessions []*[]string       // the commands of each connection, in order
	conns    map[net.Conn]bool // nil once closed
}

// verbs are the commands that are noted. Anything else may be part of a log-in.
var verbs = map[string]bool{
	"CAPA": true, "STLS": true, "USER": true, "PASS": true, "APOP": true, "AUTH": true, "UTF8": true,
	"STAT": true, "LIST": true, "UIDL": true, "TOP": true, "RETR": true, "DELE": true,
	"NOOP": true, "RSET": true, "QUIT": true,
}

// StartRelay starts a relay to a port of 127.0.0.1.
func StartRelay(port int) (*Relay, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(Host(1), "0"))
	if err != nil {
		return nil, err
	}
	r := &Relay{
		listener: l,
		server:   net.JoinHostPort(Host(1), strconv.Itoa(port)),
		conns:    map[net.Conn]bool{},
	}
	r.serving.Go(r.serve)
	return r, nil
}

// Port is where the relay listens, on 127.0.0.1.
func (r *Relay) Port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// Pace makes the relay wait between any two pieces of 2 kB to the client.
func (r *Relay) Pace(wait time.Duration) { r.pace.Store(int64(wait)) }

// Sessions are the commands of each connection so far, without their arguments.
func (r *Relay) Sessions() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all [][]string
	for _, sent := range r.sessions {
		all = append(all, slices.Clone(*sent))
	}
	return all
}

// Count is how often the commands were sent so far.
func (r *Relay) Count(verbs ...string) int {
	n := 0
	for _, sent := range r.Sessions() {
		for _, verb := range sent {
			if slices.Contains(verbs, verb) {
				n++
			}
		}
	}
	return n
}

// Close ends the relay and all its connections.
func (r *Relay) Close() {
	r.listener.Close()
	r.mu.Lock()
	for conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
	r.mu.Unlock()
	r.serving.Wait()
}

func (r *Relay) serve() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.serving.Go(func() { r.pass(client) })
	}
}

// pass passes on what client and server say until either is through.
func (r *Relay) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.server)
	if err != nil {
		return
	}
	defer server.Close()
	sent := r.hold(client, server)
	if sent == nil {
		return
	}
	defer r.release(client, server)
	r.serving.Go(func() {
		defer server.Close()
		r.commands(server, client, sent)
	})
	r.replies(client, server)
}

// hold begins a session: where its commands are to be noted, or nil if the relay is closed.
func (r *Relay) hold(conns ...net.Conn) *[]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		return nil
	}
	for _, conn := range conns {
		r.conns[conn] = true
	}
	sent := new([]string)
	r.sessions = append(r.sessions, sent)
	return sent
}

func (r *Relay) release(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		delete(r.conns, conn)
	}
}

// commands notes a command before it passes it on: no reply is seen before its command.
func (r *Relay) commands(server io.Writer, client io.Reader, sent *[]string) {
	lines := bufio.NewReader(client)
	for {
		line, err := lines.ReadString('\n')
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimRight(line, "\r\n")), " ")
		if verbs[verb] {
			r.mu.Lock()
			*sent = append(*sent, verb)
			r.mu.Unlock()
		}
		if _, werr := io.WriteString(server, line); err != nil || werr != nil {
			return
		}
	}
}

func (r *Relay) replies(client io.Writer, server io.Reader) {
	piece := make([]byte, 2<<10)
	for {
		n, err := server.Read(piece)
		if n > 0 {
			time.Sleep(time.Duration(r.pace.Load()))
			if _, werr := client.Write(piece[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
