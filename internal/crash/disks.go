package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"popsync/internal/poptest"
)

// disks fetches onto file systems that are full: of every size from too small to enough in steps of
// a page, and with every number of inodes; that fill up while a fetch runs; and that are read-only, or
// become it. Then there is room again.
var disks = campaign{
	name: "disks", what: "full and read-only file systems for Maildir, state and spool",
	short: 24, long: 1500,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		d, err := newDisks(ctx, e)
		if err != nil {
			return tally{}, err
		}
		return e.each(ctx, min(trials, len(d.troubles)), 2, d.trial)
	},
}

// A diskTrial is a box on a file system with a trouble.
type diskTrial struct {
	*box
	trouble
	server *popServer
	room   *room
	tally  tally
}

func newDiskTrial(t *trial, tr trouble) (_ *diskTrial, err error) {
	x := &diskTrial{trouble: tr}
	if x.server, err = startPop(poptest.Options{Chunk: page, Pause: time.Millisecond}, ""); err != nil {
		return nil, err
	}
	x.box = newBox(t, x.server, "alice")
	x.box.keep = tr.keep
	if tr.setting.agent {
		if x.agent, err = newAgent(filepath.Join(t.dir, "agent"), 0); err != nil {
			return nil, err
		}
	}
	at := tr.setting.dir(x.box)
	if tr.setting.maildir {
		x.maildir = filepath.Join(at, "Maildir")
	}
	if err := os.MkdirAll(x.state(), 0o700); err != nil {
		return nil, err
	}
	if x.room, err = mountRoom(at, tr.space); err != nil {
		x.server.Close()
		return nil, err
	}
	x.tally.messages = len(diskMail)
	return x, x.put(diskMail)
}

func (x *diskTrial) close() error {
	x.server.Close()
	return x.room.unmount()
}

func (d *diskLab) trial(ctx context.Context, t *trial) (tally, error) {
	if t.n > len(d.troubles) {
		return tally{}, fmt.Errorf("there are %d trials", len(d.troubles))
	}
	x, err := newDiskTrial(t, d.troubles[t.n-1])
	if err != nil {
		return tally{}, err
	}
	err = x.run(ctx)
	err = errors.Join(err, x.close())
	return x.tally, err
}

// run fetches in trouble, and then with room.
func (x *diskTrial) run(ctx context.Context) error {
	x.tally.did(x.deed(), 1)
	if err := x.inTrouble(ctx); err != nil {
		return err
	}
	if err := x.room.resize(roomy); err != nil {
		return err
	}
	if err := os.RemoveAll(x.ballast()); err != nil {
		return err
	}
	if err := x.mustFetch(ctx, &x.tally); err != nil {
		return err
	}
	seen, err := x.see()
	x.judge(seen.inTheEnd(), "in the end")
	return err
}

// see is the evidence. What an agent was handed when the state was full cannot be recorded.
func (x *diskTrial) see() (evidence, error) {
	seen, err := x.evidence()
	if x.agent != nil && x.setting.state {
		seen.window++
	}
	return seen, err
}

func (x *diskTrial) judge(found tally, after string) {
	x.tally.add(found)
	if found.violations() > 0 {
		x.say("%v: %s; %s", x.trouble, found.wrong(), after)
	}
}

// inTrouble is the fetch that may fail, and how it may.
func (x *diskTrial) inTrouble(ctx context.Context) error {
	if x.how == sealed {
		if done, err := x.room.seal(); err != nil || !done {
			return fmt.Errorf("nothing is open, and %s cannot be made read-only: %w", x.room.dir, err)
		}
	}
	config, err := x.configure()
	if err != nil {
		return err
	}
	child, err := x.popsync.Start(config, "fetch")
	if err != nil {
		return err
	}
	if err := x.meanwhile(); err != nil {
		return errors.Join(err, child.Stop(grace))
	}
	if err := x.waitFor(ctx, child, patience, &x.tally); err != nil {
		return err
	}
	x.tally.did(fmt.Sprintf("told %d", child.Wait()), 1)
	seen, err := x.see()
	found := seen.atAnyMoment()
	if !x.explained(child.Wait(), child.Stderr()) {
		found.failed++
	}
	x.judge(found, ended(child).Error())
	return err
}

// explained says whether a fetch may end like that.
func (x *diskTrial) explained(status int, told string) bool {
	switch x.how {
	case sealed: // which is found out before anybody logs in
		return status == 73 && x.advises(told) && len(x.server.Sessions()) == 0
	case sealing:
		return status == 0 || status == 73 && x.advises(told)
	case small, fills:
	}
	return status == 0 || status == 74 && x.advises(told)
}

// advises says whether a person is told which file system it is, and in a line of its own what to do.
func (x *diskTrial) advises(told string) bool {
	lines := strings.Split(strings.TrimSpace(told), "\n")
	named := slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, x.room.dir) })
	advised := slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "  ") })
	return named && advised
}

// most is how long a fetch takes from a server that is as slow as this one.
const most = 120 * time.Millisecond

// meanwhile fills or seals the file system at a moment while the fetch runs.
func (x *diskTrial) meanwhile() error {
	if x.how != fills && x.how != sealing {
		return nil
	}
	time.Sleep(time.Duration(x.random.Int64N(int64(most))))
	if x.how == fills {
		return x.fill()
	}
	for range 200 {
		if done, err := x.room.seal(); done || err != nil {
			return err
		}
		time.Sleep(100 * time.Microsecond)
	}
	return nil // the state is open for writing all the time
}

func (x *diskTrial) ballast() string { return filepath.Join(x.room.dir, "ballast") }

// fill takes what space there is.
func (x *diskTrial) fill() error {
	f, err := os.Create(x.ballast())
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	return nil
}
