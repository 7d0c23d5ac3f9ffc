package main

import (
	"context"

	"popsync/internal/crash/strace"
)

// power cuts the power at each system call of a fetch that changes what survives, several times
// with chance deciding differently, and lets popsync fetch what is left.
//
// A trial is a story of three fetches. The first one creates everything. How one of them ends, for the
// next one, is drawn: by itself, by a kill, by a power cut. So there are cuts after cuts, and
// cuts after a kill, when the kernel still had in memory what was not synced.
var power = campaign{
	name: "power", what: "the power is cut at each system call, and what was not synced survives by chance",
	needs: []string{"strace"},
	short: shortStories, long: 12,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		if err := strace.Available(); err != nil {
			return tally{}, cannot(err.Error())
		}
		skips := 0
		if trials <= shortStories {
			skips = 24
		}
		return e.each(ctx, trials, storiesAtOnce, func(ctx context.Context, t *trial) (tally, error) {
			s, err := t.told(ctx, plots[(t.n-1)%len(plots)], skips)
			return s.sum(), err
		})
	},
}

const (
	shortStories  = 6 // one of each plot
	storiesAtOnce = 3 // most of the time they wait
	fetches       = 3 // of a story
)

// A plot is what kind of story it is.
type plot struct {
	keep     bool
	accounts int // that share a Maildir
	to       destination
	chore    []string // another command behind each fetch, which the power is cut in too
}

// A destination is where mail goes.
type destination int

const (
	toMaildir destination = iota
	toAgent
	toQuarantine // of an agent that refuses everything
)

// plots take turns.
var plots = []plot{
	{keep: false, accounts: 1},
	{keep: true, accounts: 1, chore: []string{"uidl", "compact"}},
	{keep: false, accounts: 2},
	{keep: false, accounts: 1, to: toAgent},
	{keep: true, accounts: 2},
	{keep: true, accounts: 1, to: toQuarantine},
}
