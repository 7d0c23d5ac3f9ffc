package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"popsync/internal/realtest"
)

// kills ends fetches with SIGKILL over a real server, each at a moment that is drawn from the time
// which the fetch would take; then one may finish. New mail arrives in between. While all this
// goes on a mail reader looks into new/ without a pause, and in most trials it takes mail away.
var kills = campaign{
	name: "kills", what: "SIGKILL at random moments, over Dovecot, with a mail reader",
	needs: []string{"dovecot"},
	short: 8, long: 1000,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		l, err := newLab(ctx, e, trials)
		if err != nil {
			return tally{}, err
		}
		total, err := e.each(ctx, trials, 1, l.killTrial)
		return total, errors.Join(err, l.close())
	},
}

// A lab is where fetches are timed: a server with a mailbox for each trial, and the pace of popsync.
type lab struct {
	*env
	server realtest.Server
	pace   pace
}

// A pace says how long a fetch of n messages takes that nobody kills.
type pace struct{ start, each time.Duration }

func (p pace) of(n int) time.Duration { return p.start + time.Duration(n)*p.each }

// rehearsals are fetches by which the pace is measured.
const rehearsals = 5

func newLab(ctx context.Context, e *env, trials int) (*lab, error) {
	var names []string
	for n := range max(trials, e.only) {
		names = append(names, userOf(n+1))
	}
	for n := range rehearsals {
		names = append(names, rehearsalUser(n))
	}
	server, err := realtest.StartDovecot(names...)
	if err != nil {
		return nil, err
	}
	l := &lab{env: e, server: server}
	if err := l.measure(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// userOf is the user of a trial on a server that all trials share.
func userOf(trial int) string { return fmt.Sprintf("trial%d", trial) }

func rehearsalUser(n int) string { return fmt.Sprintf("rehearsal%d", n+1) }

func (l *lab) close() error { return l.server.Stop() }

// measure sets the pace by fetching a full mailbox, and then nothing, a few times over.
func (l *lab) measure(ctx context.Context) error {
	const n = 80
	var full, empty []time.Duration
	for i := range rehearsals {
		user := rehearsalUser(i)
		t, err := l.newTrial(user)
		if err != nil {
			return err
		}
		b := newBox(t, l.server, user)
		b.keep = i%2 == 0
		if _, err := l.server.Put(b.user, t.compose(n)...); err != nil {
			return err
		}
		for _, took := range []*[]time.Duration{&full, &empty} {
			begun := time.Now()
			if err := b.fetch(ctx); err != nil {
				return fmt.Errorf("before any kill: %w", err)
			}
			*took = append(*took, time.Since(begun))
		}
		if err := t.remove(); err != nil {
			return err
		}
	}
	l.pace.start = median(empty)
	l.pace.each = max(0, median(full)-l.pace.start) / n
	return nil
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// A killed is a mailbox that goes through a series of killed fetches, maybe through another one,
// and through fetches that nobody kills.
type killed struct {
	*box
	pace   pace
	reader *reader
	tally  tally
}

func (l *lab) killTrial(ctx context.Context, t *trial) (tally, error) {
	k := &killed{box: newBox(t, l.server, userOf(t.n)), pace: l.pace}
	k.keep = t.random.IntN(2) == 0
	k.reader = startReader(ctx, k.box, habit(t.random.IntN(int(habits))))
	defer k.reader.end()

	if err := k.arrive(40 + t.random.IntN(80)); err != nil {
		return tally{}, err
	}
	for range 1 + t.random.IntN(2) {
		if err := k.killSome(ctx); err != nil {
			return tally{}, err
		}
		if err := k.mustFetch(ctx, &k.tally); err != nil {
			return tally{}, err
		}
	}
	if err := k.mustFetch(ctx, &k.tally); err != nil { // with nothing new
		return tally{}, err
	}
	if err := k.reader.end(); err != nil {
		return tally{}, err
	}
	seen, err := k.evidence()
	if err != nil {
		return tally{}, err
	}
	seen.partial += k.reader.partial
	k.tally.add(seen.inTheEnd())
	return k.tally, nil
}

// arrive has n messages arrive on the server, and tells the reader first.
func (k *killed) arrive(n int) error {
	messages := k.compose(n)
	k.reader.knows(census(messages))
	k.tally.messages += n
	return k.put(messages)
}

// killSome kills up to five fetches in a row. Mail arrives between two of them where none is left
// to fetch, and now and then anyway.
func (k *killed) killSome(ctx context.Context) error {
	for range 1 + k.random.IntN(5) {
		before, err := k.progress()
		if err != nil {
			return err
		}
		if before.delivered == k.sent.Total() || k.random.IntN(3) == 0 {
			if err := k.arrive(1 + k.random.IntN(40)); err != nil {
				return err
			}
		}
		if err := k.killOne(ctx, before); err != nil {
			return err
		}
	}
	return nil
}

// killOne kills a fetch at a moment drawn from the time that it would take and a tenth more.
func (k *killed) killOne(ctx context.Context, before progress) error {
	takes := k.pace.of(max(0, k.sent.Total()-before.delivered))
	child, err := k.killAfter(ctx, &k.tally, time.Duration(k.random.Int64N(int64(takes+takes/10))))
	if err != nil {
		return err
	}
	after, err := k.progress()
	switch child.Wait() {
	case -1:
		if after != before {
			k.tally.did("of them with mail in hand", 1)
		}
	case 0: // it was faster
	default:
		k.failed(&k.tally, ended(child))
	}
	return err
}

// progress is how many files lie in tmp/, and how many messages are delivered.
type progress struct{ staged, delivered int }

func (k *killed) progress() (p progress, err error) {
	defer k.reader.pause()()
	if p.staged, err = k.staged(); err != nil {
		return p, err
	}
	had, err := k.had()
	p.delivered = had.Total()
	return p, err
}
