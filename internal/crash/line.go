package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"popsync/internal/realtest"
)

// A direction is that of octets on a line.
type direction int

const (
	toClient direction = iota
	toServer
)

func (d direction) String() string { return [...]string{"to the client", "to the server"}[d] }

// An ending is what becomes of a line at the place where it is disturbed.
type ending int

const (
	fin     ending = iota // both sides see an orderly end
	reset                 // both sides see RST, and may lose what they have not read
	stall                 // nothing more comes through in this direction, and nobody is told
	endings               // how many there are
)

func (e ending) String() string { return [...]string{"FIN", "RST", "stall"}[e] }

// A disturbance lets so many octets of one direction through, and then ends the connection.
type disturbance struct {
	direction direction
	after     int64
	ending    ending
}

func (d disturbance) String() string {
	return fmt.Sprintf("%v after %d octets %v", d.ending, d.after, d.direction)
}

// explains says whether an account may fail with code then. A server that leaves a status line
// unfinished is no POP3 server.
func (d disturbance) explains(code string) bool {
	return code == "unreachable" || code == "protocol" && d.ending == stall && d.direction == toClient
}

// A line is a way to a server that can be cut. It listens on loopback.
type line struct {
	listener net.Listener
	server   string
	running  sync.WaitGroup

	mu        sync.Mutex
	disturbed *disturbance // what happens to connections from now on; nil: nothing
	passed    [2][]byte    // of the last connection, by direction, where record is set
	record    bool
	conns     map[net.Conn]bool // nil once closed
}

func openLine(port int) (*line, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(realtest.Host(1), "0"))
	if err != nil {
		return nil, err
	}
	l := &line{
		listener: listener, server: net.JoinHostPort(realtest.Host(1), strconv.Itoa(port)),
		conns: map[net.Conn]bool{},
	}
	l.running.Go(l.accept)
	return l, nil
}

func (l *line) port() int { return l.listener.Addr().(*net.TCPAddr).Port }

// disturb says what happens to each connection from now on; nil: nothing.
func (l *line) disturb(d *disturbance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.disturbed = d
}

// recording keeps what passes, from now on.
func (l *line) recording() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record = true
}

// recorded is what passed in the last connection.
func (l *line) recorded(d direction) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.passed[d]
}

// close ends the line and all connections, and waits for their goroutines.
func (l *line) close() {
	l.listener.Close()
	l.mu.Lock()
	for conn := range l.conns {
		conn.Close()
	}
	l.conns = nil
	l.mu.Unlock()
	l.running.Wait()
}

func (l *line) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.running.Go(func() { l.serve(client.(*net.TCPConn)) })
	}
}

// serve passes on what both sides say until one of them is through, or the line is cut.
func (l *line) serve(client *net.TCPConn) {
	defer client.Close()
	conn, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer server.Close()
	d, ok := l.begin(client, server)
	if !ok {
		return
	}
	defer l.end(client, server)
	var up sync.WaitGroup
	up.Go(func() {
		if errors.Is(l.pass(server, client, toServer, d), errPlace) {
			d.end(client, server)
		}
		server.CloseWrite()
	})
	if errors.Is(l.pass(client, server, toClient, d), errPlace) {
		d.end(client, server)
	}
	client.CloseWrite()
	up.Wait()
}

// begin registers a connection, and is what happens to it. It is false once the line is closed.
func (l *line) begin(conns ...net.Conn) (*disturbance, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		return nil, false
	}
	for _, conn := range conns {
		l.conns[conn] = true
	}
	l.passed = [2][]byte{}
	return l.disturbed, true
}

func (l *line) end(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		delete(l.conns, conn)
	}
}

// errPlace says that the place was reached at which the line is disturbed.
var errPlace = errors.New("the place is reached")

// pass copies one direction until it ends, fails, or has come to the place.
func (l *line) pass(to io.Writer, from io.Reader, way direction, d *disturbance) error {
	left := int64(-1)
	if d != nil && d.direction == way {
		left = d.after
	}
	piece := make([]byte, 16<<10)
	for left != 0 {
		n, err := from.Read(piece)
		if left >= 0 {
			n = int(min(int64(n), left))
			left -= int64(n)
		}
		l.note(way, piece[:n])
		if _, werr := to.Write(piece[:n]); werr != nil {
			return werr
		}
		if err != nil {
			return err
		}
	}
	return errPlace
}

func (l *line) note(way direction, p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.record {
		l.passed[way] = append(l.passed[way], p...)
	}
}

// end does to both sides what the disturbance says, once its place is reached.
func (d *disturbance) end(client, server *net.TCPConn) {
	switch d.ending {
	case fin:
		client.CloseWrite()
		server.Close()
		swallow(client) // a close with something unread would send RST
	case reset:
		for _, side := range []*net.TCPConn{client, server} {
			side.SetLinger(0)
			side.Close()
		}
	case stall:
		from := client
		if d.direction == toClient {
			from = server
		}
		swallow(from)
	}
}

// swallow reads until there is nothing more.
func swallow(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(patience))
	io.Copy(io.Discard, conn)
}
