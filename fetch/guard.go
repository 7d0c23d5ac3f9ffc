package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

// guard looks for known messages that are there under new UIDs, before they are fetched again.
// A whole mailbox that seems to have moved is left alone until its user has said what it is
// (W15). A server that gives new UIDs at every poll is named; from the second time on, what is
// known by size and header takes its new UID instead of coming again (W16). Sizes alone never keep
// a message from being fetched, but for that of a whole mailbox.
func (s *session) guard(ctx context.Context, plan *Plan, had []uidl.Entry) error {
	suspicion, again := Suspect(*plan, had), s.last.Renumbered > 0
	s.renumbered = 0
	if !suspicion.Migrated() && !suspicion.Renewed(again) {
		return nil
	}
	found, err := s.compare(ctx, suspicion.Telling(), plan.Missing, again)
	if err != nil {
		return err
	}
	switch {
	case found.unproven() && suspicion.Plain(),
		found.proven() && suspicion.Migrated() && (!again || len(suspicion.Alike)-len(found.known) >= mostRenewed):
		s.renumbered = s.last.Renumbered
		return s.renumberedMailbox(suspicion)
	case again && len(found.known) > 0:
		s.renumbered = s.last.Renumbered + 1
		s.rename(plan, found.known)
		s.note(s.newUIDs(len(found.known)))
	case found.unproven():
		s.warnOfNewUIDs(suspicion)
	case found.proven():
		s.renumbered = 1
		s.tell(Event{Kind: Warned, Text: "the server has new UIDs for " + plural(suspicion.Gone, "message") + " that were fetched before; they come once more"})
	}
	return nil
}

// ErrRenumbered says that a mailbox was left alone because all of it seems to have new UIDs.
var ErrRenumbered = errors.New("renumbered")

// renumberedMailbox leaves a mailbox alone.
func (s *session) renumberedMailbox(suspicion Suspicion) *Error {
	return &Error{
		Step: "list", Kind: Protocol,
		Err: fmt.Errorf("%w: %d of %s are gone, and %d others, mostly of the same sizes, are there", ErrRenumbered,
			suspicion.Gone, plural(suspicion.Known, "known message"), suspicion.Unknown),
		Hint: "nothing was fetched, so that no mail comes twice; if the mailbox has moved or got new UIDs: popsync uidl rebind " + s.account.Name,
	}
}

// warnOfNewUIDs says, once a day, what cannot be proved: there are no headers to compare, so all of it
// is fetched.
func (s *session) warnOfNewUIDs(suspicion Suspicion) {
	told := s.now().Sub(s.last.RenumberTold.Time())
	if told >= 0 && told < toldAgain {
		return
	}
	s.last.RenumberTold = uidl.At(s.now())
	s.tell(Event{Kind: Warned, Text: "all " + plural(suspicion.Gone, "known message") +
		" are gone, and others of the same sizes are there: if the server gives new UIDs at every poll, everything comes again each time"})
}

// newUIDs names a server that gives new UIDs at every poll; once a day aloud.
func (s *session) newUIDs(n int) *Error {
	e := &Error{
		Step: "list", Kind: Protocol, Err: fmt.Errorf("the server gives the same %s new UIDs at every poll", plural(n, "message")),
		Hint: "they are known by size and header and not fetched again; keep: false, or another way to the mailbox, would be safer",
	}
	told := s.now().Sub(s.last.RenumberTold.Time())
	if e.Repeated = told >= 0 && told < toldAgain; !e.Repeated {
		s.last.RenumberTold = uidl.At(s.now())
	}
	return e
}

// A comparison is what the headers of new messages say of those that are gone.
type comparison struct {
	known    []Pair // the same messages
	asked    int
	answered int // with a header that tells
}

// unproven says whether nobody can tell from it.
func (c comparison) unproven() bool { return c.asked == 0 || 2*c.answered < c.asked }

// proven says whether most are the same messages.
func (c comparison) proven() bool { return !c.unproven() && 2*len(c.known) >= c.answered }

// compare asks for the headers of pairs, or of a sample of them, and looks for each among all that
// is gone. On servers where TOP may count as retrieval it asks for none.
func (s *session) compare(ctx context.Context, pairs []Pair, gone []uidl.Entry, all bool) (comparison, error) {
	if !all {
		pairs = pairs[:min(samples, len(pairs))]
	}
	if len(pairs) == 0 || s.dryRun || s.quitCommits() || !s.canTOP() {
		return comparison{}, nil
	}
	headers, err := s.headers(ctx, itemsOf(pairs))
	if err != nil {
		return comparison{}, err
	}
	c := comparison{asked: len(pairs)}
	for _, digest := range headers {
		if tells(digest) {
			c.answered++
		}
	}
	free := byHeader(gone)
	for _, p := range pairs {
		if e, ok := free.take(p.New.Size, headers[p.New.Number]); ok {
			c.known = append(c.known, Pair{e, p.New})
		}
	}
	return c, nil
}

// A headerIndex has records by size and header, each to be taken once.
type headerIndex map[headerName][]uidl.Entry

type headerName struct {
	size   int64
	header uint64
}

func byHeader(gone []uidl.Entry) headerIndex {
	index := make(headerIndex, len(gone))
	for _, e := range gone {
		if tells(e.Header) {
			name := headerName{e.Size, e.Header}
			index[name] = append(index[name], e)
		}
	}
	return index
}

func (h headerIndex) take(size int64, header uint64) (uidl.Entry, bool) {
	same := h[headerName{size, header}]
	if len(same) == 0 {
		return uidl.Entry{}, false
	}
	h[headerName{size, header}] = same[1:]
	return same[0], true
}

func itemsOf(pairs []Pair) []Item {
	items := make([]Item, len(pairs))
	for i, p := range pairs {
		items[i] = p.New
	}
	return items
}

// restOfTOP is how long a server that went away, or hung, at TOP is not asked it again.
const restOfTOP = pipeliningRest

// canTOP says whether the server may be asked for headers.
func (s *session) canTOP() bool {
	rest := s.now().Sub(s.last.NoTOP.Time())
	return s.last.NoTOP.IsZero() || rest < 0 || rest > restOfTOP
}

// headers asks with TOP for the headers of items and returns the digests of those that the server
// gave, by message number.
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
		} else {
			s.putOff = s.putOff || s.refused("ask for headers", refusal).Kind == Busy
		}
		return nil
	})
	if err != nil {
		s.topFailed = ctx.Err() == nil
		return nil, s.step("ask for headers", err)
	}
	return digests, nil
}

// rename gives known messages the names under which they are listed now.
func (s *session) rename(plan *Plan, known []Pair) {
	renamed := make(map[int32]bool, len(known))
	moved, kept := make(map[uidl.Ref]bool, len(known)), make(map[uidl.Ref]bool, len(known))
	for _, p := range known {
		e := renamedEntry(p)
		renamed[p.New.Number], moved[p.Gone.Ref], kept[e.Ref] = true, true, true
		s.unsaved.Update = append(s.unsaved.Update, e)
	}
	for ref := range moved {
		if !kept[ref] { // else another message has that name now
			s.unsaved.Forget = append(s.unsaved.Forget, ref)
		}
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
