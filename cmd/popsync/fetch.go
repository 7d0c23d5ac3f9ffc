package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/urfave/cli/v2"

	"popsync/fetch"
	"popsync/internal/term"
)

func fetchCommand() *cli.Command {
	return &cli.Command{
		Name:      "fetch",
		Usage:     "one poll of all accounts, or of those named",
		ArgsUsage: "[ACCOUNT...]",
		UsageText: `popsync fetch                every account; what cron calls
popsync fetch work home      two of them, also where they are not enabled
popsync fetch --dry-run      what would be fetched and deleted; nothing is changed
popsync fetch --json         one JSON document, also on failure`,
		Description: `Fetches what is new, delivers it, and deletes from the server what the account's
"keep" gives up. Nothing is deleted before it is safe on disk.

Silent when all is well and no terminal is attached. On a terminal: progress on standard
error, a table on standard output. Failures: two lines on standard error, what failed and
what to do; the other accounts go on. Exit status: popsync help exit-codes`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "now", Usage: "ask also where a pause, or the time between two log-ins, forbids it"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be fetched and deleted, and change nothing"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON document to standard output"},
			&cli.BoolFlag{Name: "progress", Usage: "without a terminal, tell every 30 s how far it is"},
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runFetch(c.Context, fetchOptions{
				common:   o,
				accounts: c.Args().Slice(),
				now:      c.Bool("now"),
				dryRun:   c.Bool("dry-run"),
				json:     c.Bool("json"),
				progress: c.Bool("progress"),
			}, newOutput(o))
		},
	}
}

type fetchOptions struct {
	common
	accounts []string // names; none: all that are enabled
	now      bool
	dryRun   bool
	json     bool
	progress bool
}

func runFetch(ctx context.Context, o fetchOptions, out output) error {
	v := newView(o, out)
	t, err := newTask(o.common, "fetch") // until here a signal ends the program at once
	ctx, stop := untilSignal(ctx, v.finishing)
	defer stop()
	if err == nil {
		err = t.choose(o.accounts)
	}
	if err == nil {
		err = t.askFirst(ctx)
	}
	f := newFetching(t, o, v, out)
	if err == nil {
		err = f.all(ctx)
	}
	if err != nil && !(v.begun.Load() && signalledBy(err)) {
		if o.json {
			return withJSON(out.stdout, "fetch", err)
		}
		return err
	}
	err = reportFetch(o, out, f.results(), fetchError(ctx, f.results(), out.watched() || o.detail > normal))
	return both(err, f.finish(ctx))
}

// reportFetch writes what was asked for to standard output; err is returned with what went
// wrong meanwhile.
func reportFetch(o fetchOptions, out output, results []fetch.Result, err error) error {
	switch {
	case o.json:
		d := document[resultJSON]{Command: "fetch", DryRun: o.dryRun, Accounts: resultsJSON(results)}
		if s, ok := errors.AsType[*signalError](err); ok {
			d.Error = commandError(s)
		}
		return writeJSON(out.stdout, d, err)
	case o.detail > quiet && (o.dryRun || out.watched()):
		return both(err, printSummary(out.stdout, results, o.dryRun))
	}
	return err
}

type resultJSON struct {
	Name    string     `json:"name"`
	New     int        `json:"new"`
	Bytes   int64      `json:"bytes"`
	Deleted int        `json:"deleted"`
	Left    int        `json:"left"`
	Large   int        `json:"too_large,omitempty"`
	Skipped string     `json:"skipped,omitempty"`
	Error   *errorJSON `json:"error,omitempty"`
}

func resultsJSON(results []fetch.Result) []resultJSON {
	accounts := make([]resultJSON, len(results))
	for i, r := range results {
		accounts[i] = resultJSON{r.Account, r.New, r.Bytes, r.Deleted, r.Left, r.TooLarge, r.Skipped, nil}
		if r.Err != nil {
			accounts[i].Error = explainPoll(r.Err).json()
		}
	}
	return accounts
}

// A known failure is one that its user has been told of lately. Cron would mail it every minute, so
// only its exit status is left.
type known struct{ err *fetch.Error }

func (k known) Error() string { return k.err.Error() }
func (k known) Unwrap() error { return k.err }

// fetchError joins the accounts' failures in the configuration's order. A signal comes first,
// and stands for the accounts that it interrupted. Those that are known are told where somebody
// asks.
func fetchError(ctx context.Context, results []fetch.Result, asked bool) error {
	var failed several
	var unfinished []string
	sig := signalled(ctx)
	for _, r := range results {
		switch {
		case r.Err == nil:
		case sig != nil && r.Err.Kind == fetch.Interrupted:
			unfinished = append(unfinished, r.Account)
		case r.Err.Repeated && !asked:
			failed = append(failed, known{r.Err})
		default:
			failed = append(failed, r.Err)
		}
	}
	if sig != nil {
		sig.unfinished = unfinished
		return both(sig, both(failed...))
	}
	return both(failed...)
}

// A view is what a fetch shows while it goes on.
type view struct {
	w       io.Writer // standard error, above what is redrawn there
	screen  term.Screen
	readers []func(fetch.Event)
	trace   func(account, line string)
	start   func()
	stop    func() // nothing is left behind
	begun   atomic.Bool
}

// begin is start, from where on there is something to finish. Only the first one counts.
func (v *view) begin() {
	if !v.begun.Swap(true) {
		v.start()
	}
}

func newView(o fetchOptions, out output) *view {
	v := &view{w: out.stderr, screen: out.stderr, start: func() {}, stop: func() {}}
	switch {
	case o.detail == quiet:
	case out.stderr.Redraw:
		v.showLive()
	case o.progress:
		p := new(progress)
		v.readers = append(v.readers, p.tell)
		v.start = func() { v.stop = p.repeat(repeatEvery, plainLines(v.w)) }
	}
	switch o.detail {
	case quiet:
	case normal:
		v.readers = append(v.readers, tellWarnings(v.w, out.watched()))
	case trace:
		v.trace = tellTrace(v.w)
		fallthrough
	case verbose:
		v.readers = append(v.readers, newEventLog(newLog(v.w, levelOf(o.detail), false)).tell)
	}
	return v
}

// showLive redraws progress in place. After Ctrl-Z and fg it begins anew below what the shell wrote.
func (v *view) showLive() {
	p, live := new(progress), term.NewLive(v.screen)
	v.w = live
	v.readers = append(v.readers, p.tell)
	v.start = func() {
		resumed := make(chan os.Signal, 1)
		signal.Notify(resumed, syscall.SIGCONT)
		end := p.repeat(redrawEvery, func(lines []string) {
			select {
			case <-resumed:
				live.Renew()
			default:
			}
			live.Show(lines)
		})
		v.stop = func() {
			end()
			signal.Stop(resumed)
			live.Show(nil)
		}
	}
}

func (v *view) tell(ev fetch.Event) {
	for _, r := range v.readers {
		r(ev)
	}
}

// finishing answers the first Ctrl-C.
func (v *view) finishing() {
	if v.screen.Terminal && v.begun.Load() {
		_, _ = io.WriteString(v.w, "finishing what is under way; press Ctrl-C again to end at once\n")
	}
}

// tellWarnings writes what is worth knowing though nothing failed; to a person also what was not done.
func tellWarnings(w io.Writer, watched bool) func(fetch.Event) {
	return func(ev fetch.Event) {
		if ev.Kind == fetch.Warned || ev.Kind == fetch.Skipped && watched {
			_, _ = fmt.Fprintln(w, strings.Join([]string{ev.Account, term.Escape(ev.Server), term.Escape(ev.Text)}, ": "))
		}
	}
}
