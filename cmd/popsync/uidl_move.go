package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"popsync/internal/shell"
	"popsync/internal/term"
)

func uidlMoveCommand() *cli.Command {
	return &cli.Command{
		Name:      "move",
		Usage:     "give an account the records of another mailbox",
		ArgsUsage: "FROM ACCOUNT",
		UsageText: `popsync uidl move alice@pop.example.org:995 work   work has another user name now
popsync uidl move old work                         work takes the place of the account old`,
		Description: `FROM is a mailbox as uidl list shows it, or an account. Its records, its history and what is
under way become those of ACCOUNT, so that the mail which it has had does not come again; the
UIDs have to be the same there (else: uidl rebind). ACCOUNT must not have records yet. An
account that only has another name, or another host or port, needs none of this: fetch sees it.`,
		Flags: withCommon(yesFlag(), jsonFlag()),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runUIDLMove(c.Context, uidlMoveOptions{common: o, words: c.Args().Slice(), yes: c.Bool("yes"), json: c.Bool("json")}, newOutput(o))
		},
	}
}

type uidlMoveOptions struct {
	common
	words []string // a mailbox, and an account
	yes   bool
	json  bool
}

type movedJSON struct {
	placeJSON
	From    string `json:"from"`
	Records int    `json:"records"`
}

func runUIDLMove(ctx context.Context, o uidlMoveOptions, out output) error {
	ctx, stop := untilSignal(ctx, out.newLine)
	defer stop()
	m, err := o.move(ctx)
	from := mailboxName(m.From.Mailbox)
	switch {
	case err != nil:
		return notBegun(out, o.json, "uidl move", err)
	case o.json:
		d := document[movedJSON]{Command: "uidl move"}
		d.Accounts = []movedJSON{{m.To.json(), from, m.Records}}
		return writeJSON(out.stdout, d, nil)
	case o.detail == quiet:
		return nil
	case !m.Done:
		_, err = fmt.Fprintf(out.stdout, "%s: nothing was moved\n", m.To.Account)
		return err
	}
	_, err = fmt.Fprintf(out.stdout, "%s: %s of %s taken over\n", m.To.Account, term.Count(m.Records, "record"), term.Escape(from))
	return err
}

// move does it at once where nobody is hurt, else after a question.
func (o uidlMoveOptions) move(ctx context.Context) (moved, error) {
	if len(o.words) != 2 {
		return moved{}, &usageError{"from which mailbox to which account? two names are needed", "popsync uidl move FROM ACCOUNT"}
	}
	t, err := newTaskOfState(o.common, "uidl move", o.words...)
	if err != nil {
		return moved{}, err
	}
	q := moveQuery{From: o.words[0], To: o.words[1], Anyway: o.yes}
	m, err := perform(ctx, t, moveOperation, q, ignore)
	if err != nil || m.Done {
		return m, err
	}
	yes, err := o.confirm(ctx, question{
		text: fmt.Sprintf("take the records from %s, which is still an account: its next fetch would bring again what lies on its server",
			m.From.Account),
		command: "popsync uidl move --yes " + shell.Quote(q.From) + " " + shell.Quote(q.To),
	})
	if err != nil || !yes {
		return m, err
	}
	q.Anyway = true
	return perform(ctx, t, moveOperation, q, ignore)
}

type moveQuery struct {
	From, To string // as they were named
	Anyway   bool   // also from an account that is still there
}

type moved struct {
	From, To place
	Records  int
	Done     bool // or else From is an account
}

var moveOperation = operation[moveQuery, struct{}, moved]{
	name: "uidl move",
	do: func(ctx context.Context, h *holder, q moveQuery, _ func(struct{}) error) (moved, error) {
		m, err := h.moving(ctx, q)
		if err != nil {
			return m, err
		}
		places := []place{m.From, m.To}
		// The same order for all, or two that move to and fro would wait for each other.
		slices.SortFunc(places, func(a, b place) int { return cmp.Compare(mailboxName(a.Mailbox), mailboxName(b.Mailbox)) })
		for _, p := range places {
			_, leave, err := h.alone(ctx, p)
			if err != nil {
				return m, err
			}
			defer leave()
		}
		if err := h.hasRoom(ctx, m); err != nil || m.From.Configured && !q.Anyway {
			return m, err
		}
		m.Records, err = h.store.Move(ctx, m.From.Mailbox, m.To.Mailbox, m.To.Account)
		m.Done = err == nil
		return m, err
	},
}

// moving is what is to be moved.
func (h *holder) moving(ctx context.Context, q moveQuery) (m moved, err error) {
	if m.To, err = h.configured(q.To); err != nil {
		return m, err
	}
	m.From, err = h.sourceOf(ctx, q.From, m.To)
	if err == nil && m.From.Mailbox == m.To.Mailbox {
		err = &usageError{mailboxName(m.From.Mailbox) + " is the mailbox of " + m.To.Account + " already", "there is nothing to do"}
	}
	return m, err
}

// sourceOf is the mailbox that word names, as placeOf finds it; but an account's own name means an
// earlier mailbox of it.
func (h *holder) sourceOf(ctx context.Context, word string, to place) (place, error) {
	if word != to.Account {
		return h.placeOf(ctx, word)
	}
	there, err := h.places(ctx)
	if err != nil {
		return place{}, err
	}
	var earlier []place
	for _, p := range there {
		if p.Account == word && p.Mailbox != to.Mailbox {
			earlier = append(earlier, p)
		}
	}
	switch len(earlier) {
	case 1:
		return earlier[0], nil
	case 0:
		return place{}, &usageError{"no earlier mailbox of " + word + " is known", "popsync uidl list shows those that are"}
	}
	return place{}, &usageError{word + " has had several mailboxes: " + placeNames(earlier), "name one of them"}
}

// hasRoom refuses a move from nothing, and to where something is, or is about to be.
func (h *holder) hasRoom(ctx context.Context, m moved) error {
	from, err := h.holds(ctx, m.From)
	if err != nil {
		return err
	}
	to, err := h.holds(ctx, m.To)
	if err != nil {
		return err
	}
	account, name := m.To.Account, mailboxName(m.From.Mailbox)
	join := "popsync uidl export " + shell.Quote(name) + " | popsync uidl import " + shell.Quote(account)
	switch sameUser := m.From.Account == account && m.From.Mailbox.User == m.To.Mailbox.User; {
	case from.stored == 0:
		return &usageError{name + " has no records", "popsync uidl list shows which mailboxes have some"}
	case to.stored > 0:
		return &usageError{
			fmt.Sprintf("%s has %s already; nothing was moved", account, term.Count(to.stored, "record")),
			"to join both: " + join + "; to do without its own first: popsync uidl forget --all " + shell.Quote(account),
		}
	case to.carried > 0 && !sameUser:
		return &usageError{
			fmt.Sprintf("%s has another server now, and its next fetch takes %s over; nothing was moved", account, term.Count(to.carried, "record")),
			"let it do so; to join both then: " + join,
		}
	}
	return nil
}

// A holding is how much there is in a mailbox: records, and what is under way.
type holding struct {
	stored  int
	carried int // records of an earlier mailbox, which the next fetch takes over
}

func (h *holder) holds(ctx context.Context, p place) (holding, error) {
	all, err := h.store.Summaries(ctx)
	if err != nil {
		return holding{}, err
	}
	for _, s := range all {
		if n := s.Records() + s.Intents; s.Mailbox == p.Mailbox && n > 0 {
			return holding{stored: n}, nil
		}
	}
	box, err := h.at(ctx, p)
	if err != nil {
		return holding{}, err
	}
	records, err := box.Records(ctx)
	return holding{carried: len(records)}, err
}
