package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// rtt is that of the tests' relays.
const rtt = 40 * time.Millisecond

// server serves each connection with serve, and is reached over a relay.
func server(t *testing.T, noPipe bool, serve func(net.Conn)) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	r, err := startRelay(listener.Addr().(*net.TCPAddr).Port, rtt, noPipe)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.close()
		listener.Close()
		serving.Wait()
	})
	return net.JoinHostPort(host, strconv.Itoa(r.port()))
}

func echo(conn net.Conn) { io.Copy(conn, conn) }

func connect(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return conn.(*net.TCPConn)
}

func TestRelayKeepsAllInOrder(t *testing.T) {
	addr := server(t, false, echo)
	var talks sync.WaitGroup
	for seed := range uint64(20) {
		conn := connect(t, addr)
		said := make([]byte, 300_000)
		rand.NewChaCha8([32]byte{byte(seed)}).Read(said)
		talks.Go(func() {
			conn.Write(said)
			conn.CloseWrite()
		})
		talks.Go(func() {
			if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, said) {
				t.Errorf("talk %d: %d octets of %d, %v", seed, len(got), len(said), err)
			}
		})
	}
	talks.Wait()
}

func TestRelayTakesItsTime(t *testing.T) {
	addr := server(t, false, func(conn net.Conn) {
		io.WriteString(conn, "+")
		echo(conn)
	})
	begun := time.Now()
	conn := connect(t, addr)
	one := make([]byte, 1)
	for wait, what := range []string{"the greeting", "an answer", "another answer"} {
		if _, err := io.ReadFull(conn, one); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < time.Duration(wait+1)*rtt {
			t.Errorf("%s is there after %v", what, took)
		}
		conn.Write(one)
	}
}

// A client that says all at once waits once: otherwise nobody could pipeline.
func TestRelayHoldsUpNobodyBehindAnother(t *testing.T) {
	addr := server(t, false, echo)
	conn := connect(t, addr)
	begun := time.Now()
	const commands = 200
	for range commands {
		conn.Write([]byte("."))
		time.Sleep(time.Millisecond / 10) // parcels of their own
	}
	if _, err := io.ReadFull(conn, make([]byte, commands)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > commands/4*rtt {
		t.Errorf("%d commands take %v", commands, took)
	}
}

func TestRelayPassesOnTheEnd(t *testing.T) {
	heard := make(chan []byte, 1)
	addr := server(t, false, func(conn net.Conn) {
		all, _ := io.ReadAll(conn)
		heard <- all
		io.WriteString(conn, "bye")
	})
	conn := connect(t, addr)
	io.WriteString(conn, "hello")
	conn.CloseWrite()
	if said, err := io.ReadAll(conn); string(said) != "bye" || err != nil {
		t.Errorf("%q, %v", said, err)
	}
	if got := <-heard; string(got) != "hello" {
		t.Errorf("the server heard %q", got)
	}
}

func TestRelayIsClosedWithOpenConnections(t *testing.T) {
	addr := server(t, false, echo)
	conn := connect(t, addr)
	io.WriteString(conn, "x")
	io.ReadFull(conn, make([]byte, 1)) // the clean-up behind this test must not hang
}

func TestRelayHidesPipelining(t *testing.T) {
	const answer = "+OK\r\nUIDL\r\nPIPELINING\r\nTOP\r\n.\r\n"
	addr := server(t, true, func(conn net.Conn) { io.WriteString(conn, answer) })
	if got, err := io.ReadAll(connect(t, addr)); string(got) != "+OK\r\nUIDL\r\nTOP\r\n.\r\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFilterInAnyPieces(t *testing.T) {
	for said, want := range map[string]string{
		"a\r\nPIPELINING\r\nb\r\n":                "a\r\nb\r\n",
		"PIPELINING\r\n":                          "",
		"PIPELINING\r\nPIPELINING\r\nPIPE":        "PIPE",
		"xPIPELINING\r\nPIPELININGS\r\n.\r\n":     "xPIPELINING\r\nPIPELININGS\r\n.\r\n",
		"PIPE\r\nPIPELININ\r\nPPIPELINING\r\nP\n": "PIPE\r\nPIPELININ\r\nPPIPELINING\r\nP\n",
	} {
		for first := range len(said) {
			for second := first; second < len(said); second++ {
				f := &filter{line: []byte("PIPELINING\r\n")}
				var got []byte
				for _, piece := range []string{said[:first], said[first:second], said[second:]} {
					got = append(got, f.pass([]byte(piece))...)
				}
				if got = append(got, f.held...); string(got) != want {
					t.Fatalf("%q in pieces at %d and %d: %q, want %q", said, first, second, got, want)
				}
			}
		}
	}
}
