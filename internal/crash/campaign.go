package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"popsync/internal/realtest"
)

// A campaign does one kind of thing to popsync, in trials that do not know of each other.
type campaign struct {
	name        string
	what        string   // it does, for people
	needs       []string // programs that have to be installed
	short, long int      // how many trials a test makes, and `make crash`

	// run makes the trials, most of all with [env.each]. What popsync does wrong is in the tally;
	// an error is of the campaign itself, or says with [cannot] why there is none here.
	run func(ctx context.Context, e *env, trials int) (tally, error)
}

// campaigns are all there are, in the order in which they run.
var campaigns = []campaign{
	kills,
	lines,
	places,
	answers,
	disks,
	agents,
	readers,
	crowd,
	schedules,
	power,
	syscalls,
	faults,
	mutants,
	careless,
}

// A cannot says why a campaign is not to be had here: no root, a kernel that forbids it.
type cannot string

func (c cannot) Error() string { return string(c) }

// An env is what a campaign works with.
type env struct {
	popsync  realtest.Popsync
	campaign string
	seed     uint64
	only     int       // the one trial to make; 0: all
	dir      string    // of this campaign alone
	out      io.Writer // is told what goes wrong; for any goroutine
}

// A trial is one of a campaign's.
type trial struct {
	*env
	n      int
	random *rand.Rand // decided by seed, campaign and number
	dir    string     // of this trial alone; it stays where popsync did something wrong
	next   uint64     // seed of the next message
}

// A trialFunc makes one. What popsync does wrong is in the tally; an error is of the trial itself.
type trialFunc func(ctx context.Context, t *trial) (tally, error)

// each makes the trials, so many of them at once, and adds up what came of them. A trial that
// finds something wrong is told, with how to repeat it. The first error ends the campaign.
func (e *env) each(ctx context.Context, trials, atOnce int, do trialFunc) (tally, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		mu      sync.Mutex
		total   tally
		workers sync.WaitGroup
	)
	numbers := e.numbers(ctx, trials)
	for range max(1, atOnce) {
		workers.Go(func() {
			for n := range numbers {
				found, err := e.one(ctx, n, do)
				if err != nil {
					stop(fmt.Errorf("%s: trial %d: %w", e.campaign, n, err))
					return
				}
				mu.Lock()
				total.add(found)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return total, context.Cause(ctx)
}

// numbers sends those of the trials to make, as long as ctx is good.
func (e *env) numbers(ctx context.Context, trials int) <-chan int {
	first, last := 1, trials
	if e.only > 0 {
		first, last = e.only, e.only
	}
	numbers := make(chan int)
	go func() {
		defer close(numbers)
		for n := first; n <= last; n++ {
			select {
			case numbers <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	return numbers
}

func (e *env) one(ctx context.Context, n int, do trialFunc) (tally, error) {
	t := &trial{env: e, n: n, random: e.randomOf(n), dir: filepath.Join(e.dir, strconv.Itoa(n))}
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return tally{}, err
	}
	found, err := do(ctx, t)
	found.trials++
	if wrong := found.violations(); wrong > 0 {
		t.say("%s\n  its files: %s\n  again: %s", found.wrong(), t.dir, e.again(n))
		return found, err
	}
	return found, errors.Join(err, os.RemoveAll(t.dir))
}

// newTrial is one of the campaign as a whole: a rehearsal.
func (e *env) newTrial(name string) (*trial, error) {
	t := &trial{env: e, random: e.randomOf(0), dir: filepath.Join(e.dir, name)}
	return t, os.MkdirAll(t.dir, 0o700)
}

func (t *trial) remove() error { return os.RemoveAll(t.dir) }

// again is how to repeat a trial.
func (e *env) again(n int) string {
	return fmt.Sprintf("go run ./internal/crash -popsync %s -only %s -seed %d -trial %d", e.popsync, e.campaign, e.seed, n)
}

// randomOf is the source of a trial's choices. Number 0 is for those of the campaign as a whole.
func (e *env) randomOf(n int) *rand.Rand {
	name := fnv.New64a()
	name.Write([]byte(e.campaign))
	return rand.New(rand.NewPCG(e.seed, name.Sum64()+uint64(n)))
}

// shuffle brings all into an order of which any first part is a fair sample.
func shuffle[E any](random *rand.Rand, all []E) {
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

// say tells what went wrong, with the trial's number.
func (t *trial) say(format string, args ...any) {
	fmt.Fprintf(t.out, "%s: trial %d: %s\n", t.campaign, t.n, fmt.Sprintf(format, args...))
}

// A lockedWriter is for any goroutine.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
