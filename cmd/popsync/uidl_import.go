package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"popsync/internal/config"
	"popsync/internal/shell"
	terminal "popsync/internal/term"
	"popsync/uidl"
)

func uidlImportCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "know messages that another program, or another machine, has had",
		ArgsUsage: "ACCOUNT [FILE | -]",
		UsageText: `popsync uidl import work seen.txt          plain text, a UID a line
popsync uidl export work | ssh new popsync uidl import --restore work -
                                           an export, as it was on the other machine`,
		Description: `What is imported is not fetched, and never deleted on the server. An export has several
mailboxes: that with the account's server and user is taken, or with its name. What is known
already stays as it is. A file with a mistake is refused as a whole (64), with its lines.

--restore keeps the states of an export: with keep: false, what had been delivered there and
still lies on the server is deleted by the next fetch here.`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "restore", Usage: "keep the states of an export: this machine takes the other's place"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runUIDLImport(c.Context, uidlImportOptions{
				common: o, words: c.Args().Slice(), restore: c.Bool("restore"), json: c.Bool("json"), stdin: os.Stdin,
			}, newOutput(o))
		},
	}
}

type uidlImportOptions struct {
	common
	words   []string // an account, and perhaps a file
	restore bool
	json    bool
	stdin   *os.File
}

type importedJSON struct {
	Name     string `json:"name"`
	Imported int    `json:"imported"`
	Known    int    `json:"known"` // that were so already, and stay as they are
}

func runUIDLImport(ctx context.Context, o uidlImportOptions, out output) error {
	sums, err := o.importFile(ctx, out)
	switch {
	case err != nil:
		return notBegun(out, o.json, "uidl import", err)
	case o.json:
		d := document[importedJSON]{Command: "uidl import"}
		d.Accounts = []importedJSON{{o.words[0], sums.New, sums.Known}}
		return writeJSON(out.stdout, d, nil)
	case o.detail == quiet:
		return nil
	}
	text := terminal.Count(sums.New, "message") + " imported"
	if sums.Known > 0 {
		text += fmt.Sprintf(", %d known already", sums.Known)
	}
	_, err = fmt.Fprintf(out.stdout, "%s: %s\n", o.words[0], text)
	return err
}

// importFile reads the whole file before anything of it is imported. Until then a signal ends the
// program at once.
func (o uidlImportOptions) importFile(ctx context.Context, out output) (importSums, error) {
	if len(o.words) == 0 || len(o.words) > 2 {
		return importSums{}, &usageError{"which account, and which file?", "popsync uidl import ACCOUNT FILE"}
	}
	t, err := newTask(o.common, "uidl import")
	if err == nil {
		err = t.choose(o.words[:1])
	}
	if err != nil {
		return importSums{}, err
	}
	a := t.chosen[0]
	got, err := o.readFile(a)
	if err != nil {
		return importSums{}, err
	}
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	sums, err := importRecords(ctx, t, got, o.restore)
	if err == nil && o.restore && o.detail > quiet {
		warnRestored(out, a, got.Records)
	}
	return sums, afterSignal(ctx, err)
}

// readFile is what is to be imported.
func (o uidlImportOptions) readFile(a config.Account) (imported, error) {
	file, name, err := o.open()
	if err != nil {
		return imported{}, err
	}
	defer file.Close()
	got, err := readImport(file, name, a.Name, mailboxOf(a))
	switch {
	case err != nil:
		return imported{}, err
	case o.restore && !got.Export:
		return imported{}, &usageError{name + ": is plain text, which has no states to restore", "leave --restore out"}
	case !o.restore:
		got.Listed, got.Records = false, importedOnly(got.Records)
	}
	return got, nil
}

// open is the file, or standard input.
func (o uidlImportOptions) open() (file *os.File, name string, err error) {
	path := ""
	if len(o.words) == 2 {
		path = o.words[1]
	}
	switch {
	case path == "" && term.IsTerminal(int(o.stdin.Fd())):
		name := shell.Quote(o.words[0])
		return nil, "", &usageError{"which file? or - for what you type", "popsync uidl import " + name + " FILE"}
	case path == "" || path == "-":
		return o.stdin, "standard input", nil
	}
	file, err = os.Open(path)
	if err == nil {
		var info os.FileInfo
		if info, err = file.Stat(); err == nil && info.IsDir() {
			err = errors.New("is a folder")
		}
	}
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		err = pe.Err
	}
	if err != nil {
		file.Close()
		return nil, "", &usageError{fmt.Sprintf("%s: %v", path, err), "give an export, or a text with a UID a line"}
	}
	return file, path, nil
}

// importedOnly are records of messages that somebody else has had: neither fetched nor deleted.
func importedOnly(records []recordWire) []recordWire {
	var had []recordWire
	for _, w := range records {
		if w.State.Had() {
			w.Record = uidl.Record{State: uidl.Imported, Size: w.Size, Header: w.Header, Shared: w.Shared}
			had = append(had, w)
		}
	}
	return had
}

// warnRestored says what restored states lead to.
func warnRestored(out output, a config.Account, records []recordWire) {
	n := 0
	for _, w := range records {
		if w.State == uidl.Delivered {
			n++
		}
	}
	if n > 0 && !a.Keep {
		_, _ = fmt.Fprintf(out.stderr, "%s: keep is false: %s that had been delivered elsewhere will be deleted on the server by the next fetch\n",
			a.Name, terminal.Count(n, "message"))
	}
}

// importRecords has whoever holds the state take the records. That is one change of it where this
// process does; to another one they pass in parts.
func importRecords(ctx context.Context, t *task, got imported, restore bool) (sums importSums, err error) {
	rest := got.Records
	query := func(n int) importQuery {
		return importQuery{t.chosen[0].Name, rest[:n], restore, got.Listed && n == len(rest)}
	}
	own := func(h *holder) error {
		part, err := importOperation.do(ctx, h, query(len(rest)), ignore)
		sums = sums.plus(part)
		return both(afterSignal(ctx, err), h.close(ctx))
	}
	far := func(neighbour *neighbour) error {
		n := fitting(rest)
		answer, err := ask(ctx, neighbour, t, importOperation.name, query(n), ignore)
		if err != nil {
			return err
		}
		var part importSums
		if err := json.Unmarshal(answer, &part); err != nil {
			return err
		}
		sums = sums.plus(part)
		if rest = rest[n:]; len(rest) > 0 {
			return errAgain
		}
		return nil
	}
	err = t.withState(ctx, false, own, far)
	return sums, err
}

// fitting is how many of records pass to another process at once.
func fitting(records []recordWire) int {
	const most = 3 << 20 // octets
	n, size := 0, 0
	for n < len(records) {
		if size += 240 + len(records[n].UID)*4/3; size > most && n > 0 {
			break
		}
		n++
	}
	return n
}

type importQuery struct {
	Account string
	Records []recordWire
	Restore bool
	Listed  bool // its first complete poll has been
}

type importSums struct {
	New, Known int
}

func (s importSums) plus(t importSums) importSums {
	return importSums{s.New + t.New, s.Known + t.Known}
}

var importOperation = operation[importQuery, struct{}, importSums]{
	name: "uidl import",
	do: func(ctx context.Context, h *holder, q importQuery, _ func(struct{}) error) (importSums, error) {
		p, err := h.configured(q.Account)
		if err != nil {
			return importSums{}, err
		}
		box, leave, err := h.alone(ctx, p)
		if err != nil {
			return importSums{}, err
		}
		defer leave()
		fresh, err := withoutKnown(ctx, box, q.Records)
		if err != nil {
			return importSums{}, err
		}
		poll, err := box.Poll(ctx)
		if err != nil {
			return importSums{}, err
		}
		c := importChange(fresh, q.Restore, uidl.At(time.Now()))
		if q.Listed && !poll.Listed {
			poll.Listed = true
			c.Poll = &poll
		}
		return importSums{len(fresh), len(q.Records) - len(fresh)}, box.Commit(ctx, c)
	},
}

// withoutKnown are the records, sorted, of messages that box has none of.
func withoutKnown(ctx context.Context, box openBox, records []recordWire) ([]recordWire, error) {
	known := make([]bool, len(records))
	err := box.each(ctx, func(e uidl.Entry) error {
		if i, there := slices.BinarySearchFunc(records, recordWireOf(e), compareRecords); there {
			known[i] = true
		}
		return nil
	})
	var fresh []recordWire
	for i, w := range records {
		if !known[i] {
			fresh = append(fresh, w)
		}
	}
	return fresh, err
}

// importChange is the change that makes records known.
func importChange(records []recordWire, restore bool, now uidl.Stamp) uidl.Change {
	var c uidl.Change
	for _, w := range records {
		e := w.entry()
		note := "as " + stateName(w.State)
		if !restore {
			e.Changed, note = now, ""
		}
		c.Update = append(c.Update, e)
		c.History = append(c.History, uidl.Event{At: now, What: uidl.HistoryImported, Ref: e.Ref, Size: e.Size, Note: note})
	}
	return c
}
