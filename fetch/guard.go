package fetch

import (
	"context"
	"fmt"
	"slices"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

// guard looks for known messages that are there under new UIDs, before they are fetched again.
// A whole mailbox that seems to have moved is left alone until its user has said what it is
// (W15). A server that gives new UIDs at every poll is named; from the second time on, what is
// known by size and header takes its new UID instead of coming again (W16). Sizes alone never keep
// a message from being fetched.
func (s *session) guard(ctx context.Context, plan *Plan, had []uidl.Entry) error {
	suspicion := Suspect(*plan, had)
	if !suspicion.Migrated() && !suspicion.Renewed() {
		s.renumbered = 0
		return nil
	}
	again := s.last.Renumbered > 0
	asked := suspicion.Alike
	if !again {
		asked = asked[:min(samples, len(asked))]
	}
	known, compared, err := s.recognize(ctx, asked, plan.Missing)
	if err != nil {
		return err
	}
	switch {
	case compared && 2*len(known) < len(asked):
		s.renumbered = 0 // others of the same sizes
		return nil
	case again && compared:
		s.renumbered = s.last.Renumbered + 1
		s.rename(plan, known)
		s.note(&Error{
			Step: "list", Kind: Protocol, Err: fmt.Errorf("the server gives the same %s new UIDs at every poll", plural(len(known), "message")),
			Hint: "they are known by size and header and not fetched again; keep: false, or another way to the mailbox, would be safer",
		})
		return nil
	case suspicion.Migrated():
		return &Error{
			Step: "list", Kind: Protocol,
			Err: fmt.Errorf("renumbered: %d of %s are gone, and %d others, mostly of the same sizes, are there",
				suspicion.Gone, plural(suspicion.Known, "known message"), suspicion.Unknown),
			Hint: "nothing was fetched, so that no mail comes twice; if the mailbox has moved or got new UIDs: popsync uidl rebind " + s.account.Name,
		}
	}
	s.renumbered = 1
	s.tell(Event{Kind: Warned, Text: "the server has new UIDs for " + plural(suspicion.Gone, "message") + " that were fetched before; they come once more"})
	return nil
}

// recognize compares the headers of what is new with those of gone messages of the same size.
// compared is false where there is nothing to compare: the server refuses TOP, or the records
// have no digests.
func (s *session) recognize(ctx context.Context, pairs []Pair, gone []uidl.Entry) (known []Pair, compared bool, err error) {
	type name struct {
		size   int64
		header uint64
	}
	byName := make(map[name][]uidl.Entry, len(gone))
	for _, e := range gone {
		if e.Header != 0 {
			byName[name{e.Size, e.Header}] = append(byName[name{e.Size, e.Header}], e)
			compared = true
		}
	}
	if !compared || s.dryRun || s.quitCommits() { // whether TOP counts as retrieval there is not known
		return pairs, false, nil
	}
	headers, err := s.headers(ctx, itemsOf(pairs))
	if err != nil {
		return nil, false, err
	}
	for _, p := range pairs {
		n := name{p.New.Size, headers[p.New.Number]}
		if same := byName[n]; len(same) > 0 {
			known = append(known, Pair{same[0], p.New})
			byName[n] = same[1:]
		}
	}
	return known, len(headers) > 0 || len(pairs) == 0, nil
}

func itemsOf(pairs []Pair) []Item {
	items := make([]Item, len(pairs))
	for i, p := range pairs {
		items[i] = p.New
	}
	return items
}

// headers asks with TOP for the headers of items and returns their digests by message number.
// What the server refuses is not in it.
func (s *session) headers(ctx context.Context, items []Item) (map[int32]uint64, error) {
	digests := make(map[int32]uint64, len(items))
	wanted := func(yield func(pop3.Message) bool) {
		for _, m := range items {
			if !yield(m.Message) {
				return
			}
		}
	}
	err := s.client.Top(ctx, wanted, func(m pop3.Message, header []byte, refusal *pop3.ResponseError) error {
		if refusal == nil {
			digests[m.Number] = headerDigest(header)
		}
		return nil
	})
	if err != nil {
		return nil, s.step("ask for headers", err)
	}
	return digests, nil
}

// rename gives known messages the names under which they are listed now.
func (s *session) rename(plan *Plan, known []Pair) {
	renamed := make(map[int32]bool, len(known))
	moved := make(map[uidl.Ref]bool, len(known))
	for _, p := range known {
		renamed[p.New.Number], moved[p.Gone.Ref] = true, true
		s.unsaved.Update = append(s.unsaved.Update, renamedEntry(p))
		s.unsaved.Forget = append(s.unsaved.Forget, p.Gone.Ref)
	}
	plan.Retrieve = slices.DeleteFunc(plan.Retrieve, func(m Item) bool { return renamed[m.Number] })
	plan.Missing = slices.DeleteFunc(plan.Missing, func(e uidl.Entry) bool { return moved[e.Ref] })
}

// renamedEntry is the record of a message that was gone, under its new name.
func renamedEntry(p Pair) uidl.Entry {
	e := uidl.Entry{Ref: p.New.Ref(), Record: p.Gone.Record}
	e.MissingSince = 0
	return e
}
