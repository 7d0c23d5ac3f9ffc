package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"popsync/internal/realtest"
)

const page = 4 << 10

// roomy is a space in which nothing fails.
var roomy = space{64 << 20, 10_000}

// A setting says which folders lie on a small file system, together where there are several.
type setting struct {
	name    string
	dir     func(b *box) string // what is mounted
	state   bool                // the state lies there
	maildir bool                // ... the Maildir
	agent   bool                // the mail is for an agent, by way of the spool
}

var settings = []setting{
	{name: "Maildir", dir: (*box).disk, maildir: true},
	{name: "state", dir: (*box).state, state: true},
	{name: "spool", dir: (*box).spool, agent: true},
	{name: "state and Maildir", dir: (*box).state, state: true, maildir: true},
	{name: "state and spool", dir: (*box).state, state: true, agent: true},
}

// disk is a folder for a file system of its own.
func (b *box) disk() string { return filepath.Join(b.dir, "disk") }

// A trouble is what is wrong with a file system.
type trouble struct {
	setting setting
	keep    bool
	space   space // from the beginning
	how     how
}

type how int

const (
	small   how = iota // from the beginning
	fills              // while the fetch runs
	sealed             // read-only before the fetch
	sealing            // ... while it runs
)

func (t trouble) String() string {
	switch t.how {
	case fills:
		return t.setting.name + " fills up"
	case sealed:
		return t.setting.name + " is read-only"
	case sealing:
		return t.setting.name + " becomes read-only"
	case small:
	}
	if t.space.bytes == roomy.bytes {
		return fmt.Sprintf("%s has %d inodes", t.setting.name, t.space.inodes)
	}
	return fmt.Sprintf("%s has %d KiB", t.setting.name, t.space.bytes>>10)
}

// deed is the trouble without a number.
func (t trouble) deed() string {
	return [...]string{"small", "filled meanwhile", "read-only", "read-only meanwhile"}[t.how]
}

// again is how often troubles are tried that depend on a moment.
const again = 25

// A diskLab knows all troubles.
type diskLab struct {
	*env
	troubles []trouble // in the order in which they are tried
}

func newDisks(ctx context.Context, e *env) (*diskLab, error) {
	d := &diskLab{env: e}
	for _, s := range settings {
		enough, err := d.measure(ctx, s)
		if err != nil {
			return nil, err
		}
		d.troubles = append(d.troubles, troublesOf(s, enough)...)
	}
	shuffle(e.randomOf(0), d.troubles)
	return d, nil
}

// troublesOf are all of a setting for which so much space is enough.
func troublesOf(s setting, enough space) (all []trouble) {
	for _, keep := range []bool{false, true} {
		for bytes := int64(page); bytes <= enough.bytes+4*page; bytes += page {
			all = append(all, trouble{s, keep, space{bytes, roomy.inodes}, small})
		}
		for inodes := int64(1); inodes <= enough.inodes+2; inodes++ {
			all = append(all, trouble{s, keep, space{roomy.bytes, inodes}, small})
		}
		all = append(all, trouble{s, keep, roomy, sealed})
		for range again {
			all = append(all, trouble{s, keep, roomy, fills}, trouble{s, keep, roomy, sealing})
		}
	}
	return all
}

// diskMail is what is fetched in the middle of which a disk is full.
var diskMail = slices.Concat(
	realtest.Messages(1, 12, 3000), realtest.Messages(100, 1, 50_000), realtest.Messages(200, 6, 500),
)

// measure is what a fetch leaves behind where there is room.
func (d *diskLab) measure(ctx context.Context, s setting) (space, error) {
	t, err := d.newTrial("rehearsal")
	if err != nil {
		return space{}, err
	}
	x, err := newDiskTrial(t, trouble{setting: s, keep: true, space: roomy})
	if err != nil {
		return space{}, err
	}
	used := space{}
	err = x.fetch(ctx)
	if err == nil {
		used, err = x.room.used()
	}
	return used, errors.Join(err, x.close(), t.remove())
}
