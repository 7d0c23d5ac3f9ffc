package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/fetch"
	"popsync/internal/term"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "poll for ever, each account at its own interval",
		UsageText: `popsync run                  a log line for each poll with news, and for each failure
popsync run -v               a line an event, polls without news too
popsync run -q               failures only`,
		Description: `Polls all enabled accounts until SIGTERM or SIGINT, which end it in order within 5 s with
exit status 0. A failure ends nothing; one that stays is logged once an hour.

The log goes to standard error. Where that is the systemd journal, lines begin with their
priority and carry no time of their own.`,
		Flags: withCommon(),
		Action: func(c *cli.Context) error {
			if err := noWords(c); err != nil {
				return err
			}
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runRun(c.Context, o, newOutput(o))
		},
	}
}

func runRun(ctx context.Context, o common, out output) error {
	log := newLog(out.stderr, levelOf(o.detail), isJournal(os.Stderr, os.Getenv("JOURNAL_STREAM")))
	t, err := newTask(o, "run")
	if err != nil {
		return err
	}
	r := &runner{task: t, log: log}
	ctx, stop := untilSignal(ctx, func() {
		if r.polling.Load() {
			log.Info("finishing what is under way")
		}
	})
	defer stop()
	if err := r.prepare(ctx, out); err != nil {
		return unlessSignalled(ctx, err)
	}
	return unlessSignalled(ctx, t.withState(ctx, false, func(h *holder) error { return r.run(ctx, h) }, r.standAside(ctx)))
}

// unlessSignalled is err, or nil where it is only that run was told to end.
func unlessSignalled(ctx context.Context, err error) error {
	if signalled(ctx) != nil {
		return nil
	}
	return err
}

// A runner polls for ever.
type runner struct {
	task    *task
	log     *slog.Logger
	polling atomic.Bool
	broken  chan struct{} // gets a value when the state cannot be written any more
}

// prepare finds the accounts and asks for what nothing gives.
func (r *runner) prepare(ctx context.Context, out output) error {
	t := r.task
	if err := t.choose(nil); err != nil {
		return err
	}
	if len(t.chosen) == 0 {
		return &configError{fmt.Errorf("%s: no account is enabled", t.config.Path), "there is nothing to poll: take out enabled: false"}
	}
	if t.detail == trace {
		t.trace = tellTrace(out.stderr)
	}
	t.say = func(text string) { r.log.Info(term.Escape(text)) }
	r.broken = make(chan struct{}, 1)
	tell, forget := newEventLog(r.log).tell, forgetting(t.asker.Forget)
	t.notify = func(ev fetch.Event) {
		tell(ev)
		forget(ev)
		if ev.Kind == fetch.Ended && ev.Result.StateBroken {
			select {
			case r.broken <- struct{}{}:
			default:
			}
		}
	}
	return t.askFirst(ctx)
}

// standAside waits for a fetch that holds the state; another run ends this one.
func (r *runner) standAside(ctx context.Context) func(*neighbour) error {
	return func(n *neighbour) error { return n.standAside(ctx, r.task, errRuns) }
}

// run polls until ctx ends. A state that cannot be written any more is opened again: what it holds
// is not known until then.
func (r *runner) run(ctx context.Context, h *holder) error {
	t := r.task
	for {
		if text := h.note(); text != "" {
			r.log.Warn(text)
		}
		if h.deaf != nil {
			r.log.Warn("other commands have to wait: " + term.Escape(h.deaf.Error()))
		}
		accounts := h.all(t.chosen)
		r.polling.Store(true)
		r.log.Info("polling", "accounts", len(accounts), "configuration", t.config.Path, "state", t.config.State)
		broken := r.pollUntilBroken(ctx, h, accounts)
		err := h.close(ctx)
		if !broken {
			return err
		}
		if h, err = r.reopen(ctx); h == nil {
			return err
		}
	}
}

// goodEvery is how often it is looked whether the last good copy of the state is a day old.
const goodEvery = time.Hour

// pollUntilBroken says why the polling ended.
func (r *runner) pollUntilBroken(ctx context.Context, h *holder, accounts []fetch.Account) (broken bool) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	select {
	case <-r.broken: // of the state before
	default:
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-r.broken:
			broken = true
			stop()
		case <-ctx.Done():
		}
	}()
	defer every(goodEvery, func() { h.keepGood(ctx) })()
	h.poller.Run(ctx, accounts)
	stop()
	<-watched
	return broken
}

// reopenAfter is the pause before the state is opened again, and between two attempts.
const reopenAfter = time.Minute

// reopen opens the state again as soon as that can be done. It returns nil once ctx ends, and an
// error where another run has the state by now.
func (r *runner) reopen(ctx context.Context) (h *holder, err error) {
	r.log.Error("the state cannot be used as it is; it is opened again", "in", reopenAfter)
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(reopenAfter):
		}
		if _, err := os.Stat(r.task.config.State); err != nil { // a new one would fetch everything again
			r.log.Error("the state cannot be found", "error", err, "hint", "put it back, or restart popsync run to begin anew")
			continue
		}
		own := func(got *holder) error { h = got; return nil }
		err = r.task.withState(ctx, false, own, r.standAside(ctx))
		if h != nil || is[*neighbourError](err) {
			return h, err
		}
		for _, f := range explain(err) {
			r.log.Error(f.message, "hint", f.hint)
		}
	}
}
