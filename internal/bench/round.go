package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// rounds has every lane run in its turn. The first round warms up and is not counted, but for the
// slow: theirs is long enough. No round begins once the row's time is over.
func (r *row) rounds(ctx context.Context) error {
	if r.kept {
		if err := r.prime(ctx); err != nil {
			return err
		}
	}
	begun := time.Now()
	for round := range r.runs + 1 {
		if round > 1 && time.Since(begun) > r.budget {
			r.say("its time is over")
			break
		}
		for _, l := range r.lanes {
			if !l.takesPart(round) {
				continue
			}
			s, err := r.once(ctx, l)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r.say("round %d: %s: %v", round, l.name, outcome(s, err))
			l.note(round, s, err)
		}
	}
	return nil
}

func outcome(s sample, err error) any {
	if err != nil {
		return err
	}
	return fmt.Sprintf("%v, CPU %v", s.Wall.Round(time.Millisecond), s.CPU.Round(time.Millisecond))
}

const (
	long    = 10 * time.Second // is a run of a slow contender
	fewRuns = 2                // are all that it makes after its first
)

func (l *lane) takesPart(round int) bool {
	return l.err == nil && (!l.slow || round <= fewRuns)
}

// note counts a run, or why there is none.
func (l *lane) note(round int, s sample, err error) {
	if err != nil {
		l.err = err
		return
	}
	if round == 0 {
		l.slow = s.Wall > long
	}
	if round > 0 || l.slow {
		l.samples = append(l.samples, s)
	}
}

// once is one run, and the look at what it has brought.
func (r *row) once(ctx context.Context, l *lane) (s sample, err error) {
	want := l.want
	if r.kept {
		want = nil
	} else if err := r.fresh(l); err != nil {
		return s, err
	}
	if r.remove {
		if err := r.refill(); err != nil {
			return s, err
		}
	}
	unix.Sync() // what earlier runs have left to be written is not this one's
	if err := r.fetch(ctx, l, &s); err != nil {
		return s, err
	}
	if err := l.arrived(want); err != nil {
		return s, err
	}
	return s, r.stayed()
}

// fetch runs the contender.
func (r *row) fetch(ctx context.Context, l *lane, s *sample) error {
	rep, said, err := r.launch(ctx, l.errand.dir, l.run)
	if err != nil {
		return err
	}
	*s = rep.Sample
	if rep.Status != 0 && !(r.kept && slices.Contains(l.idle, rep.Status)) {
		return fmt.Errorf("it ends with status %d: %s", rep.Status, firstLine(said))
	}
	return nil
}

// firstLine is the contender's own word for a status.
func firstLine(said string) string {
	line, _, _ := strings.Cut(said, "\n")
	return cmp.Or(line, "it says nothing")
}

// fresh gives the contender a new folder: it has had nothing yet.
func (r *row) fresh(l *lane) (err error) {
	e := l.errand
	if err := r.discard(e.dir); err != nil {
		return err
	}
	for _, user := range e.users {
		for _, sub := range []string{"tmp", "new", "cur"} {
			if err := os.MkdirAll(filepath.Join(e.maildir(user), sub), 0o700); err != nil {
				return err
			}
		}
	}
	if l.run, err = l.configure(e); err != nil {
		return err
	}
	return r.owner.give(e.dir)
}
