package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/internal/config"
	"popsync/internal/oauth"
	"popsync/internal/term"
)

func authStatusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "what was granted, and until when; nobody is asked",
		ArgsUsage: "[ACCOUNT...]",
		UsageText: `popsync auth status           every account with an oauth2 block
popsync auth status work --json`,
		Description: `Exit status: 77 where somebody has to log in. A known end of the refresh token is told
from 14 days before.`,
		Flags: withCommon(&cli.BoolFlag{Name: "json", Usage: "write one JSON document to standard output"}),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runAuthStatus(authStatusOptions{o, c.Args().Slice(), c.Bool("json")}, newOutput(o))
		},
	}
}

type authStatusOptions struct {
	common
	accounts []string
	json     bool
}

// A grant is what is known of one account's tokens.
type grant struct {
	authAccount
	oauth.Status
	warning string
	err     error // why it has none, or none that are of use
}

func runAuthStatus(o authStatusOptions, out output) error {
	grants, err := grantsOf(o)
	if err != nil {
		if o.json {
			return withJSON(out.stdout, "auth status", err)
		}
		return err
	}
	var failed several
	for _, g := range grants {
		if g.err != nil {
			failed = append(failed, g.err)
		}
	}
	if o.json {
		return writeGrants(out.stdout, grants, both(failed...))
	}
	var written error
	if o.detail > quiet {
		written = printGrants(out.stdout, grants)
	}
	return both(both(failed...), written)
}

func grantsOf(o authStatusOptions) ([]grant, error) {
	cfg, _, err := load(o.common)
	if err != nil {
		return nil, err
	}
	chosen, err := cfg.Select(o.accounts)
	if err != nil {
		return nil, err
	}
	if len(o.accounts) == 0 {
		chosen = withOAuth2(cfg.Accounts)
	}
	var grants []grant
	for _, a := range chosen {
		account, err := newAuthAccount(cfg, a)
		if err != nil {
			return nil, err
		}
		grants = append(grants, account.grant(time.Now()))
	}
	return grants, nil
}

func withOAuth2(accounts []config.Account) []config.Account {
	var some []config.Account
	for _, a := range accounts {
		if a.OAuth2 != nil {
			some = append(some, a)
		}
	}
	return some
}

// grant looks up the tokens.
func (a authAccount) grant(now time.Time) grant {
	g := grant{authAccount: a}
	g.Status, g.err = a.source.Status()
	if g.err != nil {
		g.err = a.failed(g.err)
		return g
	}
	g.warning = a.source.Warning(g.Status, now)
	if d := g.Dead; d != (oauth.Death{}) {
		g.err = &authError{a.account.Name, &oauth.Error{
			Kind: oauth.NeedsLogin, Code: "invalid_grant", Hint: d.Hint, Err: errors.New(d.Reason),
		}}
	}
	return g
}

// inWords is the state for people.
func (g grant) inWords() string {
	if e, ok := errors.AsType[*authError](g.err); ok {
		return tokenWords(e.kind())
	}
	return g.state()
}

// failure is why there are no tokens, as in the documents of a fetch: without the account's name.
func (g grant) failure() *errorJSON {
	f := explainOne(g.err)
	if e, ok := errors.AsType[*authError](g.err); ok {
		f.step, f.cause = "token", term.Escape(e.err.Error())
	}
	return f.json()
}

// state is one word for programs.
func (g grant) state() string {
	switch {
	case g.err != nil:
		return explainOne(g.err).code
	case g.warning != "":
		return "ending"
	}
	return "good"
}

func printGrants(s term.Screen, grants []grant) error {
	var b strings.Builder
	if len(grants) == 0 {
		b.WriteString("no account has an oauth2 block\n")
	}
	for i, g := range grants {
		if i > 0 {
			b.WriteByte('\n')
		}
		g.print(&b, s)
	}
	_, err := io.WriteString(s, b.String())
	return err
}

func (g grant) print(b *strings.Builder, s term.Screen) {
	style := map[bool]term.Style{true: term.Good, false: term.Bad}[g.err == nil]
	fmt.Fprintf(b, "%s  %s\n", s.Paint(term.Heading, g.account.Name), s.Paint(style, g.inWords()))
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "  %-13s  %s\n", name, text)
		}
	}
	now := time.Now()
	line("provider", term.Escape(cmp.Or(g.account.OAuth2.Provider, "custom")))
	if g.Obtained.IsZero() && g.AccessEnds.IsZero() {
		if g.err == nil {
			line("access token", "none yet; asked for when it is needed")
		}
		return
	}
	line("granted", term.Escape(strings.Join(g.Scopes, " ")))
	line("logged in", ago(g.Obtained, now))
	line("last renewal", ago(g.Refreshed, now))
	line("access token", endOf(g.AccessEnds, now))
	switch {
	case g.Refreshable && g.RefreshEnds.IsZero():
		line("refresh token", "there; its end is not known")
	case g.Refreshable:
		line("refresh token", endOf(g.RefreshEnds, now))
	}
	if g.warning != "" {
		line("warning", s.Paint(term.Notice, term.Escape(g.warning)))
	}
	if g.Dead != (oauth.Death{}) {
		line("ended", ago(g.Dead.Time, now))
	}
}

const minute = "2006-01-02 15:04"

// ago is a time for people, and how long ago it was.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(minute) + " (" + term.Duration(max(0, now.Sub(t))) + " ago)"
}

// endOf is a time for people, and how far away it is.
func endOf(t, now time.Time) string {
	if !t.After(now) {
		return "ended " + ago(t, now)
	}
	return "until " + t.Local().Format(minute) + " (" + term.Duration(t.Sub(now)) + ")"
}

type grantJSON struct {
	Name        string     `json:"name"`
	Provider    string     `json:"provider"`
	State       string     `json:"state"`
	Scopes      []string   `json:"scopes,omitempty"`
	Obtained    *time.Time `json:"logged_in,omitempty"`
	Refreshed   *time.Time `json:"last_renewal,omitempty"`
	AccessEnds  *time.Time `json:"access_token_ends,omitempty"`
	RefreshEnds *time.Time `json:"refresh_token_ends,omitempty"`
	Refreshable bool       `json:"refresh_token"`
	Warning     string     `json:"warning,omitempty"`
	Error       *errorJSON `json:"error,omitempty"`
}

func writeGrants(w io.Writer, grants []grant, err error) error {
	d := document[grantJSON]{Command: "auth status"}
	for _, g := range grants {
		j := grantJSON{
			Name: g.account.Name, Provider: g.account.OAuth2.Provider, State: g.state(), Refreshable: g.Refreshable,
			Obtained: instant(g.Obtained), Refreshed: instant(g.Refreshed), AccessEnds: instant(g.AccessEnds), RefreshEnds: instant(g.RefreshEnds),
			Warning: term.Escape(g.warning),
		}
		for _, scope := range g.Scopes {
			j.Scopes = append(j.Scopes, term.Escape(scope))
		}
		if g.err != nil {
			j.Error = g.failure()
		}
		d.Accounts = append(d.Accounts, j)
	}
	return writeJSON(w, d, err)
}

// instant is t for JSON: in UTC, to the second; nil where it is not known.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
