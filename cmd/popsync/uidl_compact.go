package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"popsync/internal/term"
)

func uidlCompactCommand() *cli.Command {
	return &cli.Command{
		Name:      "compact",
		Usage:     "write the database anew without what is free in it",
		UsageText: `popsync uidl compact          how large it was, and how large it is now`,
		Description: `The file never shrinks by itself; what becomes free in it is used again. Nothing of what it
knows changes. It needs as much free space as the new file takes, beside the old one.`,
		Flags: withCommon(jsonFlag()),
		Action: func(c *cli.Context) error {
			if err := noWords(c); err != nil {
				return err
			}
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runUIDLCompact(c.Context, o, c.Bool("json"), newOutput(o))
		},
	}
}

// Sizes of the file of the state, in octets.
type compacted struct {
	Path   string `json:"path"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

var compactOperation = operation[struct{}, struct{}, compacted]{
	name: "uidl compact",
	do: func(ctx context.Context, h *holder, _ struct{}, _ func(struct{}) error) (compacted, error) {
		before, after, err := h.store.Compact(ctx)
		return compacted{h.config.State, before, after}, err
	},
}

func runUIDLCompact(ctx context.Context, o common, asJSON bool, out output) error {
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	t, err := newTaskOfState(o, "uidl compact")
	var c compacted
	if err == nil {
		c, err = perform(ctx, t, compactOperation, struct{}{}, ignore)
	}
	switch {
	case err != nil:
		return notBegun(out, asJSON, "uidl compact", err)
	case asJSON:
		return writeJSON(out.stdout, document[struct{}]{Command: "uidl compact", State: c}, nil)
	case o.detail == quiet:
		return nil
	}
	_, err = fmt.Fprintf(out.stdout, "state %s: %s before, %s now\n", term.Escape(c.Path), term.Bytes(c.Before), term.Bytes(c.After))
	return err
}
