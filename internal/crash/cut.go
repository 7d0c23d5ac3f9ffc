package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"popsync/internal/crash/disk"
)

// draws is how often chance decides about one moment, besides the extremes.
const draws = 3

// A cut is what the power left at one moment.
type cut struct {
	fetch   *recording
	when    disk.Moment
	renames disk.Renames
	fate    disk.Fate
	disk    disk.Tree
	quit    map[string]bool // users whose QUIT the server got
	habit   habit           // of the mail reader that comes before the next fetch
	found   tally           // what was wrong then
}

func (c cut) String() string {
	return fmt.Sprintf("the power is cut when %v (%v; %v of the names, %v of the sizes, %v of the bytes survive; QUIT arrived of %s; the reader %v)",
		c.when, c.renames, c.fate.Names, c.fate.Sizes, c.fate.Bytes, c.whoQuit(), c.habit)
}

func (c cut) whoQuit() string {
	if len(c.quit) == 0 {
		return "nobody"
	}
	return strings.Join(slices.Sorted(maps.Keys(c.quit)), ", ")
}

// A leftOver tells cuts apart that leave different things.
type leftOver struct {
	disk [32]byte
	quit string
}

// cutEverywhere cuts the power at each moment of a fetch after which something else may survive.
func (s *story) cutEverywhere(ctx context.Context, fetch *recording) error {
	models, err := s.models(fetch)
	if err != nil {
		return err
	}
	asked := make(map[string]bool)
	for s.caught == nil {
		when, ok, err := step(models)
		if err != nil {
			return err
		}
		if !ok {
			return models[0].Check()
		}
		user := fetch.quits(when.Op)
		if user != "" {
			asked[user] = true
		}
		if !when.Changed && user == "" || s.skips > 0 && s.random.IntN(s.skips) > 0 {
			continue
		}
		if err := s.cutHere(ctx, models, cut{fetch: fetch, when: when}, asked); err != nil {
			return err
		}
	}
	return nil
}

// step has all models go on by the same moment.
func step(models []*model) (when disk.Moment, ok bool, err error) {
	for _, m := range models {
		var failed error
		when, ok, failed = m.Step()
		err = errors.Join(err, failed)
	}
	return when, ok, err
}

// cutHere cuts the power at one moment, with both extremes and some fates that chance decides.
func (s *story) cutHere(ctx context.Context, models []*model, c cut, asked map[string]bool) error {
	fates := []disk.Fate{disk.Lost, disk.Kept}
	for range draws {
		fates = append(fates, disk.Chance(s.random))
	}
	for _, c.fate = range fates {
		for _, m := range models {
			c.renames = m.renames
			c.disk = m.Survivor(s.random, c.fate)
			c.quit = s.some(asked)
			c.habit = s.someHabit(m.renames)
			if err := s.try(ctx, c); err != nil || s.caught != nil {
				return err
			}
		}
	}
	return nil
}

// someHabit is any that popsync can stand. Where a power cut may have left a message in tmp/ too, nobody
// can know that a reader took it away from new/.
func (s *story) someHabit(renames disk.Renames) habit {
	h := habit(s.random.IntN(int(habits)))
	if (s.halved || renames == disk.Halves) && (h == files || h == deletes) {
		return marks
	}
	return h
}

// try lets popsync fetch what a cut has left, unless the same was tried before.
func (s *story) try(ctx context.Context, c cut) (err error) {
	s.cuts++
	left := leftOver{c.disk.Sum(), c.whoQuit()}
	if s.tried[left] {
		return nil
	}
	s.tried[left] = true
	if c.found, err = s.outlive(ctx, c); err != nil {
		return err
	}
	s.tally.add(c.found)
	if c.found.violations() == 0 {
		return nil
	}
	s.caught = &c
	s.say("%v: %s\n%v", c, c.found.wrong(), c.disk)
	return s.showLeft(c)
}

// showLeft lays out what a cut has left beside the log, to be looked at.
func (s *story) showLeft(c cut) error {
	root := filepath.Join(s.dir, "left")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	site, err := disk.NewSite(root, filepath.Join(s.dir, "shelf"))
	if err != nil {
		return err
	}
	return site.Build(c.disk)
}
