package main

import (
	"context"
	"path/filepath"
	"time"

	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// readers kills fetches, and lets a mail reader into the Maildir between the crash and the next start: it
// marks, files and deletes what it finds, some of it or all.
var readers = campaign{
	name: "readers", what: "a mail reader that marks, files and deletes between a crash and the next start",
	short: 5, long: 500,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		return e.each(ctx, trials, 2, readTrial)
	},
}

func readTrial(ctx context.Context, t *trial) (tally, error) {
	server, err := startPop(poptest.Options{Chunk: page, Pause: time.Millisecond}, "")
	if err != nil {
		return tally{}, err
	}
	defer server.Close()
	r := &readBox{box: newBox(t, server, "alice")}
	r.keep = t.random.IntN(2) == 0
	for range 2 + t.random.IntN(4) {
		if err := r.arrive(5 + t.random.IntN(20)); err != nil {
			return tally{}, err
		}
		if err := r.kill(ctx, &r.tally, 200*time.Millisecond); err != nil {
			return tally{}, err
		}
		if err := r.meddle(&r.tally, t.random.IntN(101), r.anyHabit); err != nil {
			return tally{}, err
		}
	}
	err = r.finish(ctx, &r.tally)
	return r.tally, err
}

// A readBox is a mailbox of a trial of readers.
type readBox struct {
	*box
	tally tally
}

func (r *readBox) arrive(n int) error {
	r.tally.messages += n
	return r.put(r.compose(n))
}

// anyHabit is one that changes something.
func (r *readBox) anyHabit() habit { return marks + habit(r.random.IntN(int(habits-marks))) }

// meddle does to so many percent of what a mail reader can see what choose says.
func (b *box) meddle(t *tally, percent int, choose func() habit) error {
	for _, sub := range []string{"new", "cur"} {
		names, err := realtest.Names(filepath.Join(b.maildir, sub))
		if err != nil {
			return err
		}
		for _, name := range names {
			if b.random.IntN(100) >= percent {
				continue
			}
			if err := b.meddleWith(filepath.Join(b.maildir, sub, name), choose(), t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *box) meddleWith(path string, h habit, t *tally) error {
	sum, err := realtest.SumFile(path)
	if err != nil {
		return err
	}
	t.did(h.deed(), 1)
	return b.read(path, sum, h)
}

// deed is what the reader has done, for the tally.
func (h habit) deed() string { return [habits]string{"looked at", "marked", "filed", "deleted"}[h] }
