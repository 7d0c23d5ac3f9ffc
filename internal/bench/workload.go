package main

import (
	"fmt"
	"slices"
	"time"

	"popsync/internal/realtest"
)

// A workload is what one row of the table measures.
type workload struct {
	name     string
	what     string // for people
	accounts int
	messages int   // in each account's mailbox
	size     int64 // octets of a message

	tls    string        // realtest.Cleartext if it is empty
	rtt    time.Duration // of the line; 0: loopback, and no relay
	noPipe bool          // the server does not announce PIPELINING
	remove bool          // messages are deleted on the server once they are delivered
	kept   bool          // nothing is new: an uncounted fetch has had it all
	agent  bool          // each message goes to a delivery program

	who    []string // the contenders, by name
	others []string // those that take minutes, and take part only if asked for

	// waits is how many answers the protocol makes a client wait for where commands go one at a
	// time; nil where they need not.
	waits func(w workload) int
}

var (
	programs = []string{"popsync", "mpop", "fetchmail", "getmail", "fdm"}
	floors   = []string{"floor-read", "floor-write"}
	everyone = slices.Concat(programs, floors)
)

// workloads are all there are, in the order in which they are measured.
var workloads = []workload{
	{name: "small", what: "2,000 messages of 3 kB, loopback, in the clear", accounts: 1, messages: 2000, size: 3000, who: everyone},
	{name: "small-tls", what: "the same over TLS", accounts: 1, messages: 2000, size: 3000, tls: realtest.Implicit, who: everyone},
	{name: "rtt-keep", what: "200 messages of 3 kB at 50 ms", accounts: 1, messages: 200, size: 3000, rtt: 50 * time.Millisecond, who: everyone},
	{name: "rtt-delete", what: "the same, deleted on the server", accounts: 1, messages: 200, size: 3000, rtt: 50 * time.Millisecond, remove: true, who: everyone},
	{
		name: "rtt-nopipe", what: "200 messages of 3 kB at 50 ms from a server without PIPELINING", accounts: 1, messages: 200, size: 3000,
		rtt: 50 * time.Millisecond, noPipe: true, who: []string{"popsync", "mpop", "fdm"}, waits: oneAtATime,
	},
	{name: "kept", what: "20,000 messages kept, none new", accounts: 1, messages: 20000, size: 300, kept: true, who: programs},
	{name: "kept-rtt", what: "50 messages kept, none new, at 50 ms", accounts: 1, messages: 50, size: 300, rtt: 50 * time.Millisecond, kept: true, who: programs},
	{
		name: "first20k", what: "the first poll of 20,000 messages of 300 octets", accounts: 1, messages: 20000, size: 300,
		who: []string{"popsync", "mpop", "floor-write"}, others: []string{"fetchmail", "getmail", "fdm"},
	},
	{name: "big", what: "5 messages of 10 MB", accounts: 1, messages: 5, size: 10_000_000, who: everyone},
	{name: "huge", what: "one message of 200 MB", accounts: 1, messages: 1, size: 200_000_000, who: everyone},
	{
		name: "accounts", what: "100 accounts of 20 messages of 3 kB at 20 ms", accounts: 100, messages: 20, size: 3000,
		rtt: 20 * time.Millisecond, who: []string{"popsync", "popsync-64", "mpop"}, others: []string{"fetchmail", "getmail", "fdm"},
	},
	{name: "agent", what: "500 messages of 3 kB to a delivery program", accounts: 1, messages: 500, size: 3000, agent: true, who: programs},
	{name: "hundred", what: "100 accounts, nothing new", accounts: 100, messages: 5, size: 300, kept: true, who: []string{"popsync-64"}},
	{name: "thousand", what: "1,000 accounts, nothing new", accounts: 1000, messages: 5, size: 300, kept: true, who: []string{"popsync-64"}},
}

// large is the size from which on a smaller workload has smaller messages too.
const large = 1_000_000

// scaled is the workload with a part of its accounts and messages. Nothing becomes more.
func (w workload) scaled(part float64) workload {
	if part >= 1 {
		return w
	}
	some := func(n int) int { return max(1, int(float64(n)*part)) }
	switch {
	case w.size >= large:
		w.size = max(large/10, int64(float64(w.size)*part))
	case w.accounts > 1:
		w.accounts = some(w.accounts)
	default:
		w.messages = some(w.messages)
	}
	return w
}

// users are the accounts' names on the server.
func (w workload) users() []string {
	names := make([]string, w.accounts)
	for i := range names {
		names[i] = fmt.Sprintf("user%04d", i+1)
	}
	return names
}

// mail is what lies in the mailbox of the nth user, from 0. No two messages are alike.
func (w workload) mail(n int) []realtest.Message {
	return realtest.Messages(uint64(1+n*w.messages), w.messages, w.size)
}

// line is [workload.tls] as the servers of the tests call it.
func (w workload) line() string {
	if w.tls == "" {
		return realtest.Cleartext
	}
	return w.tls
}

// oneAtATime waits for the greeting, CAPA, AUTH PLAIN, CAPA again, UIDL and LIST, for each message,
// and for QUIT.
func oneAtATime(w workload) int {
	const before, quit = 6, 1
	return before + w.messages + quit
}
