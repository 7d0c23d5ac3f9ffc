package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"popsync/internal/realtest"
)

// echo answers every octet with itself.
func echo(t *testing.T) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", realtest.Host(1)+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func TestLineEndsWhereItIsTold(t *testing.T) {
	said := []byte("0123456789")
	for _, way := range []direction{toClient, toServer} {
		for after := range int64(len(said)) {
			for end := range endings {
				d := disturbance{way, after, end}
				t.Run(fmt.Sprint(d), func(t *testing.T) {
					t.Parallel()
					got, err := talk(t, &d, said)
					if end == reset {
						if !errors.Is(err, syscall.ECONNRESET) || !bytes.HasPrefix(said[:after], got) {
							t.Errorf("got %q, %v", got, err)
						}
						return
					}
					wrong := err != nil
					if end == stall {
						wrong = !errors.Is(err, os.ErrDeadlineExceeded)
					}
					if wrong || !bytes.Equal(got, said[:after]) && !(end == fin && way == toServer && bytes.HasPrefix(said[:after], got)) {
						t.Errorf("got %q, %v", got, err)
					}
				})
			}
		}
	}
}

func TestUndisturbedLinePassesAll(t *testing.T) {
	said := bytes.Repeat([]byte("0123456789"), 10_000)
	if got, err := talk(t, nil, said); err != nil || !bytes.Equal(got, said) {
		t.Errorf("%d octets, %v", len(got), err)
	}
}

// talk says something over a line, and is what comes back.
func talk(t *testing.T, d *disturbance, said []byte) ([]byte, error) {
	l, err := openLine(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	l.disturb(d)
	conn, err := net.Dial("tcp", l.listener.Addr().String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	go func() {
		conn.Write(said)
		if d == nil {
			conn.(*net.TCPConn).CloseWrite()
		}
	}()
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	if d == nil || d.ending != stall {
		return io.ReadAll(conn)
	}
	got := make([]byte, d.after)
	if _, err := io.ReadFull(conn, got); err != nil {
		return got, err
	}
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	more, err := io.ReadAll(conn)
	return append(got, more...), err
}
