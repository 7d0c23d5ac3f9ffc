package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"popsync/internal/realtest"
)

// outlive lays out what a cut has left, and fetches until nothing new comes.
func (s *story) outlive(ctx context.Context, c cut) (found tally, err error) {
	if err := s.site.Build(c.disk); err != nil {
		return found, err
	}
	c.fetch.restore(c.quit)
	clear(s.boxes[0].deleted)
	seen, err := s.evidence()
	if err != nil {
		return found, err
	}
	if found = seen.atAnyMoment(); found.violations() > 0 {
		return found, nil
	}
	if err := s.read(c.habit); err != nil {
		return found, err
	}
	if err := s.fetchAll(ctx, &found); err != nil || found.failed > 0 {
		return found, err
	}
	if seen, err = s.evidence(); err != nil {
		return found, err
	}
	return seen.inTheEnd(), nil
}

// read does with all in new/ what a mail reader would.
func (s *story) read(h habit) error {
	b := s.boxes[0]
	dir := filepath.Join(b.maildir, "new")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		sum, failed := realtest.SumFile(path)
		err = errors.Join(err, failed, b.read(path, sum, h))
	}
	return err
}

// fetchAll fetches, now and then once more than there is to do. What was set aside is told once.
func (s *story) fetchAll(ctx context.Context, found *tally) error {
	if s.to == toQuarantine {
		if err := s.fetch(ctx, found, exitRefused); err != nil {
			return err
		}
	}
	for range 1 + s.random.IntN(2) {
		if err := s.fetch(ctx, found, 0); err != nil {
			return err
		}
	}
	return nil
}

// exitRefused is popsync's status after an agent has refused a message.
const exitRefused = 73

// fetch is one that nobody disturbs: it ends with 0 and has nothing to say, or with another status that
// is expected.
func (s *story) fetch(ctx context.Context, found *tally, status int) error {
	child, err := s.popsync.Start(s.config, "fetch")
	if err != nil {
		return err
	}
	if err := await(ctx, child, patience); err != nil {
		return err
	}
	good := child.Wait() == 0 && child.Stderr() == ""
	if !good && (status == 0 || child.Wait() != status) {
		found.failed++
		s.say("%v", ended(child))
	}
	return nil
}

// evidence is what there is to see of all accounts together.
func (s *story) evidence() (e evidence, err error) {
	e = evidence{sent: realtest.Census{}, held: realtest.Census{}, keep: s.keep}
	for _, b := range s.boxes {
		e.sent.Add(b.sent)
		held, err := s.pop.Holds(b.user)
		if err != nil {
			return e, err
		}
		e.held.Add(held)
	}
	if s.to == toAgent {
		e.window = s.ends + 1
		e.had, err = s.appended()
	} else {
		e.had, err = s.boxes[0].had()
	}
	if err != nil {
		return e, err
	}
	e.left, err = s.left()
	return e, err
}

// appended is what the agent has got as a whole. What it was writing when the power was cut is its own
// business.
func (s *story) appended() (realtest.Census, error) {
	all, err := os.ReadFile(filepath.Join(s.root, mbox))
	if err != nil {
		return nil, err
	}
	had := realtest.Census{}
	for _, m := range s.sent {
		var text strings.Builder
		m.WriteTo(&text) // into memory
		if n := strings.Count(string(all), text.String()); n > 0 {
			had[m.Sum()] += n
		}
	}
	return had, nil
}

// left is how many files lie where messages are staged.
func (s *story) left() (int, error) {
	staged, err := s.boxes[0].staged()
	if err != nil {
		return 0, err
	}
	spooled, err := realtest.Files(s.boxes[0].spool())
	return staged + spooled, err
}
