package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"popsync/deliver"
	"popsync/fetch"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/internal/config"
	"popsync/internal/provider"
	"popsync/internal/secret"
	"popsync/internal/transport"
	"popsync/uidl"
)

// parts are what a configuration turns into.
type parts struct {
	config   *config.Config
	accounts []fetch.Account // those to poll
	asker    *secret.Asker   // of their passwords
	store    *uidl.DB        // nil in a dry run without a state
	owner    deliver.Owner   // of the files that this process stages
}

// open makes everything ready for polls of the accounts named, or of all that are enabled. Passwords
// that nothing gives are asked for before the state is taken: a person may be slow. A dry run does
// not create the state where there is none yet. The caller closes the parts.
func open(ctx context.Context, asker *secret.Asker, cfg *config.Config, names []string, dryRun bool) (*parts, error) {
	chosen, err := cfg.Select(names)
	if err != nil {
		return nil, err
	}
	accounts, _ := accountsOf(cfg, chosen, asker) // what is wrong with one is its failure, when its turn comes
	if err := askFirst(ctx, chosen, accounts); err != nil {
		return nil, err
	}
	if _, err := os.Stat(cfg.State); dryRun && errors.Is(err, fs.ErrNotExist) {
		return &parts{config: cfg, accounts: accounts, asker: asker}, nil
	}
	store, err := uidl.Open(ctx, cfg.State, uidl.Options{})
	if err != nil {
		return nil, err
	}
	owner := deliver.NewOwner(store.ID())
	for i, a := range chosen {
		accounts[i].Target = targetOf(a, spoolOf(cfg), owner)
	}
	return &parts{cfg, accounts, asker, store, owner}, nil
}

// note is what is to be told once of the state, or empty.
func (p *parts) note() string {
	if p.store == nil {
		return ""
	}
	return p.store.Note()
}

func (p *parts) poller() *fetch.Poller {
	return &fetch.Poller{
		Store:       p.store,
		Owner:       p.owner,
		MaxParallel: p.config.MaxParallel,
		MaxPerHost:  p.config.MaxPerHost,
	}
}

func (p *parts) close() error {
	if p.store == nil {
		return nil
	}
	return p.store.Close()
}

// load reads the configuration; tried are the paths where it was looked for.
func load(o common) (cfg *config.Config, tried []string, err error) {
	path, tried, err := config.Find(o.config, os.Getenv)
	if err != nil {
		return nil, tried, &configError{err, "popsync help config shows what to write there"}
	}
	cfg, err = config.Load(path, config.Options{})
	return cfg, tried, err
}

// A configError is one that is not config's: 78 all the same.
type configError struct {
	err  error
	hint string // may be empty
}

func (e *configError) Error() string { return e.err.Error() }
func (e *configError) Unwrap() error { return e.err }
func (e *configError) Hint() string  { return e.hint }

// accountsOf turns accounts as they are written into accounts as they are polled, but for their
// targets. Errors are told together, as config does.
func accountsOf(cfg *config.Config, chosen []config.Account, asker *secret.Asker) ([]fetch.Account, error) {
	s := newSecrets(cfg, asker)
	var accounts []fetch.Account
	var errs several
	for _, a := range chosen {
		account, err := accountOf(a, s)
		if err != nil {
			err = &configError{fmt.Errorf("%s:%d: %s: %w", cfg.Path, a.Line, a.Name, err), adviceOf(err)}
			account.Password = unusable(err)
			errs = append(errs, err)
		}
		accounts = append(accounts, account)
	}
	return accounts, both(errs...)
}

func accountOf(a config.Account, s secrets) (fetch.Account, error) {
	server, err := serverOf(a, s.env)
	account := fetch.Account{
		Name:     a.Name,
		Server:   server,
		User:     a.Username,
		Keep:     fetch.Retention{Delete: !a.Keep},
		Interval: a.Interval,
		Timeout:  a.Timeout,
		Session:  a.MaxSession,

		Pipelining:     pipeliningOf[a.Pipelining],
		Auth:           mechanism.Name(a.Auth),
		Certificate:    a.ClientCert != "",
		MaxMessages:    a.MaxMessages,
		MaxMessageSize: a.MaxMessageSize,
	}
	if p, ok := provider.ByHost(a.Host); ok {
		account.MinInterval, account.Hint = p.MinInterval, p.Hint
	}
	return account, cmp.Or(err, s.give(&account, a))
}

// unusable keeps an account from being polled, and says why.
func unusable(err error) func(context.Context) (secret.Value, error) {
	return func(context.Context) (secret.Value, error) {
		return secret.Value{}, &fetch.Error{
			Step: "configuration", Kind: fetch.Config, Err: err, Hint: "correct the account, and see: popsync check",
		}
	}
}

var pipeliningOf = map[string]pop3.Pipelining{"auto": pop3.Announced, "always": pop3.Always, "never": pop3.Never}

func serverOf(a config.Account, env []string) (fetch.Server, error) {
	s := fetch.Server{Host: a.Host, Port: a.Port, AllowCleartext: a.AllowCleartext}
	if dial := dialOf(a, env); dial != nil {
		s.Dial, s.Far = dial, true
	}
	switch a.TLS {
	case config.NoTLS:
		s.Security = fetch.Cleartext
		return s, nil
	case config.StartTLS:
		s.Security = fetch.StartTLS
	case config.Implicit:
		s.Security = fetch.ImplicitTLS
	}
	var err error
	s.TLS, err = tlsOf(a)
	return s, err
}

// dialOf is the way to the server of a that its configuration names, or nil for the direct one.
func dialOf(a config.Account, env []string) transport.Dialer {
	switch p := a.Proxy; {
	case a.ConnectCommand != nil:
		return transport.Command(a.ConnectCommand, env)
	case p == nil:
		return nil
	case p.Scheme == "http":
		return transport.HTTPConnect(net.JoinHostPort(p.Host, strconv.Itoa(p.Port)), p.User, p.Password, nil)
	default:
		return transport.SOCKS5(net.JoinHostPort(p.Host, strconv.Itoa(p.Port)), p.User, p.Password, nil)
	}
}

// targetOf is where the mail of a goes.
func targetOf(a config.Account, spool string, owner deliver.Owner) deliver.Target {
	d := a.Deliver
	if d.MDA != nil {
		return deliver.NewMDA(deliver.MDAOptions{
			Argv:    d.MDA,
			Spool:   spool,
			CRLF:    d.CRLF,
			Timeout: d.Timeout,
			Account: a.Name,
			Owner:   owner,
		})
	}
	return deliver.NewMaildir(deliver.MaildirOptions{
		Path:   d.Maildir,
		Folder: d.Folder,
		Mode:   d.Mode,
		CRLF:   d.CRLF,
		Owner:  owner,
	})
}

// spoolOf is where messages wait for an MDA.
func spoolOf(cfg *config.Config) string { return filepath.Join(filepath.Dir(cfg.State), "spool") }
