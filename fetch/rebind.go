package fetch

import (
	"context"
	"slices"

	"popsync/uidl"
)

// A Rebinding is what [Poller.Rebind] found: known messages under new UIDs.
type Rebinding struct {
	Known   int // messages with a record that the server does not list under their UIDs
	Unknown int // messages that the server lists and that have no record
	Matched int // of both: the same size and header, so the same message
}

// Rebind logs in to a's mailbox, which has got new UIDs, and gives the records of messages that
// are there under another UID that UID: by size and, with TOP, by header. Nothing is fetched and
// nothing deleted. What matches nothing is fetched by the next poll. In a dry run the records
// stay as they are. Of r the rest but for DryRun, Notify and Trace means nothing here.
func (p *Poller) Rebind(ctx context.Context, a Account, r Request) (Rebinding, *Error) {
	v, leave, err := p.alone(ctx, a.Mailbox())
	if err != nil {
		return Rebinding{}, notBegun(a).Err
	}
	defer leave()
	p.tellAlso(v, r.Notify)
	s, failed := p.session(ctx, a, Request{Trace: r.Trace}, v) // it is a look at the server in a dry run too
	if failed != nil {
		return Rebinding{}, s.fail(failed).Err
	}
	s.begin()
	soft, release := interruptible(ctx)
	defer release()
	hard, release := s.lingering(soft)
	defer release()
	found, err := s.rebind(soft, hard, r.DryRun)
	s.leave(hard)
	s.note(err)
	if s.refusedLogIn {
		s.last.Refusals = s.refusals()
		s.note(s.commit(uidl.Change{Poll: &s.last}))
	}
	return found, s.end().Err
}

func (s *session) rebind(ctx, hard context.Context, dry bool) (Rebinding, error) {
	var err error
	if s.last, err = s.records.Poll(ctx); err != nil {
		return Rebinding{}, s.stateFailed(err)
	}
	if !dry { // what a crash left has records then
		if err := s.settle(ctx, hard); err != nil {
			return Rebinding{}, err
		}
	}
	listing, err := s.visit(ctx)
	if err != nil {
		return Rebinding{}, err
	}
	had, err := s.records.Records(ctx)
	if err != nil {
		return Rebinding{}, s.stateFailed(err)
	}
	if !listing.Complete() {
		s.noteOdd(listing)
		return Rebinding{}, nil
	}
	plan := MakePlan(listing.Messages, true, had, Retention{}, s.now())
	matched, err := s.match(ctx, plan, had)
	if err != nil {
		return Rebinding{}, err
	}
	r := Rebinding{Known: len(absent(had, plan)), Unknown: len(plan.Retrieve), Matched: len(matched)}
	if dry {
		return r, nil
	}
	s.rename(&plan, matched)
	s.unsaved.Update = append(append(s.unsaved.Update, plan.Missing...), plan.Back...)
	if len(matched) > 0 {
		s.last.Renumbered = 1
	}
	s.last.LoggedIn, s.last.Refusals = uidl.At(s.loggedIn), uidl.Refusals{}
	s.unsaved.Poll = &s.last
	return r, s.commit(s.unsaved)
}

// absent are the records of all messages that are not listed, those that have been missing for
// longer too.
func absent(had []uidl.Entry, plan Plan) []uidl.Entry {
	gone := slices.Clone(plan.Missing)
	back := make(map[uidl.Ref]bool, len(plan.Back))
	for _, e := range plan.Back {
		back[e.Ref] = true
	}
	for _, e := range had {
		if !e.MissingSince.IsZero() && !back[e.Ref] && e.State.Had() {
			gone = append(gone, e)
		}
	}
	return gone
}

// match finds the messages of items that are among those gone. Without headers to compare, those
// of the same size are taken for the same where nearly all sizes are, and no other message of
// either side has it.
func (s *session) match(ctx context.Context, plan Plan, had []uidl.Entry) ([]Pair, error) {
	missing := absent(had, plan)
	found, err := s.compare(ctx, alike(plan.Retrieve, missing), missing, true)
	if err != nil || !found.unproven() {
		return found.known, err
	}
	if suspicion := Suspect(plan, had); suspicion.Plain() {
		return lonely(plan), nil
	}
	return nil, nil
}

// alike are the items that have the size of a message which is gone and whose header is known.
func alike(items []Item, gone []uidl.Entry) []Pair {
	bySize := make(map[int64]uidl.Entry, len(gone))
	for _, e := range gone {
		if tells(e.Header) {
			bySize[e.Size] = e
		}
	}
	var pairs []Pair
	for _, m := range items {
		if e, ok := bySize[m.Size]; ok && m.Size > 0 {
			pairs = append(pairs, Pair{e, m})
		}
	}
	return pairs
}

// lonely are the pairs of a message that is newly gone and one that is new, of which no other has
// the size.
func lonely(plan Plan) []Pair {
	gone, fresh := make(map[int64][]uidl.Entry), make(map[int64][]Item)
	for _, e := range plan.Missing {
		gone[e.Size] = append(gone[e.Size], e)
	}
	for _, m := range plan.Retrieve {
		fresh[m.Size] = append(fresh[m.Size], m)
	}
	var pairs []Pair
	for size, items := range fresh {
		if size > 0 && len(items) == 1 && len(gone[size]) == 1 {
			pairs = append(pairs, Pair{gone[size][0], items[0]})
		}
	}
	return pairs
}
