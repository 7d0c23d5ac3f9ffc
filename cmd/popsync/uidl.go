package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"popsync/fetch"
	"popsync/internal/term"
)

func uidlCommand() *cli.Command {
	return &cli.Command{
		Name:      "uidl",
		Usage:     "look after the UIDL database: what has been fetched",
		ArgsUsage: "COMMAND",
		UsageText: `popsync uidl list             which mailboxes it knows; with an account: which messages
popsync uidl forget work UID  have the next fetch bring a message again
popsync uidl verify           is it sound?`,
		Description: `All but rebind do without network and passwords. All but repair work while another popsync,
such as popsync run, has the database: that one is asked.`,
		Flags: withCommon(),
		Subcommands: []*cli.Command{
			uidlListCommand(),
			uidlForgetCommand(),
			uidlMoveCommand(),
			rebindCommand(),
			uidlVerifyCommand(),
			uidlRepairCommand(),
			uidlCompactCommand(),
			uidlExportCommand(),
			uidlImportCommand(),
		},
	}
}

// uidlServices are what a holder does for these commands of other processes, and for log.
func uidlServices() []service {
	return []service{
		summariesOperation.service(),
		recordsOperation.service(),
		forgetOperation.service(),
		moveOperation.service(),
		rebindOperation.service(),
		verifyOperation.service(),
		compactOperation.service(),
		exportOperation.service(),
		importOperation.service(),
		logOperation.service(),
	}
}

func rebindCommand() *cli.Command {
	return &cli.Command{
		Name:      "rebind",
		Usage:     "know the messages of a mailbox again that has got new UIDs",
		ArgsUsage: "ACCOUNT",
		UsageText: `popsync uidl rebind --dry-run work   how many messages it would know again
popsync uidl rebind work             and do it; the next fetch brings the rest`,
		Description: `For a mailbox that has moved to another server, or that its server has renumbered: then fetch
stops with "renumbered", so that no mail comes twice. Messages are known again by size and, where
the server has TOP, by header. Nothing is fetched, and nothing is deleted.`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be known again, and change nothing"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON document to standard output"},
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runRebind(c.Context, rebindOptions{
				common: o, accounts: c.Args().Slice(), dryRun: c.Bool("dry-run"), json: c.Bool("json"),
			}, newOutput(o))
		},
	}
}

type rebindOptions struct {
	common
	accounts []string // one
	dryRun   bool
	json     bool
}

type rebindJSON struct {
	Name    string     `json:"name"`
	Known   int        `json:"known"`   // messages that are not there under the UIDs that are known
	Unknown int        `json:"unknown"` // messages that are there and not known
	Matched int        `json:"matched"` // of both
	Error   *errorJSON `json:"error,omitempty"`
}

func runRebind(ctx context.Context, o rebindOptions, out output) error {
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	r, err := rebind(ctx, o, out)
	if o.json {
		return rebindDocument(o, out, r, err)
	}
	if err != nil || o.detail == quiet {
		return err
	}
	_, err = fmt.Fprintf(out.stdout, "%s: %s\n", o.accounts[0], rebound(r, o.dryRun))
	return err
}

// rebound is what was done, in words.
func rebound(r fetch.Rebinding, dryRun bool) string {
	done, rest := "are known again", "the next fetch brings "
	if dryRun {
		done, rest = "would be known again", "a fetch would bring "
	}
	text, other := fmt.Sprintf("%d of %s that had gone %s", r.Matched, term.Count(r.Known, "message"), done), "the other "
	if r.Known == 0 {
		text, other = "nothing to do: all known messages are listed under their UIDs", ""
	}
	if n := r.Unknown - r.Matched; n > 0 {
		text += "; " + rest + other + strconv.Itoa(n)
	}
	return text
}

func rebindDocument(o rebindOptions, out output, r fetch.Rebinding, err error) error {
	if failures := explain(err); err != nil && (len(failures) == 0 || failures[0].step == "") {
		return withJSON(out.stdout, "uidl rebind", err)
	}
	j := rebindJSON{Name: o.accounts[0], Known: r.Known, Unknown: r.Unknown, Matched: r.Matched}
	if failures := explain(err); len(failures) > 0 {
		j.Error = failures[0].json()
	}
	d := document[rebindJSON]{Command: "uidl rebind", DryRun: o.dryRun, Accounts: []rebindJSON{j}}
	return writeJSON(out.stdout, d, err)
}

func rebind(ctx context.Context, o rebindOptions, out output) (fetch.Rebinding, error) {
	if len(o.accounts) != 1 {
		return fetch.Rebinding{}, &usageError{"which account? one name is needed", "popsync uidl rebind ACCOUNT"}
	}
	t, err := newTask(o.common, "uidl rebind")
	if err != nil {
		return fetch.Rebinding{}, err
	}
	if err := t.choose(o.accounts); err != nil {
		return fetch.Rebinding{}, err
	}
	if err := t.askFirst(ctx); err != nil {
		return fetch.Rebinding{}, err
	}
	q := rebindQuery{Account: o.accounts[0], DryRun: o.dryRun, Trace: o.detail == trace}
	show := tellTrace(out.stderr)
	return perform(ctx, t, rebindOperation, q, func(line string) error {
		show(o.accounts[0], line)
		return nil
	})
}

type rebindQuery struct {
	Account string
	DryRun  bool
	Trace   bool
}

var rebindOperation = operation[rebindQuery, string, fetch.Rebinding]{
	name:  "uidl rebind",
	lossy: true, // the wire, while the mailbox is locked
	do: func(ctx context.Context, h *holder, q rebindQuery, emit func(string) error) (fetch.Rebinding, error) {
		chosen, err := h.config.Select([]string{q.Account})
		if err != nil {
			return fetch.Rebinding{}, err
		}
		r := fetch.Request{DryRun: q.DryRun}
		if q.Trace {
			r.Trace = func(_, line string) { _ = emit(line) }
		}
		found, failed := h.poller.Rebind(ctx, h.account(chosen[0]), r)
		if failed != nil {
			return found, failed
		}
		return found, nil
	},
}
