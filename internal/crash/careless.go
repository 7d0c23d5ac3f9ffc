package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"popsync/internal/crash/tracer"
)

// careless are mutants as in [mutants], which are caught by [syscalls] and [faults] instead of [power].
var careless = campaign{
	name: "careless", what: "popsync with a known bug is caught by kills and by calls that fail",
	short: 2, long: len(carelessMutants),
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		if err := tracer.Available(); err != nil {
			return tally{}, cannot(err.Error())
		}
		chases := make([]chase, min(trials, len(carelessMutants)))
		found, err := e.each(ctx, len(chases), 2, func(ctx context.Context, t *trial) (tally, error) {
			c := &chases[t.n-1]
			c.carelessMutant = carelessMutants[t.n-1]
			return c.run(ctx, t)
		})
		fmt.Fprint(e.out, chaseTable(chases))
		return found, err
	},
}

// A carelessMutant is popsync with a bug, and how it is caught.
type carelessMutant struct {
	mutant
	scene scene  // in which the bug shows
	fails string // the calls that fail, as [play.looks] has them; "": it is killed
}

var carelessMutants = []carelessMutant{
	{mutant: known("no intents"), scene: scene{keep: true, pipelined: true}},
	{
		mutant: mutant{
			name: "a sync that fails is passed over", does: "a message counts as durable although fsync says it is not",
			edits: []edit{
				{"deliver/staging.go", "errors.Join(s.sys.fsync(f), f.close())", "errors.Join(func() error { _ = s.sys.fsync(f); return nil }(), f.close())"},
			},
		},
		scene: scene{keep: true, pipelined: true}, fails: "fsync ./Maildir/tmp/NAME",
	},
	{mutant: known("record before publish"), scene: scene{keep: true, pipelined: true}},
	{mutant: known("DELE before record"), scene: scene{pipelined: true}},
	{mutant: known("intents are not settled"), scene: scene{keep: true, pipelined: true}},
	{mutant: known("verdicts are recorded together"), scene: scene{keep: true, pipelined: true, agent: true}},
	{
		mutant: mutant{
			name: "a sync that fails is tried again", does: "the second fsync, which succeeds, counts",
			edits: []edit{
				{"deliver/staging.go", "errors.Join(s.sys.fsync(f), f.close())", "errors.Join(func() error { _ = s.sys.fsync(f); return s.sys.fsync(f) }(), f.close())"},
			},
		},
		scene: scene{keep: true, pipelined: true}, fails: "fsync ./Maildir/tmp/NAME",
	},
	{
		mutant: mutant{
			name: "a failed sync of new/ is passed over", does: "what may not be durable in new/ counts as delivered",
			edits: []edit{
				{"deliver/maildir.go", `err = m.sys.syncDir(m.sub("new"))`, `_ = m.sys.syncDir(m.sub("new"))`},
			},
		},
		scene: scene{keep: true, pipelined: true}, fails: "fsync ./Maildir/new",
	},
	{
		mutant: mutant{
			name: "status 0 for everything", does: "a fetch that left mail behind ends with status 0",
			edits: []edit{
				{"cmd/popsync/exit.go", "return failures[0].status", "return min(0, failures[0].status)"},
			},
		},
		scene: scene{keep: true, pipelined: true}, fails: "openat ./Maildir/tmp/NAME",
	},
	{
		mutant: mutant{
			name: "errors without a reason", does: "what the system says is kept to oneself",
			edits: []edit{
				{"cmd/popsync/exit.go", `b.WriteString(f.message + "\n")`, `b.WriteString("it failed\n")`},
			},
		},
		scene: scene{keep: true, pipelined: true}, fails: "fsync ./Maildir/tmp",
	},
}

// known is one of [knownBad].
func known(name string) mutant {
	for _, m := range knownBad {
		if m.name == name {
			return m
		}
	}
	panic("there is no mutant " + name)
}

// A chase is the search for a trial that a mutant does not outlive.
type chase struct {
	carelessMutant
	trials int
	broken string // the promise
}

// mostTrials is how many a mutant may outlive before the harness has failed.
const mostTrials = 400

func (c *chase) run(ctx context.Context, t *trial) (tally, error) {
	popsync, err := c.build(t.dir)
	if err != nil {
		return tally{}, err
	}
	bad := *t.env
	bad.popsync, bad.out, bad.only = popsync, io.Discard, 0 // what goes wrong is no news
	bad.dir = filepath.Join(t.dir, "trials")
	do, err := c.trialOf(ctx, &bad)
	if err != nil {
		return tally{}, fmt.Errorf("%s: %w", c.name, err)
	}
	for c.broken == "" {
		if c.trials == mostTrials {
			t.say("%s: not caught in %d trials", c.name, c.trials)
			return tally{failed: 1}, nil
		}
		c.trials++
		found, err := bad.one(ctx, c.trials, do)
		if err != nil {
			return tally{}, fmt.Errorf("%s: %w", c.name, err)
		}
		c.broken = found.broken()
	}
	var found tally
	found.did("mutants caught", 1)
	return found, nil
}

// trialOf is what is done to the mutant.
func (c *chase) trialOf(ctx context.Context, e *env) (func(context.Context, *trial) (tally, error), error) {
	if c.fails == "" {
		m, err := newMoments(ctx, e, []scene{c.scene})
		if err != nil {
			return nil, err
		}
		return m.trial, nil
	}
	f, err := newFaultList(ctx, e, []scene{c.scene})
	if err != nil {
		return nil, err
	}
	some := f.only(c.fails)
	if len(some.all) == 0 {
		return nil, fmt.Errorf("it makes no call that looks like %q", c.fails)
	}
	return some.trial, nil
}

// only are the faults of calls that look so.
func (f *faultList) only(looks string) *faultList {
	some := &faultList{}
	for _, one := range f.all {
		if one.looks == looks {
			some.all = append(some.all, one)
		}
	}
	return some
}

// chaseTable shows how soon each mutant was caught, and by what.
func chaseTable(chases []chase) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutant\twhat it does\tdone to it\ttrials\tcaught by")
	for _, c := range chases {
		done := "kills"
		if c.fails != "" {
			done = "failing " + c.fails
		}
		if c.trials > 0 {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", c.name, c.does, done, c.trials, c.broken)
		}
	}
	w.Flush() // into memory
	return b.String()
}
