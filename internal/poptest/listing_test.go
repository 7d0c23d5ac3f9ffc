package poptest

import (
	"fmt"
	"testing"
)

func TestCapabilities(t *testing.T) {
	s := New(t, Options{
		Capabilities:      append(Capabilities("PIPELINING", "USER", "TOP"), "UTF8 USER"),
		CapabilitiesAfter: []string{},
	})
	mailbox(s, "alice")
	dial(t, s).talk(`
		S: +OK POP3 server ready
		C: CAPA
		S: +OK capabilities follow
		S: UIDL
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: UTF8 USER
		S: .
		C: UTF8
		S: +OK
		C: USER alice
		S: +OK
		C: PASS secret
		S: +OK 0 messages
		C: CAPA
		S: +OK capabilities follow
		S: .
	`)
}

func TestListingFuncStreamsMillions(t *testing.T) {
	const million = 1_000_000
	s := New(t, Options{})
	mailbox(s, "alice", "1\r\n")
	s.ListingFunc("UIDL", func(_ *Conn, yield func(string) bool) {
		for n := 1; n <= million && yield(fmt.Sprintf("%d uid-%d", n, n)); n++ {
		}
	})
	c := dial(t, s)
	c.logIn("alice")
	c.talk(`
		C: UIDL
		S: +OK listing follows
	`)
	for n := 1; n < million; n++ {
		if _, err := c.r.ReadSlice('\n'); err != nil {
			t.Fatal(err)
		}
	}
	c.expect("1000000 uid-1000000")
	c.talk(`
		S: .
		C: UIDL 1
		S: +OK 1 uid-a
	`)
	s.ListingFunc("UIDL", nil)
	c.talk(`
		C: UIDL
		S: +OK listing follows
		S: 1 uid-a
		S: .
	`)
}

func TestListingOfAClientThatLeavesEnds(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice")
	s.ListingFunc("LIST", func(_ *Conn, yield func(string) bool) {
		for yield("1 1") {
		}
	})
	c := dial(t, s)
	c.logIn("alice")
	c.send("LIST\r\n")
	c.expect("+OK listing follows")
	c.Close()
	ended(t, s, 1)
}
