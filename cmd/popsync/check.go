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
	"time"

	"github.com/urfave/cli/v2"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/term"
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
		Description: `With --connect: TLS version, certificate and its end, capabilities, what lies there.
Exit status: 78 where the configuration is wrong, else that of the first account that
cannot be reached; popsync help exit-codes`,
		Flags: withCommon(
			&cli.BoolFlag{Name: "connect", Usage: "log in to each account; nothing is fetched or changed"},
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
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	c, err := newCheck(ctx, o, out)
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

type probe struct {
	fetch.Probe
	err *fetch.Error
}

func newCheck(ctx context.Context, o checkOptions, out output) (*check, error) {
	cfg, tried, err := load(o.common)
	if err != nil {
		return nil, err
	}
	c := &check{config: cfg, tried: tried}
	c.chosen, err = cfg.Select(o.accounts)
	if err != nil {
		return nil, err
	}
	c.accounts, err = accountsOf(cfg, c.chosen)
	if err != nil {
		return nil, err
	}
	if o.connect {
		c.connect(ctx, o.detail, out.stderr)
	}
	return c, nil
}

// connect asks the servers, as many at a time as a fetch would.
func (c *check) connect(ctx context.Context, d detail, w io.Writer) {
	p := &fetch.Poller{MaxParallel: c.config.MaxParallel, MaxPerHost: c.config.MaxPerHost}
	if d == trace {
		p.Trace = tellTrace(w)
	}
	probes, errs := p.Check(ctx, c.accounts)
	for i := range probes {
		c.probes = append(c.probes, probe{probes[i], errs[i]})
	}
	c.err = probesError(ctx, c.probes)
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
			c.accountLines(&b, out.stdout, i, p)
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
	if a.Password.Command == nil {
		if _, err := account.Password(context.Background()); err != nil {
			texts = append(texts, err.Error())
		}
	}
	return texts
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

// accountLines are aligned for people.
func (c *check) accountLines(b *strings.Builder, s term.Screen, i int, p probe) {
	a := c.accounts[i]
	fmt.Fprintf(b, "\n%s  %s", s.Paint(term.Heading, a.Name), a.Server)
	if p.Address != "" && p.Address != a.Server.String() {
		fmt.Fprintf(b, " (%s)", p.Address)
	}
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "\n  %-12s  %s", name, fmt.Sprintf(format, args...))
	}
	if p.TLSVersion != "" {
		line("TLS", "%s, %s", p.TLSVersion, p.CipherSuite)
	}
	if cert := p.Certificate; cert != nil {
		line("certificate", "%s", term.Escape(cert.Subject.String()))
		line("issuer", "%s", term.Escape(cert.Issuer.String()))
		line("valid until", "%s", until(cert.NotAfter, time.Now()))
	}
	if p.err != nil {
		line("result", "%s\n", s.Paint(term.Bad, p.err.Step+": "+p.err.Kind.String()))
		return
	}
	if p.TLSVersion == "" {
		line("TLS", "%s", s.Paint(term.Notice, "none"))
	}
	line("capabilities", "%s", term.Escape(strings.Join(p.Capabilities, ", ")))
	line("messages", "%d of %s", p.Messages, term.Bytes(p.Bytes))
	if p.UIDs < p.Messages {
		line("UIDs", "%s", s.Paint(term.Notice, fmt.Sprintf("%d different ones for %d messages", p.UIDs, p.Messages)))
	}
	line("took", "%s", term.Duration(p.Took))
	line("result", "%s\n", s.Paint(term.Good, "log-in works"))
}

// until is a day and how far away it is.
func until(end, now time.Time) string {
	day := end.Format(time.DateOnly)
	if end.Before(now) {
		return day + " (over)"
	}
	return day + " (" + term.Count(int(end.Sub(now)/(24*time.Hour)), "day") + ")"
}

type checkJSON struct {
	Name         string     `json:"name"`
	Server       string     `json:"server"`
	Address      string     `json:"address,omitempty"`
	TLS          string     `json:"tls,omitempty"`
	Cipher       string     `json:"cipher,omitempty"`
	Subject      string     `json:"certificate_subject,omitempty"`
	Issuer       string     `json:"certificate_issuer,omitempty"`
	Expires      *time.Time `json:"certificate_expires,omitempty"`
	Capabilities []string   `json:"capabilities,omitempty"`
	Messages     *int       `json:"messages,omitempty"`
	Bytes        *int64     `json:"bytes,omitempty"`
	UIDs         *int       `json:"uids,omitempty"`
	TookMS       *int64     `json:"took_ms,omitempty"`
	Error        *errorJSON `json:"error,omitempty"`
}

func (c *check) writeJSON(w io.Writer) error {
	d := document[checkJSON]{Command: "check", Warnings: c.warnings()}
	for i, a := range c.accounts {
		j := checkJSON{Name: a.Name, Server: a.Server.String()}
		if c.probes != nil {
			j.add(c.probes[i])
		}
		d.Accounts = append(d.Accounts, j)
	}
	return writeJSON(w, d, c.err)
}

func (j *checkJSON) add(p probe) {
	j.Address, j.TLS, j.Cipher = p.Address, p.TLSVersion, p.CipherSuite
	if cert := p.Certificate; cert != nil {
		end := cert.NotAfter.UTC()
		j.Subject, j.Issuer, j.Expires = term.Escape(cert.Subject.String()), term.Escape(cert.Issuer.String()), &end
	}
	if p.err != nil {
		j.Error = explainPoll(p.err).json()
		return
	}
	for _, line := range p.Capabilities {
		j.Capabilities = append(j.Capabilities, term.Escape(line))
	}
	took := p.Took.Milliseconds()
	j.Messages, j.Bytes, j.UIDs, j.TookMS = &p.Messages, &p.Bytes, &p.UIDs, &took
}
