package config

import (
	"io/fs"
	"path/filepath"
	"time"

	"popsync/internal/secret"
)

// The defaults of keys that are not given.
const (
	defaultMaxParallel = 16
	defaultMaxPerHost  = 4
	defaultInterval    = 5 * time.Minute
	defaultTimeout     = 60 * time.Second // Dovecot was seen to hold back a reply for 17 s after failures
	defaultMaxSession  = 30 * time.Minute
	defaultMode        = fs.FileMode(0o600)
	defaultAuth        = "auto"
	defaultGrant       = "code"
	defaultHistory     = 90 * 24 * time.Hour
	defaultMaxAttempts = 10
)

// build makes the configuration of a file without errors.
func build(top object, accounts []object) *Config {
	c := &Config{
		State:       get(top, "state", ""),
		MaxParallel: get(top, "max_parallel", defaultMaxParallel),
		MaxPerHost:  get(top, "max_per_host", defaultMaxPerHost),
		Interval:    get(top, "interval", defaultInterval),
		History:     get(top, "history", defaultHistory),
	}
	for _, o := range accounts {
		a := buildAccount(o, c.Interval)
		a.Deliver = buildDeliver(get(o, "deliver", object{}), a, filepath.Dir(c.State))
		c.Accounts = append(c.Accounts, a)
	}
	return c
}

func buildAccount(o object, interval time.Duration) Account {
	a := Account{
		Name:           get(o, "name", ""),
		Line:           o.line,
		Host:           get(o, "host", ""),
		Port:           portOf(o),
		TLS:            TLS(get(o, "tls", string(Implicit))),
		CAFile:         get(o, "tls_ca_file", ""),
		Pins:           get[[][32]byte](o, "tls_fingerprint", nil),
		MinVersion:     get(o, "tls_min_version", ""),
		ServerName:     get(o, "tls_server_name", ""),
		ClientCert:     get(o, "tls_client_cert", ""),
		ClientKey:      get(o, "tls_client_key", ""),
		AllowCleartext: get(o, "allow_cleartext", false),
		Proxy:          get[*Proxy](o, "proxy", nil),
		ConnectCommand: get[[]string](o, "connect_command", nil),
		Username:       get(o, "username", ""),
		Auth:           get(o, "auth", defaultAuth),
		Pipelining:     get(o, "pipelining", "auto"),
		Keep:           get(o, "keep", true),
		Interval:       get(o, "interval", interval),
		Timeout:        get(o, "timeout", defaultTimeout),
		MaxSession:     get(o, "max_session", defaultMaxSession),
		Enabled:        get(o, "enabled", true),
		MaxMessageSize: get[int64](o, "max_message_size", 0),
		MaxMessages:    get(o, "max_messages", 0),
	}
	a.Password = buildPassword(o)
	a.OAuth2 = buildOAuth2(o)
	return a
}

func buildPassword(o object) Password {
	return Password{
		Literal:    get(o, "password", secret.Value{}),
		Command:    get[[]string](o, "password_command", nil),
		File:       get(o, "password_file", ""),
		Env:        get(o, "password_env", ""),
		Credential: get(o, "password_credential", ""),
		Keyring:    get(o, "password_keyring", false),
		Netrc:      get(o, "password_netrc", false),
	}
}

// buildOAuth2 returns nil where an account has no such block.
func buildOAuth2(account object) *OAuth2 {
	o, ok := account.entries["oauth2"].value.(object)
	if !ok {
		return nil
	}
	return &OAuth2{
		Provider:            get(o, "provider", ""),
		ClientID:            get(o, "client_id", ""),
		ClientSecret:        get(o, "client_secret", secret.Value{}),
		ClientSecretCommand: get[[]string](o, "client_secret_command", nil),
		Tenant:              get(o, "tenant", ""),
		Scopes:              get[[]string](o, "scopes", nil),
		AuthURL:             get(o, "auth_url", ""),
		TokenURL:            get(o, "token_url", ""),
		DeviceURL:           get(o, "device_url", ""),
		Grant:               get(o, "grant", defaultGrant),
	}
}

// buildDeliver is where the mail of a goes. What is set aside lies in home, beside the state,
// unless the account says otherwise.
func buildDeliver(o object, a Account, home string) Deliver {
	d := Deliver{
		Maildir:     get(o, "maildir", ""),
		Folder:      get(o, "folder", ""),
		MDA:         get[[]string](o, "mda", nil),
		Mode:        get(o, "mode", defaultMode),
		CRLF:        get(o, "line_ends", "lf") == "crlf",
		Timeout:     get(o, "timeout", a.Timeout),
		TraceHeader: get(o, "trace_header", false),
	}
	if d.MDA != nil {
		d.MaxAttempts = get(o, "max_attempts", defaultMaxAttempts)
		d.Quarantine = get(o, "quarantine", filepath.Join(home, "quarantine", a.Name))
	}
	return d
}

// portOf is the port of an account: its own, or what belongs to its kind of TLS.
func portOf(o object) int {
	otherwise := 110
	switch {
	case isUnix(get(o, "host", "")):
		return 0
	case TLS(get(o, "tls", string(Implicit))) == Implicit:
		otherwise = 995
	}
	return get(o, "port", otherwise)
}
