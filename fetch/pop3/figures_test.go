package pop3

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The limits in this file are written out: a test that uses the constants says nothing of them.

// An opener is a mechanism that has something to say at once.
type opener struct {
	name    string
	initial []byte
}

func (o opener) Start() (string, []byte, error) { return o.name, o.initial, nil }
func (opener) Next([]byte) ([]byte, error)      { return nil, errors.New("nothing to say") }

// A2: a command line of 255 octets with its CRLF has an initial response, one of 256 has none
// (RFC 5034, section 4).
func TestLongestInitialResponse(t *testing.T) {
	initial := []byte(strings.Repeat("i", 183))
	for size, c := range map[int]struct {
		name string
		talk []string
	}{
		255: {"ABC", []string{"C: AUTH ABC " + encoded(initial), "S: +OK"}},
		256: {"ABCD", []string{"C: AUTH ABCD", "S: + ", "C: " + encoded(initial), "S: +OK"}},
	} {
		if n := len("AUTH " + c.name + " " + encoded(initial) + "\r\n"); n != size {
			t.Fatalf("the line has %d octets, not %d", n, size)
		}
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			served := make(chan []string)
			go func() { served <- serve(theirs, append([]string{"S: +OK"}, c.talk...)) }()
			client, err := NewClient(t.Context(), ours, Options{Timeout: time.Second})
			if err == nil {
				err = client.Auth(t.Context(), opener{c.name, initial})
			}
			ours.Close()
			if wrong := <-served; err != nil || len(wrong) > 0 {
				t.Errorf("a line of %d octets: %v, %q", size, err, wrong)
			}
		})
	}
}

// W4: of a status line 1 KiB is kept.
func TestStatusLineIsKeptTo1KiB(t *testing.T) {
	for size, want := range map[int]string{
		1024: "-ERR " + strings.Repeat("x", 1019),
		1025: "-ERR " + strings.Repeat("x", 1019) + "…",
		4096: "-ERR " + strings.Repeat("x", 1019) + "…",
	} {
		wire := "-ERR " + strings.Repeat("x", size-5) + "\r\n"
		c := &Client{c: newConn(&endless{end: wire}, time.Minute, func(string) {}), unanswered: []sent{{verb: "PASS"}}}
		_, err := c.ok()
		refusal, ok := errors.AsType[*ResponseError](err)
		if !ok {
			t.Fatalf("a line of %d octets: %v", size, err)
		}
		if diff := cmp.Diff(want, "-ERR "+refusal.Text); diff != "" {
			t.Errorf("a line of %d octets (-want +got):\n%s", size, diff)
		}
	}
}

// W4: a line of 4 MiB is read to its end, whatever is kept of it, and a longer one is given up.
func TestLineIsGivenUpAfter4MiB(t *testing.T) {
	for size, good := range map[int64]bool{4_194_304: true, 4_194_305: false} {
		c := newConn(&endless{pattern: []byte("x"), size: size, end: "\r\n"}, time.Minute, nil)
		l, err := c.readLine(10)
		if good && (err != nil || len(l.text) != 10 || !l.cut) || !good && !errors.Is(err, ErrProtocol) {
			t.Errorf("a line of %d octets: %+v, %v", size, l, err)
		}
	}
}

// W3: a listing of 96 MiB is read, and a longer one is given up; one of capabilities has 4 MiB.
func TestListingIsGivenUpAfter96MiB(t *testing.T) {
	block := strings.Repeat("n", 1022) + "\r\n" // 1 KiB of nonsense
	lists := map[string]struct {
		blocks int64
		read   func(*Client) error
	}{
		"UIDL": {98_304, func(c *Client) error { return c.readUIDL(new(Listing)) }},
		"LIST": {98_304, func(c *Client) error { return c.readList(new(Listing)) }},
		"CAPA": {4_096, (*Client).readCapa},
	}
	for verb, list := range lists {
		for _, more := range []int64{0, 1} {
			wire := &endless{pattern: []byte(block), size: (list.blocks + more) << 10, end: ".\r\n"}
			c := &Client{c: newConn(after("+OK\r\n", wire), time.Minute, func(string) {}), unanswered: []sent{{verb: verb}}}
			err := list.read(c)
			if good := more == 0; good && err != nil || !good && !errors.Is(err, ErrProtocol) {
				t.Errorf("%s, %d KiB: %v", verb, list.blocks+more, err)
			}
		}
	}
}

// W3: 1,200,000 messages are believed, and not one more.
func TestMostMessagesOfAListing(t *testing.T) {
	for verb, read := range map[string]func(*Client) error{
		"UIDL": func(c *Client) error { return c.readUIDL(new(Listing)) },
		"LIST": func(c *Client) error { return c.readList(new(Listing)) },
	} {
		for lines, good := range map[int64]bool{1_200_000: true, 1_200_001: false} {
			wire := &endless{pattern: []byte("7 u\r\n"), size: 5 * lines, end: ".\r\n"}
			c := &Client{c: newConn(after("+OK\r\n", wire), time.Minute, func(string) {}), unanswered: []sent{{verb: verb}}}
			if err := read(c); good && err != nil || !good && !errors.Is(err, ErrProtocol) {
				t.Errorf("%s with %d lines: %v", verb, lines, err)
			}
		}
	}
}

// after is conn with something that comes first.
func after(first string, conn net.Conn) net.Conn { return &preceded{conn, first} }

type preceded struct {
	net.Conn
	first string
}

func (p *preceded) Read(b []byte) (int, error) {
	if p.first == "" {
		return p.Conn.Read(b)
	}
	n := copy(b, p.first)
	p.first = p.first[n:]
	return n, nil
}

// W7: on their way at once are 256 commands at most, in 4 KiB at most, for 8 MiB of messages; a full
// window opens again when it is half empty.
func TestWindowInFigures(t *testing.T) {
	for name, c := range map[string]struct {
		call       call
		full, half int
	}{
		"commands":                 {call{verb: "RETR", args: "1", expect: 1}, 256, 128},
		"octets of commands":       {call{verb: "RETR", args: strings.Repeat("9", 10)}, 238, 120}, // of 17 octets
		"octets, longer commands":  {call{verb: "TOP", args: strings.Repeat("9", 58)}, 64, 32},    // of 64
		"messages of 1 MiB":        {call{verb: "RETR", args: "1", expect: 1 << 20}, 8, 4},
		"messages without a size":  {call{verb: "RETR", args: "1", expect: expected(UnknownSize)}, 128, 64},
		"messages of 6 MiB":        {call{verb: "RETR", args: "1", expect: 6 << 20}, 2, 0},
		"a message of 1 TiB":       {call{verb: "RETR", args: "1", expect: expected(1 << 40)}, 1, 0},
		"messages larger than all": {call{verb: "RETR", args: "1", expect: expected(8<<20 + 1)}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var w window
			for w.open() {
				w.add(c.call)
			}
			if len(w.sent) != c.full {
				t.Errorf("full with %d, not %d", len(w.sent), c.full)
			}
			if octets := len(w.sent) * len(c.call.verb+" "+c.call.args+"\r\n"); octets > 4096 || w.octets != octets {
				t.Errorf("%d octets of commands, counted as %d", octets, w.octets)
			}
			for !w.open() {
				w.remove()
			}
			if len(w.sent) != c.half {
				t.Errorf("open again with %d, not %d", len(w.sent), c.half)
			}
		})
	}
	if got := expected(UnknownSize); got != 65_536 {
		t.Errorf("a message without a size counts as %d octets", got)
	}
}

// W7: the window on the wire: a server that answers nothing gets 256 commands, or 4 KiB of them.
func TestWindowOnTheWire(t *testing.T) {
	for number, want := range map[int32]int{1: 256, 2_147_483_647: 238} {
		wire := &silent{}
		c := &Client{c: newConn(wire, time.Minute, func(string) {}), pipelining: Always}
		err := c.Retr(t.Context(), func(yield func(Message) bool) {
			for yield(Message{Number: number}) {
			}
		}, nil)
		if err == nil {
			t.Error("no error")
		}
		line := fmt.Sprintf("RETR %d\r\n", number)
		if got := wire.heard.String(); got != strings.Repeat(line, want) {
			t.Errorf("%d octets were sent, want %d times %q", len(got), want, line)
		}
	}
}

// A silent server hears what it is told and goes away.
type silent struct{ sayer }

func (*silent) Read([]byte) (int, error) { return 0, net.ErrClosed }
