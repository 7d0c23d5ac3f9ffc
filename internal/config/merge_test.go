package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/secret"
)

// What an account gives itself takes the place of the defaults that exclude it.
func TestDefaultsGiveWay(t *testing.T) {
	tokens := &OAuth2{Provider: "microsoft", ClientID: "x", Tenant: "t", ClientSecret: secret.New("s"), Grant: "code"}
	const block = "{provider: microsoft, client_id: x, tenant: t, client_secret: s}"
	for _, c := range []struct {
		name, defaults, account string
		want                    func(*Account) // makes the smallest account the one wanted
	}{
		{"a default block", "oauth2: " + block, "", func(a *Account) { a.OAuth2 = tokens }},
		{"password over password", "password_keyring: true", "password_netrc: true", func(a *Account) { a.Password.Netrc = true }},
		{"a password that is not given", "password_env: PW", "password_keyring: false", func(a *Account) { a.Password.Env = "PW" }},
		{"a source that is switched off", "password_netrc: true", "password_netrc: false", func(*Account) {}},
		{"password over block", "oauth2: " + block, "password_env: PW", func(a *Account) { a.Password.Env = "PW" }},
		{
			"password over block and its log-in", "oauth2: " + block + ", auth: xoauth2", "password_env: PW",
			func(a *Account) { a.Password.Env = "PW" },
		},
		{
			"a token of one's own stays one", "auth: xoauth2", "password_env: PW",
			func(a *Account) { a.Password.Env, a.Auth = "PW", "xoauth2" },
		},
		{"block over password", "password_env: PW", "oauth2: " + block, func(a *Account) { a.OAuth2 = tokens }},
		{"block over a log-in without", "auth: scram-sha-256", "oauth2: " + block, func(a *Account) { a.OAuth2 = tokens }},
		{
			"block under a log-in with", "auth: oauthbearer", "oauth2: " + block,
			func(a *Account) { a.OAuth2, a.Auth = tokens, "oauthbearer" },
		},
		{"a log-in without over block", "oauth2: " + block, "auth: plain", func(a *Account) { a.Auth = "plain" }},
		{
			"a log-in with, and block", "oauth2: " + block, "auth: xoauth2",
			func(a *Account) { a.OAuth2, a.Auth = tokens, "xoauth2" },
		},
		{
			"certificate over password and block", "password_env: PW, oauth2: " + block, "auth: external, tls_client_cert: /c, tls_client_key: /k",
			func(a *Account) { a.Auth, a.ClientCert, a.ClientKey = "external", "/c", "/k" },
		},
		{
			"password over the certificate's log-in", "auth: external, tls_client_cert: /c, tls_client_key: /k", "password_env: PW",
			func(a *Account) { a.Password.Env, a.ClientCert, a.ClientKey = "PW", "/c", "/k" },
		},
		{
			"block over block, key by key", "oauth2: " + block, "oauth2: {client_id: y, tenant: u, client_secret_command: [p], scopes: a}",
			func(a *Account) {
				a.OAuth2 = &OAuth2{
					Provider: "microsoft", ClientID: "y", Tenant: "u", ClientSecretCommand: []string{"p"}, Scopes: []string{"a"}, Grant: "code",
				}
			},
		},
		{
			"of another provider nothing stays", "oauth2: " + block, "oauth2: {provider: fastmail, client_id: z}",
			func(a *Account) { a.OAuth2 = &OAuth2{Provider: "fastmail", ClientID: "z", Grant: "code"} },
		},
		{
			"a provider for what the defaults begin", "oauth2: {client_id: x}", "oauth2: {provider: fastmail}",
			func(a *Account) { a.OAuth2 = &OAuth2{Provider: "fastmail", ClientID: "x", Grant: "code"} },
		},
		{
			"program over proxy", "proxy: 'socks5://h'", "connect_command: [a]",
			func(a *Account) { a.ConnectCommand = []string{"a"} },
		},
		{
			"proxy over program", "connect_command: [a]", "proxy: 'socks5://h'",
			func(a *Account) { a.Proxy = &Proxy{Scheme: "socks5", Host: "h", Port: 1080} },
		},
		{
			"socket over proxy", "proxy: 'socks5://h', port: 110", "host: 'unix:/s', tls: none",
			func(a *Account) { a.Host, a.Port, a.TLS = "unix:/s", 0, NoTLS },
		},
		{
			"no TLS over certificate", "tls_client_cert: /c, tls_client_key: /k", "host: localhost, tls: none",
			func(a *Account) { a.Host, a.Port, a.TLS = "localhost", 110, NoTLS },
		},
		{
			"certificate and key over theirs", "tls_client_cert: /c, tls_client_key: /k", "tls_client_cert: /d, tls_client_key: /d",
			func(a *Account) { a.ClientCert, a.ClientKey = "/d", "/d" },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			host := ", host: pop.example.org"
			if len(c.account) > 4 && c.account[:4] == "host" {
				host = ""
			}
			account := ""
			if c.account != "" {
				account = ", " + c.account
			}
			got, err := load(t, "defaults: {"+c.defaults+"}\naccounts: [{name: work"+host+", username: alice, deliver: {maildir: /m}"+account+"}]\n")
			if err != nil {
				t.Fatal(err)
			}
			want := smallest(t)
			want.Line, want.Password = 2, Password{}
			c.want(&want)
			if diff := cmp.Diff(want, got.Accounts[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// smallest is an account of defaults.
func smallest(t *testing.T) Account {
	t.Helper()
	c, err := load(t, with())
	if err != nil {
		t.Fatal(err)
	}
	return c.Accounts[0]
}

// T6: a certificate does not get the key of another one.
func TestCertificateTakesNoOtherKey(t *testing.T) {
	wantErrors(t, "defaults: {tls_client_cert: c, tls_client_key: k}\n"+with("tls_client_cert: d"),
		"popsync.yaml:8:22: accounts[0].tls_client_cert: needs tls_client_key too; one file may hold both certificate and key")
}
