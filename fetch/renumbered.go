package fetch

import (
	"popsync/uidl"
)

const (
	mostRenewed = 20 // known messages that are gone at once are more than tidying up (W15)
	samples     = 16 // headers that are compared before a mailbox is called renumbered
)

// A Suspicion is that a server has given new UIDs to messages that are known: as many are gone as
// others of the same sizes are there.
type Suspicion struct {
	Known   int    // messages that were listed until now
	Gone    int    // of them
	Unknown int    // messages that are there now and were not
	Alike   []Pair // of each one of the two, with the same size
}

// A Pair is a message that is gone, and one of the same size that is there now.
type Pair struct {
	Gone uidl.Entry
	New  Item
}

// Suspect compares what is gone with what is new. It is a pure function, as [MakePlan] is.
func Suspect(plan Plan, had []uidl.Entry) Suspicion {
	s := Suspicion{Gone: len(plan.Missing), Unknown: len(plan.Retrieve)}
	for _, e := range had {
		if e.State.Had() && e.State != uidl.Deleted && !e.DeleteSent && e.MissingSince.IsZero() {
			s.Known++
		}
	}
	if s.Gone == 0 || s.Unknown == 0 {
		return s
	}
	bySize := make(map[int64][]uidl.Entry, s.Gone)
	for _, e := range plan.Missing {
		bySize[e.Size] = append(bySize[e.Size], e)
	}
	for _, m := range plan.Retrieve {
		if same := bySize[m.Size]; m.Size > 0 && len(same) > 0 {
			s.Alike = append(s.Alike, Pair{same[0], m})
			bySize[m.Size] = same[1:]
		}
	}
	return s
}

// Migrated says whether this looks like a whole mailbox that has moved (W15): a mailbox that was
// emptied, or a window that has moved on, has no others of the same sizes.
func (s Suspicion) Migrated() bool {
	return s.Gone >= mostRenewed && 2*s.Gone > s.Known && 2*len(s.Alike) > s.Gone
}

// Plain says whether that is so by the sizes alone, where there are no headers to compare.
func (s Suspicion) Plain() bool { return s.Migrated() && s.Unknown >= s.Gone }

// Renewed says whether every known message may be there under a new UID (W16). Of a server that
// was seen to do that, again, some may have been deleted meanwhile.
func (s Suspicion) Renewed(again bool) bool {
	return s.Gone > 0 && s.Gone == s.Known && (len(s.Alike) == s.Gone || again && len(s.Alike) > 0)
}

// Telling are the pairs in which the header of the message that is gone tells it from others.
func (s Suspicion) Telling() []Pair {
	var telling []Pair
	for _, p := range s.Alike {
		if tells(p.Gone.Header) {
			telling = append(telling, p)
		}
	}
	return telling
}
