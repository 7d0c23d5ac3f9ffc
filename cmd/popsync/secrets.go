package main

import (
	"context"
	"errors"
	"os"
	"time"

	"popsync/fetch"
	"popsync/fetch/mechanism"
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

func newSecrets(cfg *config.Config, noInput bool) secrets {
	env := programEnv(cfg)
	return secrets{cfg: cfg, env: env, run: passwordRunner(env), asker: &secret.Asker{Never: noInput}}
}

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

// askFirst asks for passwords that nothing gives, before anything is drawn on the terminal. What
// goes wrong then is told by the poll, for the asker remembers only good answers.
func askFirst(ctx context.Context, chosen []config.Account, accounts []fetch.Account) {
	for i, a := range chosen {
		if needsPassword(a) && !a.Password.Given() {
			_, _ = accounts[i].Password(ctx)
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
