// Crash kills `popsync fetch` at random moments, again and again, over a real server, and looks
// whether every message is there once in the end.
//
// A trial is a new mailbox of some dozens of messages on a Dovecot that crash starts. A few
// fetches of it are killed with SIGKILL, each at a moment that is drawn from the time which the
// fetch would take; then one may finish. New mail arrives in between. While all this goes on a
// mail reader looks into new/ without a pause, and in most trials it takes mail away.
//
// The seed decides what a trial is made of. When a kill hits is up to the machine too, so a seed
// does not repeat a trial exactly.
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
	"syscall"
	"time"

	"popsync/internal/realtest"
)

func main() {
	program := flag.String("popsync", "build/popsync", "the built program")
	trials := flag.Int("trials", 200, "how many trials")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "what the trials are drawn from")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	path, err := filepath.Abs(*program)
	if err == nil {
		err = run(ctx, realtest.Popsync(path), *trials, *seed, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

// run goes through the trials and writes what came of them. A violation of what popsync promises
// is an error.
func run(ctx context.Context, popsync realtest.Popsync, trials int, seed uint64, out io.Writer) (err error) {
	l, err := newLab(ctx, popsync, trials, seed, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	fmt.Fprintf(out, "seed %d; a fetch takes %v, and %v for each message\n",
		seed, l.pace.start.Round(time.Millisecond), l.pace.each.Round(10*time.Microsecond))

	var total tally
	for n := range trials {
		found, err := l.trial(ctx, trialUser(n))
		if err != nil {
			return fmt.Errorf("%s: %w", trialUser(n), err)
		}
		total.add(found)
		if (n+1)%100 == 0 {
			fmt.Fprintf(out, "after %d trials: %v\n", n+1, total)
		}
	}
	fmt.Fprintf(out, "%d trials: %v\n", trials, total)
	if n := total.violations(); n > 0 {
		return fmt.Errorf("%d violations", n)
	}
	return nil
}
