package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"popsync/fetch"
	"popsync/fetch/pop3"
	"popsync/internal/config"
	"popsync/internal/secret"
)

// A6: where each account's password comes from.
func TestSource(t *testing.T) {
	keyring.MockInit()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	if err := keyring.Set("popsync", "alice@pop.example.org", "of the keyring"); err != nil {
		t.Fatal(err)
	}
	netrc := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(netrc, []byte("machine pop.example.org login bob password no\nmachine pop.example.org login alice password netrc"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NETRC", netrc)
	t.Setenv("WORK_PASSWORD", "of the environment")
	s := newSecrets(&config.Config{}, newAsker(common{noInput: true}))
	for name, tt := range map[string]struct {
		account config.Account
		want    string
		err     string
	}{
		"keyring":                       {config.Account{Password: config.Password{Keyring: true}}, "of the keyring", ""},
		"netrc":                         {config.Account{Password: config.Password{Netrc: true}}, "netrc", ""},
		"environment":                   {config.Account{Password: config.Password{Env: "WORK_PASSWORD"}}, "of the environment", ""},
		"a command":                     {config.Account{Password: config.Password{Command: []string{"echo", "printed"}}, Timeout: 1e10}, "printed", ""},
		"external needs none":           {config.Account{Auth: "external"}, "", ""},
		"a certificate needs none":      {config.Account{Auth: "auto", ClientCert: "c"}, "", ""},
		"a certificate and a password":  {config.Account{Auth: "auto", ClientCert: "c", Password: config.Password{Literal: secret.New("x")}}, "x", ""},
		"a certificate, but auth plain": {config.Account{Auth: "plain", ClientCert: "c"}, "", "nobody is to be asked"},
		"nothing, and nobody to ask":    {config.Account{Auth: "auto"}, "", "nobody is to be asked"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.account.Name, tt.account.Host, tt.account.Username = "work", "pop.example.org", "alice"
			got, err := s.source("pop.example.org:995", tt.account)(t.Context())
			if got.Reveal() != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %q, %v, want %q, %s", got.Reveal(), err, tt.want, tt.err)
			}
		})
	}
}

// Each person's answer counts until the server has refused it.
func TestRefusedAnswerIsForgotten(t *testing.T) {
	refusal := &pop3.ResponseError{Command: "PASS", Text: "no"}
	for name, tt := range map[string]struct {
		err     *fetch.Error
		forgets bool
	}{
		"let in":                    {nil, false},
		"refused":                   {&fetch.Error{Kind: fetch.Refused, Err: refusal}, true},
		"not asked because of that": {&fetch.Error{Kind: fetch.Refused, Err: refusal, Repeated: true}, false},
		"nothing to log in with":    {&fetch.Error{Kind: fetch.Refused, Err: errors.New("no")}, false},
		"busy":                      {&fetch.Error{Kind: fetch.Busy, Err: refusal}, false},
	} {
		t.Run(name, func(t *testing.T) {
			forgotten := ""
			forgetting(func(account string) { forgotten = account })(
				fetch.Event{Kind: fetch.Ended, Account: "work", Result: &fetch.Result{Err: tt.err}})
			if (forgotten == "work") != tt.forgets {
				t.Errorf("forgotten: %q", forgotten)
			}
		})
	}
}
