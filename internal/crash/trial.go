package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"popsync/internal/realtest"
)

// A trial is one mailbox that goes through a series of killed fetches, maybe through another one,
// and through fetches that nobody kills.
type trial struct {
	*box
	reader *reader
	sent   realtest.Census
	tally  tally
}

// trial makes one for user. The error is of the trial itself; what popsync does wrong is in the tally.
func (l *lab) trial(ctx context.Context, user string) (tally, error) {
	t := &trial{box: l.box(user, l.random.IntN(2) == 0), sent: realtest.Census{}}
	t.reader = startReader(ctx, t.maildir, t.archive, habit(l.random.IntN(int(habits))))
	defer t.reader.end()

	if err := t.arrive(40 + l.random.IntN(80)); err != nil {
		return tally{}, err
	}
	for range 1 + l.random.IntN(2) {
		if err := t.killSome(ctx); err != nil {
			return tally{}, err
		}
		if err := t.finish(ctx); err != nil {
			return tally{}, err
		}
	}
	if err := t.finish(ctx); err != nil { // with nothing new
		return tally{}, err
	}
	if err := t.reader.end(); err != nil {
		return tally{}, err
	}
	return t.tally, t.count()
}

// arrive has n messages arrive on the server.
func (t *trial) arrive(n int) error {
	messages := t.compose(n)
	news := realtest.Census{}
	for _, m := range messages {
		news[m.Sum()]++
	}
	t.sent.Add(news)
	t.reader.knows(news)
	t.tally.messages += n
	_, err := t.server.Put(t.user, messages...)
	return err
}

// killSome kills up to five fetches in a row. Mail arrives between two of them where none is left
// to fetch, and now and then anyway.
func (t *trial) killSome(ctx context.Context) error {
	for range 1 + t.random.IntN(5) {
		before, err := t.progress()
		if err != nil {
			return err
		}
		if before.delivered == t.sent.Total() || t.random.IntN(3) == 0 {
			if err := t.arrive(1 + t.random.IntN(40)); err != nil {
				return err
			}
		}
		if err := t.killOne(ctx, before); err != nil {
			return err
		}
	}
	return nil
}

// killOne kills a fetch at a moment drawn from the time that it would take and a tenth more.
func (t *trial) killOne(ctx context.Context, before progress) error {
	takes := t.pace.of(max(0, t.sent.Total()-before.delivered))
	moment := time.Duration(t.random.Int64N(int64(takes + takes/10)))
	child, err := t.start()
	if err != nil {
		return err
	}
	select {
	case <-time.After(moment):
	case <-child.Done():
	case <-ctx.Done():
		return errors.Join(ctx.Err(), child.Stop(grace))
	}
	if err := child.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	status := child.Wait()
	after, err := t.progress()
	switch status {
	case -1:
		t.tally.kills++
		if after != before {
			t.tally.busy++
		}
	case 0: // it was faster
	default:
		t.failed(fmt.Errorf("popsync fetch ends with status %d: %s", status, child.Stderr()))
	}
	return err
}

// finish lets a fetch come to its end.
func (t *trial) finish(ctx context.Context) error {
	err := t.fetch(ctx)
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		t.failed(err)
	}
	return nil
}

func (t *trial) failed(err error) {
	t.tally.failed++
	fmt.Fprintf(t.out, "%s: %v\n", t.user, err)
}

// progress is how many files lie in tmp/, and how many messages are delivered.
type progress struct{ staged, delivered int }

func (t *trial) progress() (p progress, err error) {
	defer t.reader.pause()()
	p.staged, err = realtest.Files(filepath.Join(t.maildir, "tmp"))
	for _, dir := range t.folders() {
		n, ferr := realtest.Files(dir)
		p.delivered, err = p.delivered+n, errors.Join(err, ferr)
	}
	return p, err
}

// folders are where delivered mail may be, wherever the reader put it.
func (t *trial) folders() []string {
	return []string{
		filepath.Join(t.maildir, "new"),
		filepath.Join(t.maildir, "cur"),
		filepath.Join(t.archive, "cur"),
	}
}

// count looks at what there is once all is over, and puts what is wrong into the tally.
func (t *trial) count() error {
	had := realtest.Census{}
	for _, dir := range t.folders() {
		found, err := realtest.CountFolder(dir)
		if err != nil {
			return err
		}
		had.Add(found)
	}
	held, err := t.server.Holds(t.user)
	if err != nil {
		return err
	}
	if t.tally.left, err = realtest.Files(filepath.Join(t.maildir, "tmp")); err != nil {
		return err
	}

	var foreign int
	t.tally.lost, t.tally.twice, foreign = had.Differ(t.sent)
	t.tally.partial = t.reader.partial + foreign
	want := realtest.Census{}
	if t.keep {
		want = t.sent
	}
	missing, extra, undeleted := held.Differ(want)
	t.tally.server = missing + extra + undeleted
	if t.tally.violations() > 0 {
		fmt.Fprintf(t.out, "%s (keep: %v, the reader %v): %v\n", t.user, t.keep, t.reader.habit, t.tally)
	}
	return nil
}
