package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"popsync/internal/crash/disk"
	"popsync/internal/crash/strace"
	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// A story is what happens to one disk.
type story struct {
	*trial
	plot
	skips int // only one in so many moments is tried; 0: all are

	pop      *popServer
	boxes    []*box
	workshop string // the folder of all that is made for it
	root     string // of the disk
	config   string
	site     *disk.Site

	sent   []realtest.Message
	past   past
	ends   int  // by a kill or a power cut, so far: each time an agent's message may have been in flight
	halved bool // there was a power cut that may have left halves of renames
	cuts   int
	tried  map[leftOver]bool // what was tried already
	tally  tally
	caught *cut // that popsync did not outlive
}

// told is a story of that plot, told to its end. It tries one in so many moments; 0: all.
func (t *trial) told(ctx context.Context, p plot, skips int) (*story, error) {
	s, err := newStory(t, p)
	if err != nil {
		return s, err
	}
	s.skips = skips
	return s, errors.Join(s.tell(ctx), s.close())
}

// sum is what came of it.
func (s *story) sum() tally {
	s.tally.did("power cuts", s.cuts)
	s.tally.did("different disks after them", len(s.tried))
	return s.tally
}

// mbox is where the agent appends, on the disk.
const mbox = "mbox"

func newStory(t *trial, p plot) (s *story, err error) {
	s = &story{trial: t, plot: p, tried: make(map[leftOver]bool)}
	if s.workshop, err = workshop(); err != nil {
		return s, err
	}
	if s.pop, err = startPop(poptest.Options{}, ""); err != nil {
		return s, errors.Join(err, os.RemoveAll(s.workshop))
	}
	if err := s.furnish(); err != nil {
		return s, errors.Join(err, s.close())
	}
	return s, nil
}

// furnish lays out the disk as it is before the first fetch.
func (s *story) furnish() (err error) {
	s.root = filepath.Join(s.workshop, "disk")
	s.config = filepath.Join(s.root, "config.yaml")
	if err := os.Mkdir(s.root, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.root, mbox), nil, 0o600); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	if s.site, err = disk.NewSite(s.root, filepath.Join(s.workshop, "shelf")); err != nil {
		return err
	}
	s.past.begin, err = s.site.Read()
	return err
}

// workshop is a folder in memory where that is to be had: whether the real disk keeps what is synced is
// not what this is about.
func workshop() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "popsync-power-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "popsync-power-")
}

// configure writes the configuration of all accounts.
func (s *story) configure() error {
	var accounts []realtest.Account
	for i := range s.accounts {
		b := newBoxIn(s.root, s.trial, s.pop, fmt.Sprintf("user%d", i+1))
		b.keep = s.keep
		s.direct(b)
		if err := b.furnish(); err != nil {
			return err
		}
		s.boxes = append(s.boxes, b)
		accounts = append(accounts, b.configured())
	}
	if err := realtest.WriteConfig(s.config, accounts...); err != nil {
		return err
	}
	return s.setAsideAtOnce()
}

// direct sends a box's mail where the plot has it.
func (s *story) direct(b *box) {
	switch s.to {
	case toAgent:
		b.account.MDA = []string{"dd", "of=" + filepath.Join(s.root, mbox), "oflag=append", "conv=notrunc,fsync", "bs=1M", "status=none"}
	case toQuarantine:
		b.account.MDA = []string{"false"}
		b.maildir = filepath.Join(b.state(), "quarantine", b.user)
	case toMaildir:
	}
}

// setAsideAtOnce has an agent asked once, where it refuses everything.
func (s *story) setAsideAtOnce() error {
	if s.to != toQuarantine {
		return nil
	}
	config, err := os.ReadFile(s.config)
	if err != nil {
		return err
	}
	config = bytes.ReplaceAll(config, []byte("{mda:"), []byte("{max_attempts: 1, mda:"))
	return os.WriteFile(s.config, config, 0o600)
}

func (s *story) close() error {
	s.pop.Close()
	return os.RemoveAll(s.workshop)
}

// tell goes through the story, up to the first cut that popsync does not outlive.
func (s *story) tell(ctx context.Context) error {
	for range fetches {
		if err := s.arrive(); err != nil {
			return err
		}
		fetch, err := s.record(ctx)
		if err != nil {
			return err
		}
		s.pop.Hook("RETR", nil) // those that follow need not wait
		if err := s.suffer(ctx, fetch); err != nil || s.caught != nil {
			return err
		}
		if err := s.doChore(ctx); err != nil || s.caught != nil {
			return err
		}
	}
	return nil
}

// doChore is for a state that outlived the fetch before it.
func (s *story) doChore(ctx context.Context) error {
	_, err := os.Stat(filepath.Join(s.boxes[0].state(), "state.db"))
	if s.chore == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	done, err := s.recordOf(ctx, s.chore)
	if err != nil {
		return err
	}
	return s.suffer(ctx, done)
}

// suffer cuts the power everywhere within what was recorded, and goes on from one of its ends.
func (s *story) suffer(ctx context.Context, done *recording) error {
	if err := s.cutEverywhere(ctx, done); err != nil || s.caught != nil {
		return err
	}
	return s.goOn(done)
}

// arrive puts new mail on the server.
func (s *story) arrive() error {
	for _, b := range s.boxes {
		messages := s.compose(1 + s.random.IntN(4))
		if err := b.put(messages); err != nil {
			return err
		}
		s.sent = append(s.sent, messages...)
		s.tally.messages += len(messages)
	}
	s.delay(1+s.random.IntN(4), 1+s.random.IntN(4))
	return nil
}

// delay makes two messages late, so that they come in another batch.
func (s *story) delay(one, other int) {
	s.pop.Hook("RETR", func(_ *poptest.Conn, number string) poptest.Action {
		if number == fmt.Sprint(one) || number == fmt.Sprint(other) {
			return poptest.Seq(poptest.Sleep(5*time.Millisecond), poptest.Default)
		}
		return poptest.Default
	})
}

// goOn ends what was recorded, for what comes next.
func (s *story) goOn(done *recording) error {
	models, err := s.models(done)
	if err != nil {
		return err
	}
	m := models[s.random.IntN(len(models))]
	moments, end := m.Moments(), exit(s.random.IntN(int(exits)))
	if end != byItself {
		moments = s.someMoment(m)
		s.ends++
	}
	asked, err := m.goTo(moments)
	if err != nil {
		return err
	}
	if end != byItself {
		asked = s.some(asked)
	}
	done.restore(asked)
	s.past = s.past.with(done, moments)
	left := m.Tree()
	if end == byPowerCut {
		left = m.Survivor(s.random, disk.Chance(s.random))
		s.past = past{begin: left}
		s.halved = s.halved || m.renames == disk.Halves
	}
	return s.site.Build(left)
}

// An exit is how a command ends.
type exit int

const (
	byItself exit = iota
	byKill
	byPowerCut
	exits // how many there are
)

// someMoment is any, or one behind a rename, where most is at stake.
func (s *story) someMoment(m *model) int {
	behind := m.Find(func(op strace.Op) bool { return strings.HasPrefix(op.Call, "rename") })
	if len(behind) == 0 || s.random.IntN(2) == 0 {
		return s.random.IntN(m.Moments() + 1)
	}
	return min(m.Moments(), behind[s.random.IntN(len(behind))]+s.random.IntN(4))
}

// some are any of the users.
func (s *story) some(users map[string]bool) map[string]bool {
	chosen := make(map[string]bool)
	for _, user := range slices.Sorted(maps.Keys(users)) {
		if s.random.IntN(2) == 0 {
			chosen[user] = true
		}
	}
	return chosen
}
