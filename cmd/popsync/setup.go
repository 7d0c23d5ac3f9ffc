package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"popsync/deliver"
	"popsync/fetch"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/internal/config"
	"popsync/internal/provider"
	"popsync/internal/secret"
	"popsync/internal/transport"
)

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
	var errs []error
	for _, a := range chosen {
		account, err := accountOrFailure(cfg, a, s)
		accounts, errs = append(accounts, account), append(errs, err)
	}
	return accounts, both(errs...)
}

// accountOrFailure is an account that cannot be polled where something is wrong with it.
func accountOrFailure(cfg *config.Config, a config.Account, s secrets) (fetch.Account, error) {
	account, err := accountOf(a, s)
	if err == nil {
		return account, nil
	}
	err = &configError{fmt.Errorf("%s:%d: %s: %w", cfg.Path, a.Line, a.Name, err), adviceOf(err)}
	account.Password = unusable(err)
	return account, err
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

// giveTarget says where the mail of a goes, and what an agent refuses too often.
func giveTarget(account *fetch.Account, a config.Account, state string, owner deliver.Owner) {
	d := a.Deliver
	var header deliver.Trace
	if d.TraceHeader {
		header = traceHeader(a, time.Now)
	}
	if d.MDA == nil {
		account.Target = deliver.NewMaildir(deliver.MaildirOptions{
			Path: d.Maildir, Folder: d.Folder, Mode: d.Mode, CRLF: d.CRLF, Owner: owner, Trace: header,
		})
		return
	}
	account.Target = deliver.NewMDA(deliver.MDAOptions{
		Argv: d.MDA, Spool: spoolOf(state), CRLF: d.CRLF, Timeout: d.Timeout, Account: a.Name, Owner: owner, Trace: header,
	})
	account.MaxAttempts = d.MaxAttempts
	account.Quarantine = deliver.NewQuarantine(deliver.MaildirOptions{Path: d.Quarantine, Owner: owner})
}

// traceHeader makes the field that says how a message came (D10). UIDs are foreign bytes.
func traceHeader(a config.Account, now func() time.Time) deliver.Trace {
	server := fetch.Server{Host: a.Host, Port: a.Port}
	return func(uid string) string {
		return fmt.Sprintf("X-Popsync: from %s (account %s)\n\tuid %s;\n\t%s\n",
			server, a.Name, printable(uid), now().Format(time.RFC1123Z))
	}
}

// printable is a UID in ASCII and short enough for a line of a header (RFC 5322, section 2.1.1).
func printable(uid string) string {
	quoted := strconv.QuoteToASCII(uid)
	return quoted[:min(len(quoted), 200)]
}

// spoolOf is where messages wait for an MDA.
func spoolOf(state string) string { return filepath.Join(filepath.Dir(state), "spool") }
