package fetch

import (
	"fmt"
	"testing"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

// a mailbox as it was and as it is: n messages known, some of them listed still, others new.
type change struct {
	known, stay, fresh int
	size               func(i int) int64 // of the new ones
}

func (c change) suspicion() Suspicion {
	var listing []pop3.Message
	var known []uidl.Entry
	for i := range c.known {
		uid := fmt.Sprintf("old%05d", i)
		known = append(known, had(uid, 0, uidl.Record{State: uidl.Delivered, Size: int64(1000 + i)}))
		if i < c.stay {
			listing = append(listing, listed(int32(len(listing)+1), uid, int64(1000+i)))
		}
	}
	for i := range c.fresh {
		listing = append(listing, listed(int32(len(listing)+1), fmt.Sprintf("new%05d", i), c.size(i)))
	}
	return Suspect(MakePlan(listing, true, known, Retention{}, today), known)
}

// W15: twenty or more known messages gone, more than half of all, and as many others of mostly
// the same sizes.
func TestSuspect(t *testing.T) {
	moved := func(i int) int64 { return int64(1000 + i) }
	others := func(i int) int64 { return int64(500_000 + i) }
	mostly := func(i int) int64 {
		if i%3 == 0 {
			return others(i)
		}
		return moved(i)
	}
	for _, c := range []struct {
		name              string
		change            change
		migrated, renewed bool
	}{
		{"everything moved", change{30, 0, 30, moved}, true, true},
		{"20,000 moved", change{20_000, 0, 20_000, moved}, true, true},
		{"moved, and new mail", change{30, 0, 40, moved}, true, true},
		{"moved, and one deleted meanwhile", change{30, 0, 29, moved}, true, false},
		{"mostly the same sizes", change{30, 0, 30, mostly}, true, false},
		{"more than half moved", change{60, 20, 40, func(i int) int64 { return int64(1020 + i) }}, true, false},
		{"less than half moved", change{60, 35, 25, func(i int) int64 { return int64(1035 + i) }}, false, false},
		{"emptied", change{30, 0, 0, moved}, false, false},
		{"emptied, and other mail", change{30, 0, 30, others}, false, false},
		{"emptied, and little mail of the same sizes", change{30, 0, 5, moved}, false, false},
		{"nineteen moved", change{19, 0, 19, moved}, false, true},
		{"one moved", change{1, 0, 1, moved}, false, true},
		{"a window that moves on", change{250, 0, 250, others}, false, false},
		{"one deleted, one new of the same size", change{30, 29, 1, func(int) int64 { return 1029 }}, false, false},
		{"a first poll", change{0, 0, 30, moved}, false, false},
		{"LIST is refused", change{30, 0, 30, func(int) int64 { return pop3.UnknownSize }}, false, false},
	} {
		s := c.change.suspicion()
		if s.Migrated() != c.migrated || s.Renewed(false) != c.renewed {
			t.Errorf("%s: migrated %v, renewed %v of %d gone, %d unknown, %d alike", c.name, s.Migrated(), s.Renewed(false), s.Gone, s.Unknown, len(s.Alike))
		}
	}
}
