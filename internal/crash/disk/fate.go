package disk

import "math/rand/v2"

// A Share is how much of what was not synced survives.
type Share int

// Nothing, some of it by chance, everything.
const (
	None Share = iota
	Some
	All
)

func (s Share) String() string { return [...]string{"none", "some", "all"}[s] }

// A Fate is what a power cut does to what was not synced.
type Fate struct{ Names, Sizes, Bytes Share }

// The two extremes: all is lost that was not synced, and nothing is, as with a kill.
var (
	Lost = Fate{None, None, None}
	Kept = Fate{All, All, All}
)

// Chance is any fate.
func Chance(r *rand.Rand) Fate {
	share := func() Share { return Share(r.IntN(3)) }
	return Fate{Names: share(), Sizes: share(), Bytes: share()}
}

// decides whether one thing survives.
func (s Share) decides(r *rand.Rand) bool {
	switch s {
	case All:
		return true
	case Some:
		return r.IntN(2) == 0
	default:
		return false
	}
}

// index is which of n states survives, the oldest first.
func (s Share) index(r *rand.Rand, n int) int {
	switch s {
	case All:
		return n - 1
	case Some:
		return r.IntN(n)
	default:
		return 0
	}
}

// of is what is left of a write: all, nothing, or pieces of it.
func (s Share) of(r *rand.Rand, w *write) []*write {
	torn := s == Some && !w.truncate && r.IntN(2) == 0
	switch {
	case torn:
		return tear(r, w)
	case s.decides(r):
		return []*write{w}
	default:
		return nil
	}
}

const (
	sector = 512
	page   = 4096
)

// tear takes blocks out of a write: any of them, or all up to one or from one on.
func tear(r *rand.Rand, w *write) []*write {
	block := int64(sector)
	if r.IntN(2) == 0 {
		block = page
	}
	whole := blocks(w, block)
	at := r.IntN(len(whole) + 1)
	switch r.IntN(3) {
	case 0:
		return whole[:at]
	case 1:
		return whole[at:]
	}
	var some []*write
	for _, piece := range whole {
		if r.IntN(2) == 0 {
			some = append(some, piece)
		}
	}
	return some
}

// blocks cuts a write where the disk's blocks end.
func blocks(w *write, block int64) []*write {
	var all []*write
	for at := w.offset; at < w.end(); {
		next := min(w.end(), (at/block+1)*block)
		all = append(all, &write{offset: at, data: w.data[at-w.offset : next-w.offset]})
		at = next
	}
	return all
}
