package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"

	"popsync/internal/crash/tracer"
	"popsync/internal/realtest"
)

// syscalls kills a small fetch before and after each of its system calls that changes something, and within
// each write. Then fetches may finish; in every fourth trial the first of them is killed too.
var syscalls = campaign{
	name: "syscalls", what: "SIGKILL before and after each system call that changes something, and within writes",
	short: 60, long: 8000,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		m, err := newMoments(ctx, e, scenes(realtest.Installed("dovecot") == nil))
		if err != nil {
			return tally{}, err
		}
		trials = min(trials, len(m.all))
		if err := m.open(max(trials, e.only)); err != nil {
			return tally{}, err
		}
		total, err := e.each(ctx, trials, 2, m.trial)
		return total, errors.Join(err, m.close())
	},
}

// A moment is when a fetch is killed.
type moment struct {
	point
	fate tracer.Fate
	how  string
}

func (m moment) String() string { return m.how + ": " + m.point.String() }

// moments are all that there are, in the order in which they are tried.
type moments struct {
	all     []moment
	dovecot realtest.Server // with a user for each trial that needs one; nil: none does
}

func newMoments(ctx context.Context, e *env, scenes []scene) (*moments, error) {
	if err := tracer.Available(); err != nil {
		return nil, cannot(err.Error())
	}
	points, err := rehearse(ctx, e, scenes)
	if err != nil {
		return nil, err
	}
	m := &moments{}
	random := e.randomOf(0)
	for _, p := range points {
		m.all = append(m.all, momentsOf(p, random)...)
	}
	kinds := mix(random, m.all, func(m moment) string { return m.looks + " " + m.how })
	fmt.Fprintf(e.out, "%s: moments of %d kinds, at %d places\n", e.campaign, kinds, len(m.all))
	return m, nil
}

// of is the moment of a trial.
func (m *moments) of(trial int) moment { return m.all[(trial-1)%len(m.all)] }

// open starts Dovecot where one of the trials needs it.
func (m *moments) open(trials int) (err error) {
	var users []string
	for n := range trials {
		if m.of(n + 1).dovecot {
			users = append(users, userOf(n+1))
		}
	}
	if len(users) > 0 {
		m.dovecot, err = realtest.StartDovecot(users...)
	}
	return err
}

func (m *moments) close() error {
	if m.dovecot == nil {
		return nil
	}
	return m.dovecot.Stop()
}

// momentsOf are those of one call. An agent that runs is killed too, or left alone.
func momentsOf(p point, random *rand.Rand) []moment {
	name, _, _ := strings.Cut(strings.TrimPrefix(p.looks, "forked "), " ")
	if slices.Contains(idle, name) {
		return nil
	}
	all := random.IntN(2) == 0
	moments := []moment{{p, tracer.Fate{Kill: tracer.Before, All: all}, "before a call"}}
	if name != "exit_group" { // it does not return
		moments = append(moments, moment{p, tracer.Fate{Kill: tracer.After, All: all}, "after a call"})
	}
	if name == "write" || name == "pwrite64" {
		cut := 1 + random.IntN(400)
		moments = append(moments, moment{p, tracer.Fate{Cut: cut, Kill: tracer.After, All: all}, "within a write"})
	}
	return moments
}

// idle are calls that change nothing: before and behind one is as behind the call before it.
var idle = []string{
	"fstat", "newfstatat", "statx", "faccessat", "readlinkat", "getdents64", "fcntl", "lseek", "pread64", "read", "recvfrom", "mmap",
}

func (m *moments) trial(ctx context.Context, t *trial) (found tally, err error) {
	which := m.of(t.n)
	p, err := which.set(ctx, t, m.dovecot, userOf(t.n))
	if err != nil {
		return tally{}, err
	}
	defer p.close()
	found.messages = p.sent.Total()

	kills := 0
	killed, err := p.kill(ctx, p.watch(which.point).strike(which.fate), &found)
	if err != nil {
		return found, err
	}
	if killed {
		found.did("kills "+which.how, 1)
		kills++
	} else {
		found.did("kills that came to nothing", 1)
	}
	if t.n%4 == 0 {
		killed, err := p.kill(ctx, killAtRandom(t.random), &found)
		if err != nil {
			return found, err
		}
		if killed {
			found.did("kills of the fetch that came next", 1)
			kills++
		}
	}
	if err := p.recover(ctx, &found, kills); err != nil {
		return found, err
	}
	if found.violations() > 0 {
		t.say("it was killed %v", which)
	}
	return found, nil
}

// strike gives the call that is waited for its fate.
func (w *watch) strike(fate tracer.Fate) func(tracer.Call) tracer.Fate {
	return func(c tracer.Call) tracer.Fate {
		if w.comes(c) {
			return fate
		}
		return tracer.Fate{}
	}
}

// killAtRandom kills a fetch somewhere within its first three hundred calls, which is about as many as it makes.
func killAtRandom(random *rand.Rand) func(tracer.Call) tracer.Fate {
	left := 1 + random.IntN(300)
	fate := tracer.Fate{Kill: tracer.Before + tracer.Kill(random.IntN(2)), All: random.IntN(2) == 0}
	return func(tracer.Call) tracer.Fate {
		if left--; left == 0 {
			return fate
		}
		return tracer.Fate{}
	}
}

// kill runs a fetch to its end by decide, and looks at what there is then. One that is not killed has to
// succeed.
func (p *play) kill(ctx context.Context, decide func(tracer.Call) tracer.Fate, found *tally) (killed bool, err error) {
	outcome, said, err := p.traced(ctx, decide)
	if errors.Is(err, errHangs) {
		p.failed(found, err)
		return true, nil
	}
	if err != nil {
		return false, err
	}
	killed = outcome.Signal == syscall.SIGKILL
	if !killed && outcome.Status != 0 {
		p.failed(found, fmt.Errorf("popsync ends with %v: %s", outcome, said))
	}
	seen, err := p.evidence()
	if err != nil {
		return killed, err
	}
	seen.window = earlier + fresh // what is too much is counted in the end
	wrong := seen.atAnyMoment()
	wrong.again = 0
	found.add(wrong)
	return killed, nil
}

// recover lets fetches finish after so many kills, the second one with nothing new.
func (p *play) recover(ctx context.Context, found *tally, kills int) error {
	for range 2 {
		if err := p.mustFetch(ctx, found); err != nil {
			return err
		}
	}
	seen, err := p.evidence()
	if err != nil {
		return err
	}
	if p.scene.agent {
		seen.window = kills
	}
	litter, err := p.litter()
	if err != nil {
		return err
	}
	if len(litter) > 0 {
		p.say("left beside the state: %s", litter)
	}
	seen.left += len(litter)
	found.add(seen.inTheEnd())
	return nil
}

// litter are the names of what lies beside the state, and should not when no popsync runs.
func (p *play) litter() (names []string, err error) {
	entries, err := os.ReadDir(p.state())
	for _, e := range entries {
		switch e.Name() {
		case "state.db", "state.db.lock", "state.db.good", "spool":
		default:
			names = append(names, e.Name())
		}
	}
	return names, err
}
