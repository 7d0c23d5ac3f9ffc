package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/internal/term"
	"popsync/uidl"
)

func uidlRepairCommand() *cli.Command {
	return &cli.Command{
		Name:  "repair",
		Usage: "make a sound database of a damaged one and of its last good copy",
		UsageText: `popsync uidl repair --dry-run   what can be saved, and what is lost
popsync uidl repair             and do it, after a question`,
		Description: `What can be read of the database is joined with what the last good copy knows. Messages that
neither knows are new: the next fetch brings them again. The damaged file is not removed, and
its new name is told. A sound database stays as it is (0).`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be saved, and change nothing"},
			yesFlag(),
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			if err := noWords(c); err != nil {
				return err
			}
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runUIDLRepair(c.Context, uidlRepairOptions{
				common: o, dryRun: c.Bool("dry-run"), yes: c.Bool("yes"), json: c.Bool("json"),
			}, newOutput(o))
		},
	}
}

type uidlRepairOptions struct {
	common
	dryRun bool
	yes    bool
	json   bool
}

func runUIDLRepair(ctx context.Context, o uidlRepairOptions, out output) error {
	ctx, stop := untilSignal(ctx, out.newLine)
	defer stop()
	r, err := o.repair(ctx, out)
	switch {
	case err != nil:
		return notBegun(out, o.json, "uidl repair", afterSignal(ctx, err))
	case o.json:
		return writeJSON(out.stdout, document[struct{}]{Command: "uidl repair", DryRun: o.dryRun, State: r.json()}, nil)
	case o.detail == quiet:
		return nil
	}
	_, err = io.WriteString(out.stdout, r.text())
	return err
}

// A repair is one that was done, or that would be.
type repair struct {
	uidl.Repaired
	path string
	done bool
	kept bool // by who was asked
}

// repair does it once somebody who knows what is lost has said yes. The state is not held while
// he thinks.
func (o uidlRepairOptions) repair(ctx context.Context, out output) (repair, error) {
	t, err := newTask(o.common, "uidl repair")
	if err != nil {
		return repair{}, err
	}
	r := repair{path: t.config.State}
	if err := r.run(ctx, true); err != nil || r.Sound || o.dryRun {
		return r, err
	}
	if !o.yes {
		if !o.json {
			_, _ = io.WriteString(out.stderr, r.text())
		}
		yes, err := o.confirm(ctx, question{text: "repair it so", command: "popsync uidl repair --yes"})
		if err != nil || !yes {
			r.kept = true
			return r, err
		}
	}
	return r, r.run(ctx, false)
}

// run does it, or says what it would do. Nobody can hold a damaged state for us.
func (r *repair) run(ctx context.Context, dry bool) (err error) {
	r.Repaired, err = uidl.Repair(ctx, r.path, uidl.RepairOptions{DryRun: dry, Now: time.Now()})
	if _, missing := os.Lstat(r.path); errors.Is(err, fs.ErrNotExist) && errors.Is(missing, fs.ErrNotExist) {
		return noState(r.path, err)
	}
	r.done = err == nil && !dry && !r.Sound
	return err
}

// text says what was done, or would be.
func (r repair) text() string {
	path := term.Escape(r.path)
	switch {
	case r.Sound:
		return "state " + path + " is sound; there is nothing to repair\n"
	case r.kept:
		return "state " + path + " stays as it is\n"
	}
	saved, moved := "can be saved", "would be moved to"
	if r.done {
		saved, moved = "are saved", "lies now in"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "state %s: %s of %s %s", path, term.Count(r.Records, "record"), mailboxesText(r.Mailboxes), saved)
	if r.FromGood > 0 {
		fmt.Fprintf(&b, ", %d of them from the last good copy", r.FromGood)
	}
	b.WriteByte('\n')
	for _, lost := range r.Lost {
		b.WriteString("  " + term.Escape(lost) + "\n")
	}
	if len(r.Lost) > 0 {
		b.WriteString("messages that are not known any more are fetched again, if they are still on the server\n")
	}
	if r.Moved != "" {
		fmt.Fprintf(&b, "the damaged file %s %s\n", moved, term.Escape(r.Moved))
	}
	return b.String()
}

func mailboxesText(n int) string {
	if n == 1 {
		return "1 mailbox"
	}
	return fmt.Sprintf("%d mailboxes", n)
}

type repairJSON struct {
	Path      string   `json:"path"`
	Repaired  bool     `json:"repaired"`
	Sound     bool     `json:"sound"` // it was: there was nothing to do
	Records   int      `json:"records"`
	FromGood  int      `json:"from_good"`
	Mailboxes int      `json:"mailboxes"`
	Lost      []string `json:"lost,omitempty"`
	Damaged   string   `json:"damaged_file,omitempty"`
}

func (r repair) json() repairJSON {
	j := repairJSON{
		Path: r.path, Repaired: r.done, Sound: r.Sound,
		Records: r.Records, FromGood: r.FromGood, Mailboxes: r.Mailboxes, Damaged: r.Moved,
	}
	for _, lost := range r.Lost {
		j.Lost = append(j.Lost, term.Escape(lost))
	}
	return j
}
