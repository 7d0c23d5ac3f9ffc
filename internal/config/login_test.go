package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/secret"
)

// A1: every way to log in can be named.
func TestLogInsHaveNames(t *testing.T) {
	for _, auth := range authWords {
		lines := []string{"auth: " + auth}
		if auth == external {
			lines = []string{"auth: external", "password_netrc: false", "tls_client_cert: a", "tls_client_key: a"}
		}
		c, err := load(t, with(lines...))
		if err != nil || c.Accounts[0].Auth != auth || len(c.Warnings) > 0 {
			t.Errorf("%s: got %+v, %v", auth, c, err)
		}
	}
}

// A6: without a password it is asked for, unless there is something else to log in with.
func TestNoPassword(t *testing.T) {
	const (
		none  = "popsync.yaml:2:5: accounts[0].password: is not given: it is asked for on a terminal; popsync run and cron need password_command, password_file or another such key"
		token = "popsync.yaml:2:5: accounts[0].password: is not given: the token is asked for on a terminal; popsync run and cron need oauth2, or a password_command that prints it"
	)
	for line, want := range map[string]string{
		"enabled: true":                              none,
		"password_keyring: false":                    none,
		"password_netrc: false":                      none,
		"auth: scram-sha-256":                        none,
		"auth: xoauth2":                              token,
		"auth: oauthbearer":                          token,
		"oauth2: {provider: fastmail, client_id: x}": "",
		"auth: external\n    tls_client_cert: a\n    tls_client_key: a": "",
		"auth: auto\n    tls_client_cert: a\n    tls_client_key: a":     "", // a server that knows it takes EXTERNAL
		"tls_client_cert: a\n    tls_client_key: a":                     "",
		"auth: plain\n    tls_client_cert: a\n    tls_client_key: a":    none,
	} {
		t.Run(line, func(t *testing.T) {
			c, err := load(t, "accounts:\n  - name: work\n    host: pop.example.org\n    username: alice\n    deliver: {maildir: /m}\n    "+line+"\n")
			if err != nil {
				t.Fatal(err)
			}
			if got := Errors(c.Warnings).Error(); got != want || c.Accounts[0].Password.Given() {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// A8
func TestOAuth2(t *testing.T) {
	for name, c := range map[string]struct {
		written string
		want    OAuth2
	}{
		"the least": {
			"{provider: fastmail, client_id: x}",
			OAuth2{Provider: "fastmail", ClientID: "x", Grant: "code"},
		},
		"with a secret": {
			"{provider: google, client_id: x, client_secret: 0123}",
			OAuth2{Provider: "google", ClientID: "x", ClientSecret: secret.New("0123"), Grant: "code"},
		},
		"with a program": {
			"{provider: google, client_id: x, client_secret_command: pass x}",
			OAuth2{Provider: "google", ClientID: "x", ClientSecretCommand: []string{"sh", "-c", "pass x"}, Grant: "code"},
		},
		"without a person": {
			"{provider: microsoft, client_id: x, client_secret_command: [pass, x], tenant: example.org, grant: client_credentials}",
			OAuth2{
				Provider: "microsoft", ClientID: "x", ClientSecretCommand: []string{"pass", "x"}, Tenant: "example.org",
				Grant: "client_credentials",
			},
		},
		"by hand": {
			`{provider: custom, client_id: x, scopes: "a  b", auth_url: "HTTPS://h/a?b=c", token_url: "http://localhost:8080/t", device_url: "http://[::1]/d"}`,
			OAuth2{
				Provider: "custom", ClientID: "x", Scopes: []string{"a", "b"}, AuthURL: "HTTPS://h/a?b=c",
				TokenURL: "http://localhost:8080/t", DeviceURL: "http://[::1]/d", Grant: "code",
			},
		},
		"by hand, with a device": {
			`{provider: custom, client_id: x, scopes: ["https://mail.example.org/", a b], token_url: "https://h/t", device_url: "https://h/d"}`,
			OAuth2{
				Provider: "custom", ClientID: "x", Scopes: []string{"https://mail.example.org/", "a", "b"},
				TokenURL: "https://h/t", DeviceURL: "https://h/d", Grant: "code",
			},
		},
		"by hand, without a person": {
			`{provider: custom, client_id: x, client_secret: y, token_url: "https://h/t", grant: client_credentials}`,
			OAuth2{Provider: "custom", ClientID: "x", ClientSecret: secret.New("y"), TokenURL: "https://h/t", Grant: "client_credentials"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, with("oauth2: "+c.written, "password_netrc: false"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, got.Accounts[0].OAuth2); diff != "" || len(got.Warnings) > 0 {
				t.Errorf("%s, warnings %v", diff, got.Warnings)
			}
		})
	}
}

func TestWarningsOfOAuth2(t *testing.T) {
	for written, want := range map[string]string{
		"{provider: google, client_id: x}": "popsync.yaml:6:13: accounts[0].oauth2.client_secret: " +
			"is not given: google hands one out with the client id and gives no token without it",
		`{provider: google, client_id: x, client_secret: y, device_url: "https://h/d"}`: "popsync.yaml:6:76: accounts[0].oauth2.device_url: " +
			"is of no use: google lets no device flow at mail",
	} {
		c, err := load(t, with("oauth2: "+written, "password_netrc: false"))
		if err != nil {
			t.Fatal(err)
		}
		if got := Errors(c.Warnings).Error(); got != want {
			t.Errorf("%s\ngives %s\nwant  %s", written, got, want)
		}
	}
}

func TestErrorsOfLogIns(t *testing.T) {
	const fastmail = "oauth2: {provider: fastmail, client_id: x}"
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{
			"tokens and passwords",
			[]string{fastmail, "password: secret", "password_keyring: true"},
			"popsync.yaml:7:15: accounts[0].password: contradicts oauth2 in line 6, which gives the token in place of a password; take one of them out\n" +
				"popsync.yaml:8:23: accounts[0].password_keyring: contradicts oauth2 in line 6, which gives the token in place of a password; take one of them out",
		},
		{
			"two kinds of passwords",
			[]string{"password_keyring: true", "password_netrc: true"},
			"popsync.yaml:7:21: accounts[0].password_netrc: contradicts password_keyring in line 6; take one of them out",
		},
		{
			"tokens for a log-in without",
			[]string{fastmail, "auth: scram-sha-1", "password_netrc: false"},
			"popsync.yaml:7:11: accounts[0].auth: contradicts oauth2 in line 6, whose tokens are for auto, xoauth2 and oauthbearer",
		},
		{
			"T6: a certificate that is not there",
			[]string{"auth: external", "password_netrc: false"},
			"popsync.yaml:6:11: accounts[0].auth: external logs in with a certificate; write tls_client_cert and tls_client_key",
		},
		{
			"T6: a certificate and a password",
			[]string{"auth: external", "tls_client_cert: a", "tls_client_key: b", "password: x"},
			"popsync.yaml:9:15: accounts[0].password: contradicts auth: external in line 6, which shows a certificate in place of a password; take one of them out",
		},
		{
			"A1: a misspelt log-in",
			[]string{"auth: scram-sha256"},
			"popsync.yaml:7:11: accounts[0].auth: is none of auto, user, apop, plain, login, cram-md5, scram-sha-1, scram-sha-256, " +
				"xoauth2, oauthbearer and external",
		},
		{
			"C1: a key of oauth2 beside it",
			[]string{"client_id: x"},
			"popsync.yaml:7:5: accounts[0].client_id: unknown key here; it belongs in oauth2",
		},
		{
			"oauth2 is text",
			[]string{"oauth2: google", "password_netrc: false"},
			"popsync.yaml:6:13: accounts[0].oauth2: found text, expected keys with values: provider, client_id, client_secret …",
		},
	} {
		t.Run(c.name, func(t *testing.T) { wantErrors(t, with(c.lines...), c.want) })
	}
}

// A8, C1: secrets and URLs, which may hold some, are shown by none of the errors.
func TestErrorsOfOAuth2(t *testing.T) {
	const (
		noClient = "is missing; popsync has none of its own: register one with the provider, as docs/oauth2.md says"
		noURL    = "is no URL; write one such as https://login.example.org/token"
		noTenant = "is no directory; write its id or its domain, such as example.onmicrosoft.com, or common, organizations, consumers"
	)
	for _, c := range []struct{ name, written, want string }{
		{
			"nothing", "",
			"6:5: accounts[0].oauth2.provider: is missing; write google, microsoft or fastmail, or custom and the endpoints\n" +
				"6:5: accounts[0].oauth2.client_id: " + noClient,
		},
		{"no client", "{provider: fastmail}", "6:13: accounts[0].oauth2.client_id: " + noClient},
		{
			"C1: a misspelt provider", "{provider: gogle, client_id: x}",
			`6:24: accounts[0].oauth2.provider: is none of google, microsoft, fastmail and custom; did you mean "google"?`,
		},
		{
			"C1: a misspelt key", "{provider: fastmail, clientid: x}",
			`6:34: accounts[0].oauth2.clientid: unknown key; did you mean "client_id"?`,
		},
		{
			"two secrets", "{provider: google, client_id: x, client_secret: hunter2, client_secret_command: [x]}",
			"6:93: accounts[0].oauth2.client_secret_command: contradicts client_secret in line 6; take one of them out",
		},
		{
			"by hand with nothing", "{provider: custom, client_id: x}",
			"6:13: accounts[0].oauth2.token_url: is missing; for provider: custom popsync does not know where tokens come from\n" +
				"6:13: accounts[0].oauth2.auth_url: is missing; for provider: custom write auth_url, where access is allowed, or device_url",
		},
		{
			"by hand, without a person", "{provider: custom, client_id: x, client_secret: y, grant: client_credentials}",
			"6:13: accounts[0].oauth2.token_url: is missing; for provider: custom popsync does not know where tokens come from",
		},
		{
			"a tenant of another provider", "{provider: fastmail, client_id: x, tenant: y}",
			"6:56: accounts[0].oauth2.tenant: has no meaning for fastmail; only microsoft has tenants",
		},
		{"a tenant that is a path", "{provider: microsoft, client_id: x, tenant: a/b}", "6:57: accounts[0].oauth2.tenant: " + noTenant},
		{"a tenant with dots", "{provider: microsoft, client_id: x, tenant: ..}", "6:57: accounts[0].oauth2.tenant: " + noTenant},
		{
			"no such grant", "{provider: microsoft, client_id: x, grant: device}",
			"6:56: accounts[0].oauth2.grant: is none of code and client_credentials",
		},
		{
			"google without a person", "{provider: google, client_id: x, client_secret: y, grant: client_credentials}",
			"6:71: accounts[0].oauth2.grant: client_credentials is not to be had from google; take it out",
		},
		{
			"a client without a secret", "{provider: microsoft, client_id: x, tenant: y, grant: client_credentials}",
			"6:67: accounts[0].oauth2.grant: client_credentials needs client_secret or client_secret_command",
		},
		{
			"a client without a directory", "{provider: microsoft, client_id: x, client_secret: y, grant: client_credentials}",
			"6:74: accounts[0].oauth2.grant: client_credentials needs tenant, the id or domain of the directory",
		},
		{"an empty client", `{provider: fastmail, client_id: ""}`, "6:45: accounts[0].oauth2.client_id: is empty"},
		{"no scopes", "{provider: fastmail, client_id: x, scopes: []}", "6:56: accounts[0].oauth2.scopes: is empty; leave the key out for the provider's scopes"},
		{
			"a scope with a quote", `{provider: fastmail, client_id: x, scopes: [a, 'hunter2"']}`,
			"6:56: accounts[0].oauth2.scopes: element 2 holds a character that no scope may have",
		},
		{
			"scopes as keys", "{provider: fastmail, client_id: x, scopes: {a: b}}",
			"6:56: accounts[0].oauth2.scopes: found keys with values, expected text, or a list of texts",
		},
		{
			"http", `{provider: fastmail, client_id: x, token_url: "http://hunter2.example.org/t"}`,
			"6:59: accounts[0].oauth2.token_url: would send secrets in clear over the network; write https://",
		},
		{
			"ftp", `{provider: fastmail, client_id: x, auth_url: "ftp://hunter2/t"}`,
			"6:58: accounts[0].oauth2.auth_url: begins with another word than https://",
		},
		{
			"a user in the URL", `{provider: fastmail, client_id: x, device_url: "https://u:hunter2@h/t"}`,
			"6:60: accounts[0].oauth2.device_url: holds a user name before the host; take it out",
		},
		{
			"a fragment", `{provider: fastmail, client_id: x, token_url: "https://h/t#hunter2"}`,
			"6:59: accounts[0].oauth2.token_url: holds a #, which an endpoint may not; take out what begins there",
		},
		{
			"an empty fragment", `{provider: fastmail, client_id: x, token_url: "https://h/t#"}`,
			"6:59: accounts[0].oauth2.token_url: holds a #, which an endpoint may not; take out what begins there",
		},
		{"no URL", "{provider: fastmail, client_id: x, token_url: hunter2}", "6:59: accounts[0].oauth2.token_url: " + noURL},
		{"a blank in a URL", `{provider: fastmail, client_id: x, token_url: "https://h/hunter2 x"}`, "6:59: accounts[0].oauth2.token_url: " + noURL},
		{"no URL at all", `{provider: fastmail, client_id: x, token_url: "https://h:hunter2/"}`, "6:59: accounts[0].oauth2.token_url: " + noURL},
		{
			"no host", `{provider: fastmail, client_id: x, token_url: "https://hunter2..x/"}`,
			"6:59: accounts[0].oauth2.token_url: names no host; write one such as https://login.example.org/token",
		},
		{
			"no port", `{provider: fastmail, client_id: x, token_url: "https://h:0/"}`,
			"6:59: accounts[0].oauth2.token_url: has a port out of range; expected one from 1 to 65535",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, with("oauth2: "+c.written, "password_netrc: false"))
			if want := prefixed("popsync.yaml:", c.want); textOf(err) != want {
				t.Errorf("oauth2: %s\ngives %s\nwant  %s", c.written, textOf(err), want)
			}
		})
	}
}
