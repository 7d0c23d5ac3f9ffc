// Crash does to popsync all that can be done to it, and looks whether it keeps what it promises
// (promise.go, docs/reliability.md).
//
//	go run ./internal/crash [-popsync FILE] [-only CAMPAIGN,…] [-trials PERCENT] [-seed N] [-trial N] [-short]
//
// Each campaign does one kind of thing, in as many trials as it takes to be sure: "kills" ends fetches at
// random moments, "lines" cuts connections, and so on; -list lists them. -trials 300 makes
// three times as many trials of each, -short as many as a test makes.
//
// The seed decides what the trials are made of, each by itself: -only kills -seed 7 -trial 31 repeats
// one. When a kill hits is up to the machine too, so that a repetition may take another turn.
//
// A campaign that is not to be had on this machine is skipped, and says why. Any violation
// ends the program with status 1, once all campaigns are over.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"popsync/internal/realtest"
)

func main() {
	var o options
	program := flag.String("popsync", "build/popsync", "the built program")
	only := flag.String("only", "", "the campaigns to run, separated by commas; all if it is empty")
	flag.IntVar(&o.percent, "trials", 100, "percent of each campaign's trials")
	flag.BoolVar(&o.short, "short", false, "as many trials as a test makes")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what the trials are drawn from")
	flag.IntVar(&o.trial, "trial", 0, "the number of the one trial to make")
	list := flag.Bool("list", false, "list the campaigns")
	flag.Parse()
	if *list {
		listCampaigns(os.Stdout)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	path, err := filepath.Abs(*program)
	if err == nil {
		o.popsync = realtest.Popsync(path)
		err = runNamed(ctx, o, *only, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func listCampaigns(out io.Writer) {
	for _, c := range campaigns {
		fmt.Fprintf(out, "%-10s %6d  %s\n", c.name, c.long, c.what)
	}
}

// options are those of the command line.
type options struct {
	popsync realtest.Popsync
	seed    uint64
	percent int
	short   bool
	trial   int
}

// trials is how many a campaign makes.
func (o options) trials(c campaign) int {
	if o.short {
		return c.short
	}
	return max(1, c.long*o.percent/100)
}

func runNamed(ctx context.Context, o options, only string, out io.Writer) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "popsync-crash-")
	if err != nil {
		return err
	}
	defer os.Remove(dir) // it stays where a trial's files do
	return runAll(ctx, o, chosen, dir, out)
}

// choose is the campaigns of a list of names; all for an empty one.
func choose(names string) ([]campaign, error) {
	if names == "" {
		return campaigns, nil
	}
	var chosen []campaign
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(campaigns, func(c campaign) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no campaign %q; -list lists them", name)
		}
		chosen = append(chosen, campaigns[i])
	}
	return chosen, nil
}

// runAll runs the campaigns, each in a folder of its own in dir, and tells what came of them. A
// violation is an error.
func runAll(ctx context.Context, o options, chosen []campaign, dir string, out io.Writer) error {
	out = &lockedWriter{w: out}
	fmt.Fprintf(out, "seed %d\n", o.seed)
	var results []result
	for _, c := range chosen {
		r := runOne(ctx, o, c, dir, out)
		fmt.Fprintln(out, r)
		results = append(results, r)
		if r.err != nil || ctx.Err() != nil {
			break
		}
	}
	fmt.Fprint(out, "\n", table(results))
	return verdict(results)
}

func runOne(ctx context.Context, o options, c campaign, dir string, out io.Writer) result {
	e := &env{popsync: o.popsync, campaign: c.name, seed: o.seed, only: o.trial, dir: filepath.Join(dir, c.name), out: out}
	if err := os.Mkdir(e.dir, 0o700); err != nil {
		return result{campaign: c, err: err}
	}
	defer os.Remove(e.dir) // it stays where a trial's files do
	for _, program := range c.needs {
		if err := realtest.Installed(program); err != nil {
			return result{campaign: c, skipped: cannot(err.Error())}
		}
	}
	begun := time.Now()
	found, err := c.run(ctx, e, o.trials(c))
	r := result{campaign: c, tally: found, took: time.Since(begun)}
	if why, ok := errors.AsType[cannot](err); ok {
		r.skipped = why
		return r
	}
	r.err = err
	return r
}

// verdict is the error that all of it comes to.
func verdict(results []result) error {
	var errs []error
	for _, r := range results {
		if r.err != nil {
			errs = append(errs, r.err)
		}
		if n := r.tally.violations(); n > 0 {
			errs = append(errs, fmt.Errorf("%s: %d violations: %s", r.name, n, r.tally.wrong()))
		}
	}
	return errors.Join(errs...)
}
