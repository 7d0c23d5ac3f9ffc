package fetch

import (
	"cmp"
	"slices"
	"time"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

// mostDeletions is how many sessions delete a message that a server goes on listing although it
// said +OK each time, before popsync lets it be.
const mostDeletions = 3

// An Item is a listed message under the name by which it is remembered.
type Item struct {
	pop3.Message
	Rank   uint32 // tells apart the messages that share a UID
	Shared bool   // another message has, or had, the same UID
	before uint8  // sessions that deleted a message of this name, and it is listed again

	attempts uint16 // verdicts against it so far
}

// Ref is the name of the item's record.
func (i Item) Ref() uidl.Ref { return uidl.Ref{UID: i.UID, Rank: i.Rank} }

// A Had is an item that popsync has delivered, with its record.
type Had struct {
	Item
	Record   uidl.Record
	Doubtful bool // another message may have its UID by now
}

// A Plan is all that one session is going to do, decided before the first RETR.
type Plan struct {
	Retrieve []Item       // not had yet, in the server's order
	Look     []Had        // of them, those that may turn out to have been had
	Delete   []Had        // had by us, and kept long enough; never what was only imported or marked as seen
	Missing  []uidl.Entry // known, and not listed any more since now
	Back     []uidl.Entry // listed again
	Forget   []uidl.Ref   // deleted by us and gone, or missing for too long (S6)

	SizesMatter bool // only sizes tell whether something else lies under a known UID

	until uidl.Stamp // when the first record is to go whose message is missing; zero: none
}

// Quiet says whether, once all of Retrieve is delivered, the same listing leaves nothing to do, and
// until when; zero: for good. It has to be complete, and nothing to be deleted on the server.
func (p *Plan) Quiet() (until uidl.Stamp, quiet bool) {
	return p.until, !p.SizesMatter && len(p.Look)+len(p.Delete)+len(p.Missing)+len(p.Back)+len(p.Forget) == 0
}

// MakePlan compares the server's listing with what the account has had. It is a pure function: no
// server, no disk, no clock. listing is by number, had by UID and rank. Where complete is not set
// the listing proves nothing about messages that are not in it.
func MakePlan(listing []pop3.Message, complete bool, had []uidl.Entry, keep Retention, now time.Time) Plan {
	p := planner{complete: complete, keep: keep, now: now}
	p.Retrieve = make([]Item, 0, max(0, len(listing)-len(had))) // a first poll retrieves all
	order := byUID(listing)
	for len(order) > 0 || len(had) > 0 {
		uid := firstUID(listing, order, had)
		listed, known := order[:0], had[:0]
		for len(order) > len(listed) && listing[order[len(listed)]].UID == uid {
			listed = order[:len(listed)+1]
		}
		for len(had) > len(known) && had[len(known)].UID == uid {
			known = had[:len(known)+1]
		}
		order, had = order[len(listed):], had[len(known):]
		switch {
		case len(listed) <= 1 && len(known) <= 1:
			p.single(listing, listed, known)
		default:
			p.shared(listing, listed, known)
		}
	}
	slices.SortFunc(p.Retrieve, byNumber)
	slices.SortFunc(p.Delete, func(a, b Had) int { return cmp.Compare(a.Number, b.Number) })
	return p.Plan
}

func byNumber(a, b Item) int { return cmp.Compare(a.Number, b.Number) }

type planner struct {
	Plan
	complete bool
	keep     Retention
	now      time.Time
}

// single decides about a UID that at most one message has, and ever had.
func (p *planner) single(listing []pop3.Message, listed []int32, known []uidl.Entry) {
	switch {
	case len(listed) == 0:
		p.missing(known[0])
	case len(known) == 0:
		p.Retrieve = append(p.Retrieve, Item{Message: listing[listed[0]]})
	case known[0].Shared: // alone now, and which one of several it is nobody can tell
		p.sharing(Item{Message: listing[listed[0]], Rank: known[0].Rank, Shared: true}, known[0])
	default:
		p.listed(Item{Message: listing[listed[0]], Rank: known[0].Rank}, known[0])
	}
}

// shared decides about a UID that several messages have or had (popa3d makes it of some header
// lines). Their sizes tell them apart; what cannot be told apart goes by rank, and what has
// another size than all that is known is new: better twice than never.
func (p *planner) shared(listing []pop3.Message, listed []int32, known []uidl.Entry) {
	p.SizesMatter = true
	free := newSizes(known, len(listed) < len(known))
	var unknown []Item
	for _, i := range listed {
		item := Item{Message: listing[i], Shared: true}
		rec, ok := free.take(item.Size)
		if !ok {
			unknown = append(unknown, item)
			continue
		}
		item.Rank = rec.Rank
		p.sharing(item, rec)
	}
	left := free.rest()
	rank := uint32(0)
	for _, item := range unknown {
		for len(known) > 0 && known[0].Rank <= rank { // known is sorted by rank
			if known[0].Rank == rank {
				rank++
			}
			known = known[1:]
		}
		item.Rank = rank
		rank++
		p.Retrieve = append(p.Retrieve, item)
	}
	for _, rec := range left {
		p.missing(rec)
	}
}

func hadOrder(e uidl.Entry) int {
	if e.State.Had() {
		return 1
	}
	return 0
}

// sizes are the records of one UID, to be found by size in the time of a look-up: a server may give
// all of a million messages the same UID.
type sizes struct {
	records []uidl.Entry
	taken   []bool
	bySize  map[int64][]int // indexes, by rank
	unsized []int           // whose size is not known: any message may be theirs
	first   int             // all before it are taken
}

// newSizes is all of records. Where fewer are listed, some are gone, and nobody can tell which: then
// those that were not had come first, for what cannot be told apart is fetched.
func newSizes(records []uidl.Entry, fewer bool) *sizes {
	if fewer {
		records = slices.Clone(records)
		slices.SortStableFunc(records, func(a, b uidl.Entry) int { return cmp.Compare(hadOrder(a), hadOrder(b)) })
	}
	s := &sizes{records: records, taken: make([]bool, len(records)), bySize: make(map[int64][]int)}
	for i, e := range records {
		if e.Size > 0 {
			s.bySize[e.Size] = append(s.bySize[e.Size], i)
		} else {
			s.unsized = append(s.unsized, i)
		}
	}
	return s
}

// take gives the first record that a message of size may have; a size that is not known fits all.
func (s *sizes) take(size int64) (uidl.Entry, bool) {
	at := -1
	if size > 0 {
		same := s.untaken(s.bySize[size])
		s.bySize[size] = same
		s.unsized = s.untaken(s.unsized)
		switch {
		case len(same) > 0 && (len(s.unsized) == 0 || same[0] < s.unsized[0]):
			at = same[0]
		case len(s.unsized) > 0:
			at = s.unsized[0]
		}
	} else if s.skip(); s.first < len(s.records) {
		at = s.first
	}
	if at < 0 {
		return uidl.Entry{}, false
	}
	s.taken[at] = true
	return s.records[at], true
}

// untaken is what is left of indexes.
func (s *sizes) untaken(indexes []int) []int {
	for len(indexes) > 0 && s.taken[indexes[0]] {
		indexes = indexes[1:]
	}
	return indexes
}

func (s *sizes) skip() {
	for s.first < len(s.records) && s.taken[s.first] {
		s.first++
	}
}

// rest are the records that no message was given.
func (s *sizes) rest() []uidl.Entry {
	var left []uidl.Entry
	for i, e := range s.records {
		if !s.taken[i] {
			left = append(left, e)
		}
	}
	return left
}

// sharing is listed for a message whose UID is not unique. One that was deleted may be another
// message under the same UID by now, so it is retrieved, not deleted unseen. After some times it
// is clear that the server forgets deletions.
func (p *planner) sharing(m Item, rec uidl.Entry) {
	if (rec.State == uidl.Deleted || rec.DeleteSent) && rec.Deletions < mostDeletions {
		m.before = rec.Deletions
		p.Retrieve = append(p.Retrieve, m)
		return
	}
	p.listed(m, rec)
}

// listed decides about a message that is on the server and has a record.
func (p *planner) listed(m Item, rec uidl.Entry) {
	doubtful := mayBeReused(rec)
	p.SizesMatter = p.SizesMatter || doubtful
	if !rec.State.Had() || reused(m, rec) {
		if rec.State == uidl.Failed {
			m.attempts = rec.Attempts
		}
		p.Retrieve = append(p.Retrieve, m)
		if rec.State.Had() && !m.Shared {
			p.Look = append(p.Look, Had{m, rec.Record, true})
		}
		return
	}
	if !rec.MissingSince.IsZero() {
		rec.MissingSince = 0
		p.Back = append(p.Back, rec)
	}
	if p.keep.over(rec.Record) && !m.Shared {
		p.Delete = append(p.Delete, Had{m, rec.Record, doubtful})
	}
}

// missing decides about a record whose message is not on the server.
func (p *planner) missing(rec uidl.Entry) {
	switch {
	case !p.complete:
	case rec.State == uidl.Deleted, rec.DeleteSent, // by us: its UID may be used again
		!rec.State.Had():
		p.Forget = append(p.Forget, rec.Ref)
	case rec.MissingSince.IsZero():
		rec.MissingSince = uidl.At(p.now)
		p.Missing = append(p.Missing, rec)
	case p.now.Sub(rec.MissingSince.Time()) > p.keep.remember():
		p.Forget = append(p.Forget, rec.Ref)
	default:
		until := rec.MissingSince + uidl.Stamp(p.keep.remember()/time.Second)
		if p.until.IsZero() || until < p.until {
			p.until = until
		}
	}
}

// reused says whether a UID names another message than the one it was recorded for. That is only
// asked of a UID that was missing, or whose message was deleted: some servers (mailutils) change
// a message's size while it lies there.
func reused(m Item, rec uidl.Entry) bool {
	return mayBeReused(rec) && differ(m.Size, rec.Size)
}

// mayBeReused says whether the message of rec may be gone, so that its UID is free.
func mayBeReused(rec uidl.Entry) bool {
	return !rec.MissingSince.IsZero() || rec.State == uidl.Deleted || rec.DeleteSent
}

// differ says whether two sizes are known not to be the same.
func differ(a, b int64) bool { return a > 0 && b > 0 && a != b }

// over says whether a message that popsync delivered may be deleted on the server.
func (r Retention) over(rec uidl.Record) bool {
	if !r.Delete {
		return false
	}
	switch rec.State {
	case uidl.Delivered:
		return true
	case uidl.Deleted: // and still there
		return rec.Deletions < mostDeletions
	case uidl.Unknown, uidl.Failed, uidl.Seen, uidl.Imported, uidl.Quarantined:
	}
	return false
}

// byUID is the order of the listing by UID, and by number where UIDs are the same. Only indexes
// are sorted: a mailbox of a million messages is not copied.
func byUID(listing []pop3.Message) []int32 {
	order := make([]int32, len(listing))
	for i := range order {
		order[i] = int32(i)
	}
	less := func(a, b int32) int {
		return cmp.Or(cmp.Compare(listing[a].UID, listing[b].UID), cmp.Compare(a, b))
	}
	if !slices.IsSortedFunc(order, less) {
		slices.SortFunc(order, less)
	}
	return order
}

// firstUID is the next UID of either side, by bytes.
func firstUID(listing []pop3.Message, order []int32, had []uidl.Entry) string {
	switch {
	case len(order) == 0:
		return had[0].UID
	case len(had) == 0:
		return listing[order[0]].UID
	}
	return min(listing[order[0]].UID, had[0].UID)
}
