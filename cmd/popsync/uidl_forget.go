package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/internal/shell"
	"popsync/internal/term"
	"popsync/uidl"
)

func uidlForgetCommand() *cli.Command {
	return &cli.Command{
		Name:      "forget",
		Usage:     "forget messages, so that the next fetch brings them again",
		ArgsUsage: "ACCOUNT UID...",
		UsageText: `popsync uidl forget work uid-17 uid-18    these two come again
popsync uidl forget work --all --dry-run  how many that would be
popsync uidl forget work --all            everything that lies on the server comes again`,
		Description: `Their records go, and nothing else: what was delivered stays where it is, and on the server
nothing is deleted. UIDs are written as uidl list and log show them. One that is not known is
an error (64), and nothing is forgotten then.`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "all", Usage: "forget all messages of the account, after a question"},
			yesFlag(),
			&cli.BoolFlag{Name: "dry-run", Usage: "say how many would be forgotten, and change nothing"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runUIDLForget(c.Context, uidlForgetOptions{
				common: o, words: c.Args().Slice(), all: c.Bool("all"), yes: c.Bool("yes"), dryRun: c.Bool("dry-run"), json: c.Bool("json"),
			}, newOutput(o))
		},
	}
}

type uidlForgetOptions struct {
	common
	words  []string // an account or a mailbox, then UIDs
	all    bool
	yes    bool
	dryRun bool
	json   bool
}

func (o uidlForgetOptions) check() error {
	switch {
	case len(o.words) == 0:
		return &usageError{"which account, and which messages?", "popsync uidl forget ACCOUNT UID..."}
	case o.all && len(o.words) > 1:
		return &usageError{"--all contradicts " + quoted(o.words[1]), "see popsync uidl forget --help"}
	case !o.all && len(o.words) == 1:
		return &usageError{"which messages? UIDs, or --all", "popsync uidl list " + shell.Quote(o.words[0]) + " shows the UIDs"}
	}
	return nil
}

type forgottenJSON struct {
	placeJSON
	Forgotten int `json:"forgotten"`
}

func runUIDLForget(ctx context.Context, o uidlForgetOptions, out output) error {
	ctx, stop := untilSignal(ctx, out.newLine)
	defer stop()
	found, err := o.forget(ctx)
	switch {
	case err != nil:
		return notBegun(out, o.json, "uidl forget", err)
	case o.json:
		d := document[forgottenJSON]{Command: "uidl forget", DryRun: o.dryRun}
		d.Accounts = []forgottenJSON{{found.Place.json(), found.Forgotten}}
		return writeJSON(out.stdout, d, nil)
	case o.detail == quiet:
		return nil
	}
	text := term.Escape(found.Place.name()) + ": " + term.Count(found.Forgotten, "message") + " "
	switch {
	case found.Kept:
		text += "stay as they are"
	case o.dryRun:
		text += "would be forgotten"
	default:
		text += "forgotten; the next fetch brings again what lies on the server"
	}
	_, err = fmt.Fprintln(out.stdout, text)
	return err
}

// forget does it once it is known how many messages it is about, and somebody has said yes.
func (o uidlForgetOptions) forget(ctx context.Context) (forgotten, error) {
	if err := o.check(); err != nil {
		return forgotten{}, err
	}
	t, err := newTaskOfState(o.common, "uidl forget", o.words[0])
	if err != nil {
		return forgotten{}, err
	}
	q := forgetQuery{Mailbox: o.words[0], All: o.all, DryRun: o.dryRun || o.all && !o.yes}
	for _, uid := range o.words[1:] {
		q.UIDs = append(q.UIDs, []byte(uid))
	}
	found, err := perform(ctx, t, forgetOperation, q, ignore)
	if err == nil {
		err = found.err(o.words[0])
	}
	if err != nil || o.dryRun || !q.DryRun {
		return found, err
	}
	name := shell.Quote(o.words[0])
	yes, err := o.confirm(ctx, question{
		text:    fmt.Sprintf("forget all %s of %s, so that the next fetch brings them again", term.Count(found.Forgotten, "message"), name),
		command: "popsync uidl forget --all --yes " + name,
	})
	if err != nil || !yes {
		found.Kept = true
		return found, err
	}
	q.DryRun = false
	return perform(ctx, t, forgetOperation, q, ignore)
}

// ignore is for operations without events.
func ignore(struct{}) error { return nil }

type forgetQuery struct {
	Mailbox string // as it was named
	UIDs    [][]byte
	All     bool
	DryRun  bool
}

type forgotten struct {
	Place     place
	Forgotten int
	Unknown   [][]byte // UIDs that no record has: nothing is forgotten then
	Kept      bool     // by who was asked
}

// err says that there are no such messages.
func (f forgotten) err(word string) error {
	if len(f.Unknown) == 0 {
		return nil
	}
	var uids []string
	for i, uid := range f.Unknown {
		if i == 5 {
			uids = append(uids, fmt.Sprintf("and %d more", len(f.Unknown)-i))
			break
		}
		uids = append(uids, quoted(string(uid)))
	}
	return &usageError{
		f.Place.name() + ": not known: UID " + strings.Join(uids, ", ") + "; nothing was forgotten",
		"popsync uidl list " + shell.Quote(word) + " shows the UIDs that are",
	}
}

var forgetOperation = operation[forgetQuery, struct{}, forgotten]{
	name: "uidl forget",
	do: func(ctx context.Context, h *holder, q forgetQuery, _ func(struct{}) error) (forgotten, error) {
		p, err := h.placeOf(ctx, q.Mailbox)
		if err != nil {
			return forgotten{}, err
		}
		box, leave, err := h.alone(ctx, p)
		if err != nil {
			return forgotten{Place: p}, err
		}
		defer leave()
		chosen, unknown, err := chooseRecords(ctx, box, q)
		found := forgotten{Place: p, Forgotten: len(chosen), Unknown: unknown}
		if err != nil || q.DryRun || len(unknown) > 0 {
			return found, err
		}
		return found, box.Commit(ctx, forgetRecords(chosen, uidl.At(time.Now())))
	},
}

// chooseRecords are those of the UIDs, or all. A UID is raw, or else as it is shown.
func chooseRecords(ctx context.Context, box openBox, q forgetQuery) (chosen []uidl.Entry, unknown [][]byte, err error) {
	found := make(map[string][]uidl.Entry, len(q.UIDs)) // by what they were called
	for _, uid := range q.UIDs {
		found[string(uid)] = nil
	}
	shown := make(map[string][]uidl.Entry)
	err = box.each(ctx, func(e uidl.Entry) error {
		text := term.Escape(e.UID)
		if q.All {
			chosen = append(chosen, e)
		} else if _, ok := found[e.UID]; ok {
			found[e.UID] = append(found[e.UID], e)
		} else if _, ok := found[text]; ok {
			shown[text] = append(shown[text], e)
		}
		return nil
	})
	for uid, entries := range found {
		if len(entries) == 0 {
			entries = shown[uid]
		}
		if len(entries) == 0 {
			unknown = append(unknown, []byte(uid))
		}
		chosen = append(chosen, entries...)
	}
	slices.SortFunc(unknown, bytes.Compare)
	return chosen, unknown, err
}

// forgetRecords is the change that does it.
func forgetRecords(records []uidl.Entry, now uidl.Stamp) uidl.Change {
	var c uidl.Change
	for _, e := range records {
		c.Forget = append(c.Forget, e.Ref)
		c.History = append(c.History, uidl.Event{At: now, What: uidl.HistoryForgotten, Ref: e.Ref, Size: e.Size})
	}
	return c
}
