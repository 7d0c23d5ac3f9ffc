package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// deeds are a few calls that fit what they find.
func deeds(t *rapid.T, before shape) []doing {
	have := maps.Clone(before)
	var all []doing
	for range rapid.IntRange(0, 12).Draw(t, "calls") {
		name := rapid.SampledFrom([]string{"tmp/a", "tmp/b", "new/a", "c"}).Draw(t, "name")
		other := rapid.SampledFrom([]string{"new/a", "new/b", "d"}).Draw(t, "other")
		_, there := have[name]
		switch rapid.IntRange(0, 5).Draw(t, "call") {
		case 0, 1:
			offset := int64(rapid.IntRange(0, 600).Draw(t, "offset"))
			all, have[name] = append(all, store(name, offset, "mail")), ""
		case 2:
			if there {
				all = append(all, truncate(name, int64(rapid.IntRange(0, 600).Draw(t, "size"))))
			}
		case 3:
			if there && name != other {
				all, have[other] = append(all, rename(name, other)), ""
				delete(have, name)
			}
		case 4:
			if there {
				all = append(all, unlink(name))
				delete(have, name)
			}
		case 5:
			if there {
				all = append(all, fsync(name))
			}
			all = append(all, fsync(rapid.SampledFrom([]string{".", "tmp", "new"}).Draw(t, "folder")))
		}
	}
	return all
}

// Whatever was done: what was synced survives, whole; and with all of it kept there is what programs saw.
func TestSyncedSurvivesWhateverHappens(t *testing.T) {
	before := shape{"tmp/": "", "new/": "", "c": "old"}
	rapid.Check(t, func(rt *rapid.T) {
		renames := rapid.SampledFrom([]Renames{Whole, Halves}).Draw(rt, "renames")
		calls := deeds(rt, before)
		d := replayed(t, before.tree(), renames, calls...)
		seen := d.Tree()
		if wrong := d.Survivor(nil, Kept).Differ(seen); wrong != "" {
			rt.Fatalf("kept:\n%s", wrong)
		}
		for _, name := range slices.Sorted(maps.Keys(seen)) {
			calls = append(calls, fsync(name))
		}
		d = replayed(t, before.tree(), renames, append(calls, fsync("."))...)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		if wrong := d.Survivor(r, Chance(r)).Differ(seen); wrong != "" {
			rt.Fatalf("synced:\n%s", wrong)
		}
	})
}
