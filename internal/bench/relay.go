package main

import (
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// A relay is a long line to a server: what one side sends reaches the other half a round-trip
// time later, however much of it is under way.
//
// The greeting arrives one round-trip time after the connection stands, as on a real line. That
// connecting takes one more is left out, for all alike: on loopback the kernel connects at once.
type relay struct {
	listener net.Listener
	server   string
	rtt      time.Duration
	noPipe   bool
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil once closed
}

// startRelay starts a relay to a port of 127.0.0.1. With noPipe it keeps from the client that the
// server pipelines.
func startRelay(port int, rtt time.Duration, noPipe bool) (*relay, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	r := &relay{
		listener: listener, server: net.JoinHostPort(host, strconv.Itoa(port)),
		rtt: rtt, noPipe: noPipe, conns: map[net.Conn]bool{},
	}
	r.running.Go(r.accept)
	return r, nil
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// close ends the relay and all connections, and waits for their goroutines.
func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	for conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
	r.mu.Unlock()
	r.running.Wait()
}

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(client.(*net.TCPConn), time.Now()) })
	}
}

// serve passes on what both sides say until both are through.
func (r *relay) serve(client *net.TCPConn, accepted time.Time) {
	defer client.Close()
	if !r.begin(client) {
		return
	}
	defer r.end(client)
	up := make(chan parcel, underWay)
	var sides sync.WaitGroup
	sides.Go(func() { receive(client, up, r.rtt/2, nil) })
	waitUntil(accepted.Add(r.rtt / 2)) // now the server knows of the connection
	r.answer(client, up)
	sides.Wait()
}

// answer is the server's side of a connection.
func (r *relay) answer(client *net.TCPConn, up <-chan parcel) {
	var sides sync.WaitGroup
	defer sides.Wait()
	conn, err := net.Dial("tcp", r.server)
	if err != nil || !r.begin(conn) {
		client.Close()
		drain(up)
		return
	}
	server := conn.(*net.TCPConn)
	defer r.end(server)
	defer server.Close()
	down := make(chan parcel, underWay)
	sides.Go(func() { deliver(server, up) })
	var change func([]byte) []byte
	if r.noPipe {
		change = (&filter{line: []byte("PIPELINING\r\n")}).pass
	}
	var back sync.WaitGroup
	back.Go(func() { receive(server, down, r.rtt/2, change) })
	deliver(client, down)
	client.Close() // a server that is through takes no more commands
	back.Wait()
}

// begin registers a connection. It is false, and the connection closed, once the relay is.
func (r *relay) begin(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		conn.Close()
		return false
	}
	r.conns[conn] = true
	return true
}

func (r *relay) end(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
}

// A parcel is what came at once, and when it is due at the other side.
type parcel struct {
	due time.Time
	all []byte
}

// underWay is how many parcels may be on the line in one direction before the sender has to wait:
// in 25 ms that is more than loopback brings.
const underWay = 4096

// receive takes what comes from one side until it ends, and puts it on the line. It owns and
// closes the line.
func receive(from io.Reader, line chan<- parcel, delay time.Duration, change func([]byte) []byte) {
	defer close(line)
	piece := make([]byte, 64<<10)
	for {
		n, err := from.Read(piece)
		all := piece[:n]
		if change != nil {
			all = change(all)
		}
		if len(all) > 0 {
			line <- parcel{time.Now().Add(delay), append([]byte(nil), all...)}
		}
		if err != nil {
			line <- parcel{due: time.Now().Add(delay)} // the end takes as long
			return
		}
	}
}

// deliver gives what is on the line to the other side, when it is due.
func deliver(to *net.TCPConn, line <-chan parcel) {
	defer drain(line)
	for p := range line {
		waitUntil(p.due)
		if p.all == nil {
			to.CloseWrite()
			return
		}
		if _, err := to.Write(p.all); err != nil {
			return
		}
	}
}

// coarse is how much later than asked for a goroutine may wake: an idle runtime waits in
// milliseconds. Of an answer every 50 ms that would be too much, beside a target of 2 percent.
const coarse = 3 * time.Millisecond / 2

// waitUntil returns when it is due, and hardly later.
func waitUntil(due time.Time) {
	time.Sleep(time.Until(due) - coarse)
	for {
		left := time.Until(due)
		if left <= 0 {
			return
		}
		sleepExactly(left) // a signal may end it early
	}
}

// drain lets whoever fills the line come to an end.
func drain(line <-chan parcel) {
	for range line {
	}
}
