package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/internal/term"
	"popsync/uidl"
)

func uidlExportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write what the database knows as text, a JSON object a line",
		ArgsUsage: "[ACCOUNT...]",
		UsageText: `popsync uidl export > uidl.jsonl       all mailboxes, also of accounts that are gone
popsync uidl export work | ssh new popsync uidl import --restore work -
                                       what work has had, on another machine too`,
		Description: `For popsync uidl import, and for other programs: each UID with its state, size and times. The
format is in popsync(1). History and what is being delivered are not in it: finish the latter
first, with popsync fetch.`,
		Flags: withCommon(),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runUIDLExport(c.Context, o, c.Args().Slice(), newOutput(o))
		},
	}
}

func runUIDLExport(ctx context.Context, o common, words []string, out output) error {
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	t, err := newTaskOfState(o, "uidl export", words...)
	if err != nil {
		return err
	}
	e := newExportWriter(out.stdout)
	if err := e.begin(time.Now()); err != nil {
		return err
	}
	_, err = perform(ctx, t, exportOperation, exportQuery{words}, func(x exported) error {
		if x.Record != nil {
			return e.record(*x.Record)
		}
		if n := x.Intents; n > 0 && o.detail > quiet {
			_, _ = fmt.Fprintf(out.stderr, "%s: %s being delivered, and not in the export\n", term.Escape(x.Mailbox.name()), term.Count(n, "message"))
		}
		return e.mailbox(x.Mailbox.Account, x.Mailbox.Mailbox, x.Listed)
	})
	if err != nil {
		return err
	}
	return e.end()
}

type exportQuery struct {
	Mailboxes []string // as they were named; none: all
}

// What is exported is a mailbox, or a record of the last one.
type exported struct {
	Mailbox *place      `json:",omitempty"`
	Listed  bool        `json:",omitempty"`
	Intents int         `json:",omitempty"`
	Record  *recordWire `json:",omitempty"`
}

var exportOperation = operation[exportQuery, exported, struct{}]{
	name: "uidl export",
	do: func(ctx context.Context, h *holder, q exportQuery, emit func(exported) error) (struct{}, error) {
		places, err := h.placesOf(ctx, q.Mailboxes)
		if err != nil {
			return struct{}{}, err
		}
		for _, p := range places {
			if err := h.export(ctx, p, emit); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	},
}

// placesOf are the mailboxes that words name, each once, or all of the state.
func (h *holder) placesOf(ctx context.Context, words []string) ([]place, error) {
	if len(words) == 0 {
		return h.places(ctx)
	}
	var places []place
	for _, word := range words {
		p, err := h.placeOf(ctx, word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	return places, nil
}

func (h *holder) export(ctx context.Context, p place, emit func(exported) error) error {
	box, err := h.at(ctx, p)
	if err != nil {
		return err
	}
	poll, err := box.Poll(ctx)
	if err != nil {
		return err
	}
	intents, err := box.Intents(ctx)
	if err != nil {
		return err
	}
	if err := emit(exported{Mailbox: &p, Listed: poll.Listed, Intents: len(intents)}); err != nil {
		return err
	}
	return box.each(ctx, func(e uidl.Entry) error {
		w := recordWireOf(e)
		return emit(exported{Record: &w})
	})
}
