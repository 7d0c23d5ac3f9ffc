package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"
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
	ctx, stop := untilSignal(ctx, func() { log.Info("finishing what is under way") })
	defer stop()
	p, err := open(ctx, o, nil)
	if signalled(ctx) != nil {
		return nil
	}
	if err != nil {
		return err
	}
	poller := p.poller()
	poller.Notify = newEventLog(log).tell
	if o.detail == trace {
		poller.Trace = tellTrace(out.stderr)
	}
	log.Info("polling", "accounts", len(p.accounts), "configuration", p.config.Path, "state", p.config.State)
	poller.Run(ctx, p.accounts)
	return p.close()
}
