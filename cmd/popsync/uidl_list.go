package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"popsync/internal/term"
	"popsync/uidl"
)

func uidlListCommand() *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "what the database knows: all mailboxes, or the messages of one",
		ArgsUsage: "[ACCOUNT]",
		UsageText: `popsync uidl list                       a line a mailbox
popsync uidl list work                  a line a message: state, size, since when, UID
popsync uidl list work --state failed   those that are to be tried again
popsync uidl list alice@pop.example.org:995
                                        a mailbox that is no account's any more`,
		Description: `States: delivered; deleted (delivered, then deleted on the server); seen (marked without
fetching); imported (another program had it); quarantined (set aside); failed (tried in vain,
it will be fetched again). A message without a record is new.`,
		Flags: withCommon(
			&cli.StringFlag{Name: "state", Usage: "only messages in `STATE`, or in several: failed,seen"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runUIDLList(c.Context, uidlListOptions{
				common: o, words: c.Args().Slice(), states: c.String("state"), json: c.Bool("json"),
			}, newOutput(o))
		},
	}
}

type uidlListOptions struct {
	common
	words  []string // an account or a mailbox, at most one
	states string   // with commas; empty: all
	json   bool
}

func runUIDLList(ctx context.Context, o uidlListOptions, out output) error {
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	states, err := o.check()
	if err != nil {
		return notBegun(out, o.json, "uidl list", err)
	}
	t, err := newTaskOfState(o.common, "uidl list", o.words...)
	switch {
	case err != nil:
		return notBegun(out, o.json, "uidl list", err)
	case len(o.words) == 0:
		return listMailboxes(ctx, t, o, out)
	}
	return listRecords(ctx, t, o, recordsQuery{o.words[0], states}, out)
}

// check refuses what cannot be listed.
func (o uidlListOptions) check() (states []uidl.State, err error) {
	switch {
	case len(o.words) > 1:
		return nil, &usageError{"one account at a time, or none", "popsync uidl list ACCOUNT"}
	case o.states == "":
		return nil, nil
	case len(o.words) == 0:
		return nil, &usageError{"--state is for the messages of an account", "popsync uidl list ACCOUNT --state " + o.states}
	}
	for name := range strings.SplitSeq(o.states, ",") {
		state, ok := stateNamed(name)
		if !ok {
			return nil, &usageError{
				"--state: " + quoted(name) + " is none of " + strings.Join(stateNames[1:], ", ") + didYouMean(name, stateNames[1:]),
				"see popsync uidl list --help",
			}
		}
		states = append(states, state)
	}
	return states, nil
}

// The mailboxes.

var summariesOperation = operation[struct{}, summaryWire, struct{}]{
	name: "uidl list",
	do: func(ctx context.Context, h *holder, _ struct{}, emit func(summaryWire) error) (struct{}, error) {
		all, err := h.store.Summaries(ctx)
		if err != nil {
			return struct{}{}, err
		}
		for _, s := range all {
			if err := emit(summaryWireOf(h.config, s)); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	},
}

func listMailboxes(ctx context.Context, t *task, o uidlListOptions, out output) error {
	var all []summaryWire
	_, err := perform(ctx, t, summariesOperation, struct{}{}, func(s summaryWire) error {
		all = append(all, s)
		return nil
	})
	if err != nil {
		return notBegun(out, o.json, "uidl list", err)
	}
	var damage several
	for _, s := range all {
		if err := s.err(t.config.State); err != nil {
			damage = append(damage, err)
		}
	}
	if o.json {
		d := document[summaryJSON]{Command: "uidl list"}
		for _, s := range all {
			d.Accounts = append(d.Accounts, s.json(t.config.State))
		}
		return writeJSON(out.stdout, d, both(damage...))
	}
	return both(both(damage...), printMailboxes(out.stdout, all, t))
}

func printMailboxes(s term.Screen, all []summaryWire, t *task) error {
	if len(all) == 0 {
		_, err := fmt.Fprintf(s, "state %s knows no mailbox yet; the first fetch begins\n", term.Escape(t.config.State))
		return err
	}
	accounts := make(map[string]bool)
	for _, a := range t.config.Accounts {
		accounts[a.Name] = true
	}
	table := term.Table{Columns: []term.Column{
		{Name: "account"}, {Name: "mailbox"}, {Name: "records", Right: true}, {Name: "of them"}, {Name: "last poll", Spare: true}, {Name: ""},
	}}
	for _, m := range all {
		table.Rows = append(table.Rows, []term.Cell{
			{Text: term.Escape(m.Account)},
			{Text: term.Escape(mailboxName(m.Mailbox))},
			{Text: strconv.Itoa(m.records())},
			{Text: m.states()},
			{Text: stampText(m.Poll.Ended)},
			m.remarks(accounts),
		})
	}
	return table.Print(s)
}

// The messages of one.

type recordsQuery struct {
	Mailbox string       // as it was named
	States  []uidl.State // none: all
}

var recordsOperation = operation[recordsQuery, recordWire, place]{
	name: "uidl list ACCOUNT",
	do: func(ctx context.Context, h *holder, q recordsQuery, emit func(recordWire) error) (place, error) {
		p, err := h.placeOf(ctx, q.Mailbox)
		if err != nil {
			return place{}, err
		}
		box, err := h.at(ctx, p)
		if err != nil {
			return p, err
		}
		return p, box.each(ctx, func(e uidl.Entry) error {
			if len(q.States) > 0 && !slices.Contains(q.States, e.State) {
				return nil
			}
			return emit(recordWireOf(e))
		})
	},
}

func listRecords(ctx context.Context, t *task, o uidlListOptions, q recordsQuery, out output) error {
	if o.json {
		return recordsDocument(ctx, t, q, out)
	}
	lines := &recordLines{screen: out.stdout, w: bufio.NewWriter(out.stdout)}
	p, err := perform(ctx, t, recordsOperation, q, lines.add)
	if err == nil && lines.n == 0 && o.detail > quiet && out.watched() {
		_, err = fmt.Fprintf(out.stderr, "%s: no such message is known\n", term.Escape(p.name()))
	}
	return both(err, lines.w.Flush())
}

// recordLines are a table of which the next line comes as it comes: there may be a million, so that
// what has no certain width, the UID, stands last. A narrow terminal gets fewer columns.
type recordLines struct {
	screen term.Screen
	w      *bufio.Writer
	n      int
}

func (l *recordLines) add(r recordWire) error {
	if l.n++; l.n == 1 {
		heading := l.columns("state", "size", "since", "not listed since", "UID")
		if _, err := l.w.WriteString(l.screen.Paint(term.Heading, heading) + "\n"); err != nil {
			return err
		}
	}
	line := l.columns(stateName(r.State), sizeText(r.Size), stampText(r.Changed), stampText(r.MissingSince), refText(r.UID, r.Rank))
	state := len(stateNames[uidl.Quarantined]) // the longest
	_, err := l.w.WriteString(l.screen.Paint(styleOf(r.State), line[:state]) + line[state:] + "\n")
	return err
}

func (l *recordLines) columns(state, size, since, missing, uid string) string {
	width := 0
	if l.screen.Size != nil {
		width, _ = l.screen.Size()
	}
	text := fmt.Sprintf("%-11s  %7s", state, size)
	if width == 0 || width >= 60 {
		text += fmt.Sprintf("  %-16s", since)
	}
	if width == 0 || width >= 80 {
		text += fmt.Sprintf("  %-16s", missing)
	}
	text += "  " + uid
	if width > 0 {
		text = term.Cut(l.screen, text, width)
	}
	return text
}

func styleOf(s uidl.State) term.Style {
	switch s {
	case uidl.Failed, uidl.Quarantined:
		return term.Bad
	case uidl.Unknown, uidl.Delivered, uidl.Deleted, uidl.Seen, uidl.Imported:
	}
	return term.Plain
}

func recordsDocument(ctx context.Context, t *task, q recordsQuery, out output) error {
	d := openJSON(out.stdout, "uidl list", "records")
	p, err := perform(ctx, t, recordsOperation, q, func(r recordWire) error { return d.add(recordJSONOf(r)) })
	var about []place
	if p != (place{}) {
		about = append(about, p)
	}
	return d.end(about, err)
}
