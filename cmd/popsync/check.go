package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/secret"
	"popsync/internal/term"
	"popsync/uidl"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "is the configuration good; with --connect, does each log-in work",
		ArgsUsage: "[ACCOUNT...]",
		UsageText: `popsync check                every mistake of the configuration, with line and column
popsync check -v             which files are used, and why
popsync check --connect      logs in to each account and fetches nothing
popsync check --connect work to one`,
		Description: `With --connect: TLS, certificate and fingerprints, ways to log in and the one taken, what
the server can do, what lies there, and advice; with -v all capabilities, before and after.
Exit status: 78 where the configuration is wrong, else that of the first account that
fails; popsync help exit-codes`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "connect", Usage: "log in to each account; nothing is changed but the time of the log-in"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON document to standard output"},
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runCheck(c.Context, checkOptions{
				common:   o,
				accounts: c.Args().Slice(),
				connect:  c.Bool("connect"),
				json:     c.Bool("json"),
			}, newOutput(o))
		},
	}
}

type checkOptions struct {
	common
	accounts []string
	connect  bool
	json     bool
}

func runCheck(ctx context.Context, o checkOptions, out output) error {
	var connecting atomic.Bool
	ctx, stop := untilSignal(ctx, func() {
		if connecting.Load() {
			out.newLine()
		}
	})
	defer stop()
	c, err := newCheck(o)
	if err == nil && o.connect {
		if err = askFirst(ctx, c.chosen, c.accounts); err == nil {
			connecting.Store(true)
			c.connect(ctx, o.detail, out.stderr)
		}
	}
	if err != nil {
		if o.json {
			return withJSON(out.stdout, "check", err)
		}
		return err
	}
	if o.json {
		return c.writeJSON(out.stdout)
	}
	return c.print(o, out)
}

// A check is what was found out.
type check struct {
	config   *config.Config
	tried    []string // paths where a configuration was looked for
	chosen   []config.Account
	accounts []fetch.Account // the same
	probes   []probe         // of each account; nil without --connect
	err      error           // the probes' failures in the configuration's order
}

func newCheck(o checkOptions) (*check, error) {
	cfg, tried, err := load(o.common)
	if err != nil {
		return nil, err
	}
	c := &check{config: cfg, tried: tried}
	c.chosen, err = cfg.Select(o.accounts)
	if err != nil {
		return nil, err
	}
	c.accounts, err = accountsOf(cfg, c.chosen, newAsker(o.common))
	if err != nil {
		return nil, err
	}
	return c, nil
}

// connect asks the servers, as many at a time as a fetch would.
func (c *check) connect(ctx context.Context, d detail, w io.Writer) {
	p := &fetch.Poller{Store: stateAtHand(ctx, c.config.State), MaxParallel: c.config.MaxParallel, MaxPerHost: c.config.MaxPerHost}
	if p.Store != nil {
		defer p.Store.Close()
	}
	if d == trace {
		p.Trace = tellTrace(w)
	}
	probes, errs := p.Check(ctx, c.accounts)
	for i := range probes {
		c.probes = append(c.probes, newProbe(probes[i], errs[i]))
	}
	c.err = probesError(ctx, c.probes)
}

// stateAtHand is the state, which takes note of the log-ins so that the next fetch keeps to its
// provider's time between two of them; nil where there is none, or it cannot be had at once.
func stateAtHand(ctx context.Context, path string) *uidl.DB {
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	db, err := uidl.Open(ctx, path, uidl.Options{Wait: time.Millisecond})
	if err != nil {
		return nil
	}
	return db
}

func probesError(ctx context.Context, probes []probe) error {
	var failed several
	for _, p := range probes {
		if p.err != nil {
			failed = append(failed, p.err)
		}
	}
	if s := signalled(ctx); s != nil {
		return s
	}
	return both(failed...)
}

func (c *check) print(o checkOptions, out output) error {
	var b strings.Builder
	if o.detail > normal {
		c.printPaths(&b)
	}
	if o.detail > quiet {
		for _, w := range c.warnings() {
			b.WriteString(out.stdout.Paint(term.Notice, "warning") + ": " + term.Escape(w) + "\n")
		}
		fmt.Fprintf(&b, "configuration is good: %s\n", term.Count(len(c.config.Accounts), "account"))
		for i, p := range c.probes {
			p.print(&b, out.stdout, c.accounts[i], o.detail)
		}
	}
	_, err := io.WriteString(out.stdout, b.String())
	return both(c.err, err)
}

// warnings are about what is allowed and worth a second look.
func (c *check) warnings() []string {
	var texts []string
	for _, w := range c.config.Warnings {
		texts = append(texts, w.Error())
	}
	for i := range c.chosen {
		for _, text := range onDisk(c.chosen[i], c.accounts[i]) {
			texts = append(texts, c.chosen[i].Name+": "+text)
		}
	}
	if os.Geteuid() == 0 {
		texts = append(texts, "popsync runs as root; it needs to be no more than the owner of the mail")
	}
	return texts
}

// onDisk says what a fetch of the account would stumble over on this machine. Nothing is created,
// and no program is run.
func onDisk(a config.Account, account fetch.Account) []string {
	var texts []string
	switch d := a.Deliver; {
	case d.MDA != nil:
		if _, err := exec.LookPath(d.MDA[0]); err != nil {
			texts = append(texts, fmt.Sprintf("deliver.mda: %s: %v", d.MDA[0], errors.Unwrap(err)))
		}
	default:
		if _, err := os.Stat(filepath.Dir(d.Maildir)); err != nil {
			texts = append(texts, fmt.Sprintf("deliver.maildir: its parent: %v", err))
		}
	}
	if c := a.ConnectCommand; c != nil {
		if _, err := exec.LookPath(c[0]); err != nil {
			texts = append(texts, fmt.Sprintf("connect_command: %s: %v", c[0], errors.Unwrap(err)))
		}
	}
	if readable(a) {
		if _, err := account.Password(context.Background()); err != nil {
			texts = append(texts, secret.OneLine(err))
		}
	}
	return texts
}

// readable says whether the password lies where a look disturbs nobody: no program, no question, no
// network.
func readable(a config.Account) bool {
	p := a.Password
	return a.OAuth2 == nil && (p.File != "" || p.Env != "" || p.Credential != "" || p.Netrc)
}

func (c *check) printPaths(b *strings.Builder) {
	for _, path := range c.tried {
		why := "not there"
		if abs, err := filepath.Abs(path); err == nil && abs == c.config.Path {
			why = "read"
		}
		fmt.Fprintf(b, "configuration  %s (%s)\n", term.Escape(path), why)
	}
	why := "there"
	if _, err := os.Stat(c.config.State); err != nil {
		why = "not there yet"
	}
	fmt.Fprintf(b, "state          %s (%s)\n", term.Escape(c.config.State), why)
	for i, a := range c.chosen {
		to := cmp.Or(a.Deliver.Maildir, strings.Join(a.Deliver.MDA, " "))
		if a.Deliver.Folder != "" {
			to += ", folder " + a.Deliver.Folder
		}
		fmt.Fprintf(b, "%-13s  %s to %s\n", a.Name, c.accounts[i].Server, term.Escape(to))
	}
}

func (c *check) writeJSON(w io.Writer) error {
	d := document[probeJSON]{Command: "check", Warnings: c.warnings()}
	for i, a := range c.accounts {
		j := probeJSON{Name: a.Name, Server: a.Server.String()}
		if c.probes != nil {
			j.add(c.probes[i], a)
		}
		d.Accounts = append(d.Accounts, j)
	}
	return writeJSON(w, d, c.err)
}
