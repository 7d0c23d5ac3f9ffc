package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"popsync/deliver"
	"popsync/fetch"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/internal/command"
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
	store    *uidl.DB        // nil in a dry run without a state
	owner    deliver.Owner   // of the files that this process stages
}

// open makes everything ready for polls of the accounts named, or of all that are enabled. A dry
// run does not create the state where there is none yet. The caller closes the parts.
func open(ctx context.Context, o common, cfg *config.Config, names []string, dryRun bool) (*parts, error) {
	chosen, err := cfg.Select(names)
	if err != nil {
		return nil, err
	}
	accounts, _ := accountsOf(cfg, chosen, o) // what is wrong with one is its failure, when its turn comes
	if _, err := os.Stat(cfg.State); dryRun && errors.Is(err, fs.ErrNotExist) {
		return &parts{config: cfg, accounts: accounts}, nil
	}
	store, err := uidl.Open(ctx, cfg.State, uidl.Options{})
	if err != nil {
		return nil, err
	}
	owner := deliver.NewOwner(store.ID())
	for i, a := range chosen {
		accounts[i].Target = targetOf(a, spoolOf(cfg), owner)
	}
	return &parts{cfg, accounts, store, owner}, nil
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
func accountsOf(cfg *config.Config, chosen []config.Account, o common) ([]fetch.Account, error) {
	s := newSecrets(cfg, o.noInput)
	var accounts []fetch.Account
	var errs several
	for _, a := range chosen {
		account, err := accountOf(a, s)
		if err != nil {
			err = &configError{fmt.Errorf("%s:%d: %s: %w", cfg.Path, a.Line, a.Name, err), ""}
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

// tlsOf trusts the system's CAs, and the account's own besides.
func tlsOf(a config.Account) (*tls.Config, error) {
	name, err := transport.ASCII(cmp.Or(a.ServerName, a.Host))
	if err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}
	if a.ClientCert != "" {
		cert, err := clientCertificate(a)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{cert}
	}
	if a.MinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	if a.Pins != nil {
		pins := make([]fetch.Pin, len(a.Pins))
		for i, p := range a.Pins {
			pins[i] = p
		}
		fetch.Pinned(c, pins)
	}
	if a.CAFile == "" {
		return c, nil
	}
	if err := regular(a.CAFile); err != nil {
		return nil, fmt.Errorf("tls_ca_file %s: %w", a.CAFile, err)
	}
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tls_ca_file %s: %w", a.CAFile, reason(err))
	}
	c.RootCAs, err = x509.SystemCertPool()
	if err != nil { // a machine without any
		c.RootCAs = x509.NewCertPool()
	}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls_ca_file %s: holds no certificate in PEM", a.CAFile)
	}
	return c, nil
}

// clientCertificate is what a shows to its server. Nobody else may read the key.
func clientCertificate(a config.Account) (tls.Certificate, error) {
	info, err := os.Stat(a.ClientKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_client_key %s: %w", a.ClientKey, reason(err))
	}
	if err := both(secret.CheckOwner(a.ClientKey, info, os.Getuid()), secret.CheckMode(a.ClientKey, info, os.Getuid())); err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_client_key: %w", err)
	}
	if err := cmp.Or(regular(a.ClientKey), regular(a.ClientCert)); err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_client_cert %s, tls_client_key %s: %w", a.ClientCert, a.ClientKey, err)
	}
	cert, err := tls.LoadX509KeyPair(a.ClientCert, a.ClientKey)
	if err != nil {
		return cert, fmt.Errorf("tls_client_cert %s, tls_client_key %s: %w", a.ClientCert, a.ClientKey, reason(err))
	}
	return cert, nil
}

// regular refuses what may have no end, or none yet, such as a named pipe.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return reason(err)
	case !info.Mode().IsRegular():
		return errors.New("is no file")
	}
	return nil
}

// reason is err without the path, which stands in front already.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
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
	return errors.New(strings.TrimPrefix(err.Error(), program+": "))
}

// withoutPasswords is env without the variables that password_env names.
func withoutPasswords(env []string, accounts []config.Account) []string {
	return slices.DeleteFunc(slices.Clone(env), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.ContainsFunc(accounts, func(a config.Account) bool { return a.Password.Env == name })
	})
}
