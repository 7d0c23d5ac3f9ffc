package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"popsync/fetch"
	"popsync/internal/oauth"
	"popsync/internal/secret"
	"popsync/internal/shell"
	terminal "popsync/internal/term"
)

// The ways to log in.
const (
	flowAuto    = "auto"
	flowBrowser = "browser"
	flowPaste   = "paste"
	flowDevice  = "device"
)

var flowNames = []string{flowAuto, flowBrowser, flowPaste, flowDevice}

func authLoginCommand() *cli.Command {
	return &cli.Command{
		Name:      "login",
		Usage:     "log in at an account's provider",
		ArgsUsage: "ACCOUNT",
		UsageText: `popsync auth login work                  shows an address to open in a browser, here or elsewhere
popsync auth login work --flow device    a code to type in any browser (Microsoft)
popsync auth login work --export | ssh server popsync auth import work
                                         for a server that has no way to a browser`,
		Description: `The browser ends at a page of this machine, or its last address is pasted here. Then
popsync logs in at the mail server, and says what is wrong where that does not let it in.

Flows: browser; paste (no page of this machine); device; auto takes device for Microsoft
where there is no display, else browser. Without a terminal only --flow device runs.`,
		Flags: withCommon(
			&cli.StringFlag{Name: "flow", Value: flowAuto, Usage: "`FLOW` is auto, browser, paste or device"},
			&cli.IntFlag{Name: "port", Usage: "wait for the browser at port `N` of this machine; default: any"},
			&cli.BoolFlag{Name: "no-browser", Usage: "open no browser, show the address only"},
			&cli.BoolFlag{Name: "export", Usage: "print the tokens for popsync auth import, and keep nothing here"},
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runAuthLogin(c.Context, authLoginOptions{
				common:    o,
				accounts:  c.Args().Slice(),
				flow:      c.String("flow"),
				port:      c.Int("port"),
				noBrowser: c.Bool("no-browser"),
				export:    c.Bool("export"),
			}, here(o), newOutput(o))
		},
	}
}

type authLoginOptions struct {
	common
	accounts  []string
	flow      string
	port      int
	noBrowser bool
	export    bool
}

// A seat is where the person sits.
type seat struct {
	stdin   io.Reader
	asks    bool                                 // stdin is a terminal, and may be asked
	display bool                                 // a browser could show a window
	open    func(env []string, url string) error // opens a browser
	lines   func() (in io.Reader, done func())   // what is typed and pasted, lines of any length
	ssh     string                               // $SSH_CONNECTION
}

func here(o common) seat {
	return seat{
		stdin:   os.Stdin,
		asks:    term.IsTerminal(int(os.Stdin.Fd())) && !o.noInput,
		display: hasDisplay(os.Getenv),
		open:    openBrowser,
		lines:   linesTyped,
		ssh:     os.Getenv("SSH_CONNECTION"),
	}
}

// linesTyped are the terminal's, or what standard input gives where that cannot be had.
func linesTyped() (in io.Reader, done func()) {
	lines, err := secret.OpenLines(nil)
	if err != nil {
		return os.Stdin, func() {}
	}
	return lines, func() { _ = lines.Close() }
}

func (o authLoginOptions) check() error {
	switch {
	case !slices.Contains(flowNames, o.flow):
		return &usageError{"--flow: " + quoted(o.flow) + " is none of " + strings.Join(flowNames, ", ") + didYouMean(o.flow, flowNames), "see popsync auth login --help"}
	case o.port < 0 || o.port > 65535:
		return usagef("--port: %d is no port", o.port)
	}
	return nil
}

func runAuthLogin(ctx context.Context, o authLoginOptions, s seat, out output) error {
	if err := o.check(); err != nil {
		return err
	}
	a, err := authAccountOf(o.common, o.accounts, "login")
	if err != nil {
		return err
	}
	flow := a.flow(o.flow, s)
	if err := a.possible(flow); err != nil {
		return err
	}
	if !s.asks && !a.source.Machine() && o.flow != flowDevice {
		return a.needsTerminal()
	}
	ctx, stop := untilSignal(ctx, out.newLine)
	defer stop()
	if err := a.source.Ready(ctx, !o.export); err != nil {
		return a.failed(err)
	}
	tokens, err := a.logIn(ctx, flow, o, s, out)
	if o.port != 0 && errors.Is(err, syscall.EADDRINUSE) {
		return &usageError{fmt.Sprintf("--port: %d is in use on this machine", o.port), "choose another one, or leave --port out"}
	}
	if err != nil {
		return a.failed(err)
	}
	if o.export {
		return a.source.Export(out.stdout, tokens)
	}
	return a.keep(ctx, o.common, tokens, "The provider has let you in", out)
}

// possible refuses a flow that the provider does not have.
func (a authAccount) possible(flow string) error {
	browser, device := a.source.Flows()
	who, name := cmp.Or(a.account.OAuth2.Provider, "custom"), shell.Quote(a.account.Name)
	switch {
	case a.source.Machine():
		return nil
	case flow == flowDevice && !device && who == "custom":
		return &configError{fmt.Errorf("%s: there is no device flow without oauth2.device_url", a.account.Name), "write it, or take: popsync auth login " + name}
	case flow == flowDevice && !device:
		return &usageError{a.account.Name + ": " + who + " has no device flow for mail", "popsync auth login " + name}
	case flow != flowDevice && !browser && device:
		return &usageError{a.account.Name + ": there is no page to log in at without oauth2.auth_url", "popsync auth login " + name + " --flow device"}
	}
	return nil
}

// flow is the one to take.
func (a authAccount) flow(wanted string, s seat) string {
	browser, device := a.source.Flows()
	switch {
	case wanted != flowAuto:
		return wanted
	case device && (!browser || a.account.OAuth2.Provider == "microsoft" && !s.display):
		return flowDevice
	}
	return flowBrowser
}

// needsTerminal refuses to wait for a person who is not there.
func (a authAccount) needsTerminal() error {
	name := shell.Quote(a.account.Name)
	hint := "type in a terminal: popsync auth login " + name +
		"; or where there is a browser: popsync auth login " + name + " --export | ssh THIS-MACHINE popsync auth import " + name
	if _, device := a.source.Flows(); device {
		hint += "; --flow device needs no terminal"
	}
	return &usageError{a.account.Name + ": a log-in asks a person, and there is no terminal to ask at", hint}
}

// logIn gets tokens; what a person is to do is told on standard error.
func (a authAccount) logIn(ctx context.Context, flow string, o authLoginOptions, s seat, out output) (oauth.Tokens, error) {
	p := oauth.Person{Say: out.stderr, Port: o.port, SSH: s.ssh}
	if s.asks && s.display && !o.noBrowser {
		p.Open = func(url string) error { return s.open(programEnv(a.cfg), url) }
	}
	switch {
	case a.source.Machine():
		return a.source.Client(ctx)
	case flow == flowDevice:
		return a.source.Device(ctx, p)
	}
	if s.asks {
		var done func()
		p.Paste, done = s.lines()
		defer done()
	}
	if flow == flowPaste {
		return a.source.Paste(ctx, p)
	}
	return a.source.Browser(ctx, p)
}

// keep saves tokens and finds out whether the mail server takes them, before anything is called done.
// come says where they are from.
func (a authAccount) keep(ctx context.Context, o common, tokens oauth.Tokens, come string, out output) error {
	if err := a.source.Keep(ctx, tokens); err != nil {
		return a.failed(err)
	}
	if o.detail > quiet {
		_, _ = fmt.Fprintf(out.stderr, "%s; logging in at %s ...\n", come, terminal.Escape(a.account.Host))
	}
	probe, err := a.tryMailbox(ctx, o, tokens, out)
	if err != nil {
		_, _ = fmt.Fprintln(out.stderr, "The tokens are kept, and the mail server does not let them in:")
		return afterSignal(ctx, err)
	}
	if o.detail == quiet {
		return nil
	}
	_, err = fmt.Fprintf(out.stdout, "%s: logged in; %s of %s there\n",
		a.account.Name, terminal.Count(probe.Messages, "message"), terminal.Bytes(probe.Bytes))
	return err
}

// tryMailbox logs in at the POP3 server with tokens, and fetches nothing.
func (a authAccount) tryMailbox(ctx context.Context, o common, tokens oauth.Tokens, out output) (fetch.Probe, error) {
	accounts, err := accountsOf(a.cfg, append(a.cfg.Accounts[:0:0], a.account), newAsker(o))
	if err != nil {
		return fetch.Probe{}, err
	}
	account := accounts[0]
	account.Password = func(context.Context) (secret.Value, error) { return tokens.Access(), nil }
	account.Renew = nil // a fresh token that is refused will not get better
	var show func(string)
	if o.detail == trace {
		tell := tellTrace(out.stderr)
		show = func(line string) { tell(account.Name, line) }
	}
	probe, failed := fetch.Check(ctx, account, show)
	if failed != nil {
		return probe, failed
	}
	return probe, nil
}
