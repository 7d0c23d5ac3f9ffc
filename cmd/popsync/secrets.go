package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"popsync/fetch"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/internal/command"
	"popsync/internal/config"
	"popsync/internal/oauth"
	"popsync/internal/secret"
)

// secrets are where the secrets of accounts come from.
type secrets struct {
	cfg   *config.Config
	env   []string // of programs that are started for accounts
	run   secret.Runner
	asker *secret.Asker
}

func newSecrets(cfg *config.Config, asker *secret.Asker) secrets {
	env := programEnv(cfg)
	return secrets{cfg: cfg, env: env, run: passwordRunner(env), asker: asker}
}

// newAsker asks for passwords, unless that is forbidden.
func newAsker(o common) *secret.Asker { return &secret.Asker{Never: o.noInput} }

// programEnv is our environment, since pass, gpg, ssh and their like need much of it, without the
// passwords in it.
func programEnv(cfg *config.Config) []string { return withoutPasswords(os.Environ(), cfg.Accounts) }

// give says where the secret of account comes from.
func (s secrets) give(account *fetch.Account, a config.Account) error {
	if a.OAuth2 != nil {
		return s.giveTokens(account, a)
	}
	account.Token = account.Auth == mechanism.XOAUTH2 || account.Auth == mechanism.OAUTHBEARER
	account.Password = s.source(account.Server.String(), a)
	return nil
}

// needsPassword says whether a cannot log in without one: a client certificate may do.
func needsPassword(a config.Account) bool {
	external := a.Auth == string(mechanism.External) ||
		a.Auth == string(mechanism.Auto) && a.ClientCert != "" && !a.Password.Given()
	return a.OAuth2 == nil && !external
}

// askFirst asks for passwords that nothing gives, in the configuration's order and before anything
// is drawn on the terminal. The answers, also that there is none, are the poll's: the error is only
// that of ctx.
func askFirst(ctx context.Context, chosen []config.Account, accounts []fetch.Account) error {
	for i, a := range chosen {
		if needsPassword(a) && !a.Password.Given() && ctx.Err() == nil {
			_, _ = accounts[i].Password(ctx)
		}
	}
	return context.Cause(ctx)
}

// forgetting has forget drop the answer of an account that the server refused, so that the next poll
// asks for another one.
func forgetting(forget func(account string)) func(fetch.Event) {
	return func(ev fetch.Event) {
		if ev.Kind != fetch.Ended || ev.Result.Err == nil {
			return
		}
		if e := ev.Result.Err; e.Kind == fetch.Refused && !e.Repeated && is[*pop3.ResponseError](e) {
			forget(ev.Account)
		}
	}
}

// source is where the password of a comes from.
func (s secrets) source(server string, a config.Account) secret.Source {
	switch p := a.Password; {
	case !needsPassword(a):
		return func(context.Context) (secret.Value, error) { return secret.Value{}, nil }
	case p.Keyring:
		return secret.Keyring("popsync", a.Username+"@"+a.Host)
	case p.Netrc:
		return secret.Netrc("", a.Host, a.Username)
	case !p.Given():
		return s.asker.Source(a.Name, a.Username, server)
	default:
		return p.Source(s.run, a.Timeout)
	}
}

// giveTokens makes account log in with tokens of a's provider.
func (s secrets) giveTokens(account *fetch.Account, a config.Account) error {
	source, err := tokenSource(s.cfg, a)
	if err != nil {
		return err
	}
	account.Token = true
	account.Password = func(ctx context.Context) (secret.Value, error) {
		token, err := source.Token(ctx)
		return token, tokenError(err)
	}
	account.Renew = func(ctx context.Context, refused secret.Value) (secret.Value, error) {
		token, err := source.Renew(ctx, refused)
		return token, tokenError(err)
	}
	account.Grant = source.Grant
	account.Notice = func() string {
		st, err := source.Status()
		if err != nil {
			return ""
		}
		return source.Warning(st, time.Now())
	}
	return nil
}

// tokenError says of an error of a token endpoint what it means for the poll.
func tokenError(err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return err
	}
	return &fetch.Error{Step: "token", Kind: kindOfToken(e), Err: e, Hint: e.Hint}
}

func kindOfToken(e *oauth.Error) fetch.Kind {
	switch e.Kind {
	case oauth.NeedsLogin:
		return fetch.Refused
	case oauth.Configuration:
		return fetch.Config
	case oauth.Later:
		return fetch.Busy
	case oauth.Storage:
		if diskFails(e) {
			return fetch.InputOutput
		}
		return fetch.CannotWrite
	}
	return fetch.Internal
}

// passwordRunner runs password commands in env.
func passwordRunner(env []string) secret.Runner {
	return func(ctx context.Context, argv []string) (stdout, stderr []byte, err error) {
		r, err := command.Command{Argv: argv, Env: env, Stdout: secret.MaxOutput, Asks: term.IsTerminal(int(os.Stdin.Fd()))}.Run(ctx)
		return r.Stdout, r.Stderr, withoutProgram(err, argv[0])
	}
}

// withoutProgram is err without what secret.Command says itself: the program and its complaint.
func withoutProgram(err error, program string) error {
	if e, ok := errors.AsType[*command.ExitError](err); ok {
		e.Stderr = ""
	}
	if err == nil {
		return nil
	}
	return shortError{strings.TrimPrefix(err.Error(), program+": "), err}
}

// A shortError is err in other words.
type shortError struct {
	text string
	err  error
}

func (e shortError) Error() string { return e.text }
func (e shortError) Unwrap() error { return e.err }

// withoutPasswords is env without the variables that password_env names.
func withoutPasswords(env []string, accounts []config.Account) []string {
	return slices.DeleteFunc(slices.Clone(env), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.ContainsFunc(accounts, func(a config.Account) bool { return a.Password.Env == name })
	})
}
