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
// stay as they are.
func (p *Poller) Rebind(ctx context.Context, a Account) (Rebinding, *Error) {
	s, failed := p.session(ctx, a)
	if failed != nil {
		return Rebinding{}, s.fail(failed).Err
	}
	dry := s.dryRun
	s.dryRun = false // it is a look at the server all the same
	s.begin()
	soft, release := interruptible(ctx)
	defer release()
	hard, release := s.lingering(soft)
	defer release()
	r, err := s.rebind(soft, dry)
	s.leave(hard)
	s.note(err)
	return r, s.end().Err
}

func (s *session) rebind(ctx context.Context, dry bool) (Rebinding, error) {
	var err error
	if s.last, err = s.records.Poll(ctx); err != nil {
		return Rebinding{}, s.stateFailed(err)
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
	gone := absent(had, plan)
	matched, err := s.match(ctx, plan.Retrieve, gone)
	if err != nil {
		return Rebinding{}, err
	}
	r := Rebinding{Known: len(gone), Unknown: len(plan.Retrieve), Matched: len(matched)}
	if dry {
		return r, nil
	}
	s.rename(&plan, matched)
	s.unsaved.Update = append(append(s.unsaved.Update, plan.Missing...), plan.Back...)
	s.last.Renumbered, s.last.LoggedIn, s.last.Refusals = 1, uidl.At(s.loggedIn), uidl.Refusals{}
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

// match finds the messages of items that are among those gone. Without a header to compare, a
// size that only one message of each side has is taken for the same message.
func (s *session) match(ctx context.Context, items []Item, gone []uidl.Entry) ([]Pair, error) {
	bySize := make(map[int64][]uidl.Entry, len(gone))
	for _, e := range gone {
		bySize[e.Size] = append(bySize[e.Size], e)
	}
	like := make(map[int64]int)
	var asked, single []Pair
	for _, m := range items {
		if same := bySize[m.Size]; m.Size > 0 && len(same) > 0 {
			like[m.Size]++
			asked = append(asked, Pair{same[0], m})
		}
	}
	known, compared, err := s.recognize(ctx, asked, gone)
	if err != nil {
		return nil, err
	}
	for _, p := range asked {
		if e := bySize[p.New.Size]; len(e) == 1 && like[p.New.Size] == 1 && (!compared || e[0].Header == 0) {
			single = append(single, p)
		}
	}
	if !compared {
		return single, nil
	}
	return append(known, single...), nil
}
