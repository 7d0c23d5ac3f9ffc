package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/internal/config"
	"popsync/internal/term"
	"popsync/uidl"
)

func uidlVerifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "read the whole database, and say whether it is sound",
		UsageText: `popsync uidl verify         sound (0), or every fault and where it is (73)
popsync uidl verify --good  the same of the last good copy`,
		Description: `Every fetch and run checks what it reads. This reads everything, and changes nothing.
The good copy, state.db.good, is made once a day of a state that was found to be sound.`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "good", Usage: "verify the last good copy instead"},
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
			return runUIDLVerify(c.Context, uidlVerifyOptions{common: o, good: c.Bool("good"), json: c.Bool("json")}, newOutput(o))
		},
	}
}

type uidlVerifyOptions struct {
	common
	good bool
	json bool
}

func runUIDLVerify(ctx context.Context, o uidlVerifyOptions, out output) error {
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	r, err := o.verify(ctx)
	if err != nil {
		return notBegun(out, o.json, "uidl verify", afterSignal(ctx, err))
	}
	err = r.err()
	if o.json {
		return writeJSON(out.stdout, r.document(), err)
	}
	if o.detail == quiet {
		return err
	}
	return both(r.print(out.stdout), err)
}

// verify asks whoever holds the state, or else reads it: it may be too damaged to be held.
func (o uidlVerifyOptions) verify(ctx context.Context) (reportWire, error) {
	t, err := newTaskOfState(o.common, "uidl verify")
	if err != nil {
		return reportWire{}, err
	}
	if o.good {
		return verifyGood(ctx, t)
	}
	r, err := uidl.Verify(ctx, t.config.State, uidl.Options{Wait: time.Nanosecond})
	if is[*uidl.HeldError](err) {
		return perform(ctx, t, verifyOperation, struct{}{}, ignore)
	}
	return reportWireOf(t.config, r), err
}

func verifyGood(ctx context.Context, t *task) (reportWire, error) {
	r, err := uidl.Verify(ctx, goodCopy(t.config.State), uidl.Options{})
	if errors.Is(err, fs.ErrNotExist) {
		err = &advised{
			fmt.Errorf("good copy %s: is not there%w", goodCopy(t.config.State), hidden{err}),
			"popsync makes one, once a day, at the end of a fetch and while it runs",
		}
	}
	return reportWireOf(t.config, r), err
}

var verifyOperation = operation[struct{}, struct{}, reportWire]{
	name: "uidl verify",
	do: func(ctx context.Context, h *holder, _ struct{}, _ func(struct{}) error) (reportWire, error) {
		r, err := h.store.Verify(ctx)
		return reportWireOf(h.config, r), err
	},
}

// A reportWire is what is in a state and what is wrong with it, on its way from one process to another.
type reportWire struct {
	Path      string
	Size      int64
	Version   int
	Mailboxes []summaryWire
	Faults    []uidl.Fault
}

func reportWireOf(cfg *config.Config, r uidl.Report) reportWire {
	w := reportWire{Path: r.Path, Size: r.Size, Version: r.Version, Faults: r.Faults}
	for _, s := range r.Mailboxes {
		w.Mailboxes = append(w.Mailboxes, summaryWireOf(cfg, s))
	}
	return w
}

// err is nil for a sound state. The faults themselves are told beside it.
func (w reportWire) err() error {
	if len(w.Faults) == 0 {
		return nil
	}
	return &advised{
		&uidl.DamageError{Path: w.Path, Err: errors.New(term.Count(len(w.Faults), "fault"))},
		"popsync uidl repair --dry-run says what can be saved",
	}
}

// print writes a line that says that it is sound, or one a fault.
func (w reportWire) print(s term.Screen) error {
	var b strings.Builder
	for _, f := range w.Faults {
		b.WriteString(term.Escape(f.String()) + "\n")
	}
	if len(w.Faults) == 0 {
		fmt.Fprintf(&b, "state %s is sound: %s; %s, version %d\n", term.Escape(w.Path), contents(w.Mailboxes), term.Bytes(w.Size), w.Version)
	}
	_, err := io.WriteString(s, b.String())
	return err
}

// contents are the sums over all mailboxes, in words.
func contents(all []summaryWire) string {
	var records, intents, events int
	for _, m := range all {
		records += m.records()
		intents += m.Intents
		events += m.History
	}
	texts := []string{
		mailboxesText(len(all)),
		term.Count(records, "record"),
		term.Count(intents, "intent"),
		term.Count(events, "event") + " of history",
	}
	return strings.Join(texts, ", ")
}

type reportJSON struct {
	Path    string      `json:"path"`
	Sound   bool        `json:"sound"`
	Size    int64       `json:"size"`
	Version int         `json:"version,omitempty"`
	Faults  []faultJSON `json:"faults,omitempty"`
}

type faultJSON struct {
	Mailbox string `json:"mailbox,omitempty"`
	Message string `json:"message"`
}

func (w reportWire) json() reportJSON {
	j := reportJSON{Path: w.Path, Sound: len(w.Faults) == 0, Size: w.Size, Version: w.Version}
	for _, f := range w.Faults {
		j.Faults = append(j.Faults, faultJSON{term.Escape(f.Where), term.Escape(f.What)})
	}
	return j
}

func (w reportWire) document() document[summaryJSON] {
	d := document[summaryJSON]{Command: "uidl verify", State: w.json()}
	for _, m := range w.Mailboxes {
		d.Accounts = append(d.Accounts, m.json(w.Path))
	}
	return d
}
