package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"popsync/internal/oauth"
	"popsync/internal/term"
)

func authLogoutCommand() *cli.Command {
	return &cli.Command{
		Name:        "logout",
		Usage:       "forget an account's tokens, and give them back where the provider takes them",
		ArgsUsage:   "ACCOUNT",
		UsageText:   `popsync auth logout work`,
		Description: "Google is asked to end the tokens; with others see the account's settings at the provider.",
		Flags:       withCommon(),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runAuthLogout(c.Context, o, c.Args().Slice(), newOutput(o))
		},
	}
}

func runAuthLogout(ctx context.Context, o common, words []string, out output) error {
	a, err := authAccountOf(o, words, "logout")
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx, out.newLine)
	defer stop()
	taken, told, err := a.source.Logout(ctx)
	text := "the tokens are deleted"
	switch {
	case errors.Is(err, oauth.ErrNoTokens):
		text = "there were no tokens"
	case err != nil:
		return a.failed(err)
	case taken:
		text += ", and the provider has taken them back"
	case told != nil:
		text += "; the provider has not taken them back: " + term.Escape(told.Error())
	}
	if o.detail == quiet {
		return nil
	}
	_, err = fmt.Fprintf(out.stdout, "%s: %s\n", a.account.Name, text)
	return err
}

func authTokenCommand() *cli.Command {
	return &cli.Command{
		Name:      "token",
		Usage:     "print an access token, for other programs",
		ArgsUsage: "ACCOUNT",
		UsageText: `popsync auth token work       a token that is good for five minutes at least`,
		Flags:     withCommon(),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runAuthToken(c.Context, o, c.Args().Slice(), newOutput(o))
		},
	}
}

func runAuthToken(ctx context.Context, o common, words []string, out output) error {
	a, err := authAccountOf(o, words, "token")
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx, out.newLine)
	defer stop()
	token, err := a.source.Token(ctx)
	if err != nil {
		return a.failed(err)
	}
	_, err = fmt.Fprintln(out.stdout, token.Reveal())
	return err
}

func authImportCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "keep the tokens that popsync auth login --export printed on another machine",
		ArgsUsage: "ACCOUNT",
		UsageText: `popsync auth login work --export | ssh server popsync auth import work`,
		Description: `Reads standard input. Both machines name the same client in the account's oauth2 block.
Then popsync logs in at the mail server, as auth login does.`,
		Flags: withCommon(),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			return runAuthImport(c.Context, o, c.Args().Slice(), here(o), newOutput(o))
		},
	}
}

func runAuthImport(ctx context.Context, o common, words []string, s seat, out output) error {
	a, err := authAccountOf(o, words, "import")
	if err != nil {
		return err
	}
	if s.asks && o.detail > quiet {
		_, _ = fmt.Fprintln(out.stderr, "Paste what popsync auth login --export has printed:")
	}
	if o.noInput && isTerminal(s) {
		return &usageError{"standard input is a terminal, and --no-input forbids to ask there", "pipe into it what popsync auth login --export prints"}
	}
	tokens, err := a.source.Import(s.stdin)
	if err != nil {
		return a.failed(err)
	}
	ctx, stop := untilSignal(ctx, out.newLine) // until here a signal ends the program at once
	defer stop()
	if err := a.source.Ready(ctx, true); err != nil {
		return a.failed(err)
	}
	return a.keep(ctx, o, tokens, "The tokens are here", out)
}

// isTerminal reports whether somebody would have to type what is read.
func isTerminal(s seat) bool {
	f, ok := s.stdin.(*os.File)
	return ok && term.NewScreen(f, term.Never, os.Getenv).Terminal
}
