package pop3

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// overTCP is a client of a server that sends pieces, with a pause before each but the first.
func overTCP(t *testing.T, pause time.Duration, pieces ...string) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
		for i, piece := range pieces {
			if i > 0 {
				time.Sleep(pause)
			}
			conn.Write([]byte(piece))
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{c: newConn(conn, time.Minute, func(string) {})}
	t.Cleanup(func() { c.Close() })
	return c
}

// uidLines are those of messages from..to.
func uidLines(from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&b, "%d %016x\r\n", n, n)
	}
	return b.String()
}

// A server that keeps to what STAT said is read in large pieces; one that sends less than that, or
// takes its time, is read all the same, and waits for nobody.
func TestListingsAreReadInLargePieces(t *testing.T) {
	const many = 20_000
	for name, c := range map[string]struct {
		pieces []string
		count  int
		gaveUp bool
	}{
		"as announced":   {[]string{uidLines(1, many), ".\r\n"}, many, false},
		"less":           {[]string{uidLines(1, 100), ".\r\n"}, 100, true},
		"with a pause":   {[]string{uidLines(1, 100), uidLines(101, many) + ".\r\n"}, many, true},
		"none but a dot": {[]string{".\r\n"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.pieces[0] = "+OK\r\n" + c.pieces[0]
			client := overTCP(t, 3*bulkWait, append(c.pieces, "+OK later\r\n")...)
			client.unanswered = []sent{{verb: "UIDL"}, {verb: "NOOP"}}
			l := Listing{Count: many}
			if err := client.readUIDL(&l); err != nil {
				t.Fatal(err)
			}
			if len(l.Messages) != c.count || c.count > 0 && l.Messages[c.count-1].UID != fmt.Sprintf("%016x", c.count) {
				t.Errorf("%d messages, not %d", len(l.Messages), c.count)
			}
			if gaveUp := client.c.bulk.socket == nil; gaveUp != c.gaveUp {
				t.Errorf("given up: %v", gaveUp)
			}
			if s, err := client.ok(); err != nil || s.text != "later" {
				t.Errorf("what comes after it: %q, %v", s.text, err)
			}
			if client.c.bulk.mark > 1 {
				t.Error("a line is waited for as if it were many")
			}
		})
	}
}
