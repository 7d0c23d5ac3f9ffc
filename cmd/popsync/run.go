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
	"popsync/internal/config"
	"popsync/internal/secret"
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
	cfg, _, err := load(o)
	if err != nil {
		return err
	}
	if chosen, err := cfg.Select(nil); err == nil && len(chosen) == 0 {
		return &configError{fmt.Errorf("%s: no account is enabled", cfg.Path), "there is nothing to poll: take out enabled: false"}
	}
	var polling atomic.Bool
	ctx, stop := untilSignal(ctx, func() {
		if polling.Load() {
			log.Info("finishing what is under way")
		}
	})
	defer stop()
	asker := newAsker(o)
	p, err := open(ctx, asker, cfg, nil, false)
	if signalled(ctx) != nil {
		return nil
	}
	if err != nil {
		return err
	}
	polling.Store(true)
	for {
		if text := p.note(); text != "" {
			log.Warn(text)
		}
		poller := p.poller()
		tell, forget := newEventLog(log).tell, forgetting(asker.Forget)
		poller.Notify = func(ev fetch.Event) { tell(ev); forget(ev) }
		if o.detail == trace {
			poller.Trace = tellTrace(out.stderr)
		}
		log.Info("polling", "accounts", len(p.accounts), "configuration", p.config.Path, "state", p.config.State)
		broken := runUntilBroken(ctx, poller, p.accounts)
		err := p.close()
		if !broken {
			return err
		}
		if p = reopen(ctx, asker, cfg, log); p == nil {
			return nil
		}
	}
}

// runUntilBroken polls until ctx ends, or the state cannot be written any more: what it holds is
// not known then, and only opening it again tells.
func runUntilBroken(ctx context.Context, poller *fetch.Poller, accounts []fetch.Account) (broken bool) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	tell := poller.Notify
	poller.Notify = func(ev fetch.Event) {
		tell(ev)
		if ev.Kind == fetch.Ended && ev.Result.StateBroken {
			broken = true
			stop()
		}
	}
	poller.Run(ctx, accounts)
	return broken
}

// reopenAfter is the pause before the state is opened again, and between two attempts.
const reopenAfter = time.Minute

// reopen opens everything again as soon as that can be done. It returns nil once ctx ends.
func reopen(ctx context.Context, asker *secret.Asker, cfg *config.Config, log *slog.Logger) *parts {
	for {
		log.Error("the state could not be written; it is opened again", "in", reopenAfter)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reopenAfter):
		}
		p, err := open(ctx, asker, cfg, nil, false)
		if err == nil {
			return p
		}
		for _, f := range explain(err) {
			log.Error(f.message, "hint", f.hint)
		}
	}
}
