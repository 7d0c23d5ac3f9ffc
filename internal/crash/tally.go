package main

import (
	"fmt"
	"slices"
	"strings"
)

// A tally is what came of one trial, or of all so far.
type tally struct {
	trials   int
	messages int
	done     deeds // what was done to popsync

	// What may be: the one message that an agent was handed when popsync or the agent ended.
	again int // copies beyond the first, to an agent

	// Violations of what popsync promises (promise.go).
	lost    int // messages that are neither delivered nor on the server
	twice   int // copies beyond the first; of those to an agent only what goes beyond again
	partial int // files that a mail reader could see and that are no whole message
	left    int // files in tmp/ or the spool in the end
	server  int // messages that lie on the server against what keep says, or do not
	failed  int // fetches without a disturbance that did not end with 0, wrong exit statuses, hands that were needed
}

// did counts something that was done to popsync: "kills", "full disks".
func (t *tally) did(what string, n int) { t.done.add(what, n) }

func (t *tally) add(o tally) {
	t.trials += o.trials
	t.messages += o.messages
	for _, d := range o.done {
		t.done.add(d.what, d.n)
	}
	t.again += o.again
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

// wrong names the violations.
func (t tally) wrong() string {
	return fmt.Sprintf("lost %d, twice %d, partial %d, left over %d, wrong on the server %d, failed %d",
		t.lost, t.twice, t.partial, t.left, t.server, t.failed)
}

// deeds says how often each thing was done, in the order in which they came up first.
type deeds []deed

type deed struct {
	what string
	n    int
}

func (d *deeds) add(what string, n int) {
	if n == 0 {
		return
	}
	i := slices.IndexFunc(*d, func(known deed) bool { return known.what == what })
	if i < 0 {
		*d = append(*d, deed{what, n})
		return
	}
	(*d)[i].n += n
}

func (d deeds) String() string {
	var all []string
	for _, one := range d {
		all = append(all, fmt.Sprintf("%d %s", one.n, one.what))
	}
	return strings.Join(all, ", ")
}
