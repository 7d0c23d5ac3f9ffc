package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/oauth"
)

func authCommand() *cli.Command {
	return &cli.Command{
		Name:      "auth",
		Usage:     "log in with OAuth2, and look after its tokens",
		ArgsUsage: "COMMAND ACCOUNT",
		UsageText: `popsync auth login work       log in at the provider of an account with an oauth2 block
popsync auth status           what was granted, and until when
popsync auth logout work      forget the tokens`,
		Description: `The tokens of an account lie beside the state, in oauth/ACCOUNT.json, and are renewed by
themselves. Accounts with a password need none of this.`,
		Flags: withCommon(),
		Subcommands: []*cli.Command{
			authLoginCommand(),
			authStatusCommand(),
			authLogoutCommand(),
			authTokenCommand(),
			authImportCommand(),
		},
	}
}

// An authAccount is one that logs in with OAuth2.
type authAccount struct {
	cfg     *config.Config
	account config.Account
	source  *oauth.Source
}

// authAccountOf finds the one account that words name, in the configuration of o.
func authAccountOf(o common, words []string, command string) (authAccount, error) {
	if len(words) != 1 {
		return authAccount{}, &usageError{"which account? one name is needed", "popsync auth " + command + " ACCOUNT"}
	}
	cfg, _, err := load(o)
	if err != nil {
		return authAccount{}, err
	}
	chosen, err := cfg.Select(words)
	if err != nil {
		return authAccount{}, err
	}
	return newAuthAccount(cfg, chosen[0])
}

func newAuthAccount(cfg *config.Config, a config.Account) (authAccount, error) {
	place := fmt.Sprintf("%s:%d: %s", cfg.Path, a.Line, a.Name)
	if a.OAuth2 == nil {
		return authAccount{}, &configError{
			fmt.Errorf("%s: has no oauth2 block, so there is nothing to log in to", place),
			"write one, such as oauth2: {provider: google, client_id: ...}, in place of its password: popsync help config",
		}
	}
	source, err := tokenSource(cfg, a)
	if err != nil {
		return authAccount{}, &configError{fmt.Errorf("%s: %w", place, err), ""}
	}
	return authAccount{cfg, a, source}, nil
}

// failed is err as the account's, or a signal as itself.
func (a authAccount) failed(err error) error {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return &authError{a.account.Name, e}
	}
	return err
}

// An authError is why an account has no tokens.
type authError struct {
	account string
	err     *oauth.Error
}

func (e *authError) Error() string { return e.account + ": " + e.err.Error() }
func (e *authError) Unwrap() error { return e.err }
func (e *authError) Hint() string  { return e.err.Hint }

// kind is what the error is for exit status and JSON.
func (e *authError) kind() fetch.Kind { return kindOfToken(e.err) }
