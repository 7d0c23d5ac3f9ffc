package main

import "fmt"

// A tally is what came of one trial, or of all so far.
type tally struct {
	messages int
	kills    int // fetches that ended by SIGKILL
	busy     int // ... with mail in hand: staged or delivered since they began

	lost    int // messages that are nowhere in the end
	twice   int // copies beyond the first
	partial int // files in new/ that the reader saw and that are no whole message
	left    int // files in tmp/ in the end
	server  int // messages that lie on the server against what keep says, or do not
	failed  int // fetches that nobody killed and that did not end with 0
}

func (t *tally) add(o tally) {
	t.messages += o.messages
	t.kills += o.kills
	t.busy += o.busy
	t.lost += o.lost
	t.twice += o.twice
	t.partial += o.partial
	t.left += o.left
	t.server += o.server
	t.failed += o.failed
}

func (t tally) violations() int {
	return t.lost + t.twice + t.partial + t.left + t.server + t.failed
}

func (t tally) String() string {
	return fmt.Sprintf("%d messages, %d kills of a running fetch (%d with mail in hand); "+
		"lost %d, twice %d, partial %d, left in tmp/ %d, wrong on the server %d, failed fetches %d",
		t.messages, t.kills, t.busy, t.lost, t.twice, t.partial, t.left, t.server, t.failed)
}
