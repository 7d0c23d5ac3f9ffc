package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Renames says what a disk promises of renames.
type Renames int

const (
	// Whole renames are done as a whole or not at all, as the journals of ext4, xfs and btrfs have it:
	// whichever of the two folders is synced, the rename is durable.
	Whole Renames = iota

	// Halves: each of the two folders is durable by itself. The new name comes before the old one goes,
	// so that a file may be under both after a power cut, but an fsync of the folder that it left makes
	// that durable alone: then it may be under none.
	Halves
)

func (r Renames) String() string { return [...]string{"whole renames", "halves of renames"}[r] }

// A slot is a name's place in a folder.
type slot struct {
	folder *node
	name   string
}

// A change puts something into slots, nil for nothing. Those of one change happen together.
type change struct {
	puts   []put
	after  *change // survives only with this one, as long as no fsync has made it durable
	landed bool    // the call has returned: an fsync that is called from now on covers it
}

type put struct {
	slot
	what *node
}

// change has puts happen: together, or one after the other.
func (d *Disk) change(puts ...put) (land func()) {
	all := []*change{{puts: puts}}
	if d.renames == Halves {
		all = inTurn(puts)
	}
	for _, p := range puts {
		set(p.folder.names, p)
	}
	d.changes = append(d.changes, all...)
	return func() {
		for _, c := range all {
			c.landed = true
		}
	}
}

func inTurn(puts []put) (all []*change) {
	var last *change
	for _, p := range puts {
		last = &change{puts: []put{p}, after: last}
		all = append(all, last)
	}
	return all
}

func set(names map[string]*node, p put) {
	if p.what == nil {
		delete(names, p.name)
		return
	}
	names[p.name] = p.what
}

// syncFolder begins an fsync of a folder: it covers the changes of its names that have landed by
// now, and what must have come before these.
func (d *Disk) syncFolder(folder *node) (end func()) {
	covered := make(map[*change]bool)
	for _, c := range d.changes {
		covered[c] = c.landed && slices.ContainsFunc(c.puts, func(p put) bool { return p.folder == folder })
	}
	d.addCauses(covered)
	return func() {
		d.changes = slices.DeleteFunc(d.changes, func(c *change) bool {
			if !covered[c] {
				return false
			}
			for _, p := range c.puts {
				set(p.folder.durable, p)
			}
			return true
		})
	}
}

// addCauses adds, for each change, the earlier ones of the same names.
func (d *Disk) addCauses(covered map[*change]bool) {
	needed := make(map[slot]bool)
	for _, c := range slices.Backward(d.changes) {
		if slices.ContainsFunc(c.puts, func(p put) bool { return needed[p.slot] }) {
			covered[c] = true
		}
		if covered[c] {
			for _, p := range c.puts {
				needed[p.slot] = true
			}
		}
	}
}

// survivors are the names that a power cut may leave.
func (d *Disk) survivors(r *rand.Rand, f Fate) func(folder *node) map[string]*node {
	lost := make(map[*change]bool)
	undone := make(map[slot]bool)
	done := make(map[*node][]put)
	for _, c := range d.changes {
		barred := lost[c.after] || slices.ContainsFunc(c.puts, func(p put) bool { return undone[p.slot] })
		if barred || !f.Names.decides(r) {
			lost[c] = true
			for _, p := range c.puts {
				undone[p.slot] = true
			}
			continue
		}
		for _, p := range c.puts {
			done[p.folder] = append(done[p.folder], p)
		}
	}
	return func(folder *node) map[string]*node {
		names := maps.Clone(folder.durable)
		for _, p := range done[folder] {
			set(names, p)
		}
		return names
	}
}
