package config

import (
	"io/fs"
	"time"

	"popsync/internal/secret"
)

// A Config is a configuration without errors: defaults filled in, paths absolute.
type Config struct {
	Path        string // of the file it was read from
	State       string // the UIDL database
	MaxParallel int    // accounts polled at once
	MaxPerHost  int    // of them on the same host
	Interval    time.Duration
	History     time.Duration // how far back popsync log remembers; 0: nothing is written down
	Accounts    []Account     // in the file's order, disabled ones too
	Warnings    []*Error      // what is allowed and worth a second look, for popsync check
}

// An Account is a mailbox on a server and where its mail goes.
type Account struct {
	Name string
	Line int // of its definition

	Host string // lower case; an address without brackets, or unix:/path
	Port int    // 0 with unix:

	TLS            TLS
	CAFile         string     // trusted as well; "" for none
	Pins           [][32]byte // SHA-256 of the certificate or of its public key; nil for the usual checks
	MinVersion     string     // "1.2" or "1.3"; "" for what popsync asks anyway
	ServerName     string     // for certificate and SNI; "" for Host
	ClientCert     string     // a PEM file to show to the server; "" for none
	ClientKey      string     // of ClientCert, a PEM file
	AllowCleartext bool

	Proxy          *Proxy   // nil without one
	ConnectCommand []string // argv; its standard input and output are the connection; nil for none

	Username string
	Password Password
	Auth     string  // auto, user, apop, plain, login, cram-md5, scram-sha-1, scram-sha-256, xoauth2, oauthbearer or external
	OAuth2   *OAuth2 // gives the token in place of a password; nil without the block

	Pipelining string // auto, always or never

	Keep       bool // leave messages on the server
	Interval   time.Duration
	Timeout    time.Duration // of each wait
	MaxSession time.Duration
	Enabled    bool

	MaxMessageSize int64 // octets; larger messages stay on the server; 0 for no limit
	MaxMessages    int   // per poll; 0 for all

	Deliver Deliver
}

// TLS says how a connection is protected.
type TLS string

const (
	Implicit TLS = "implicit" // from the first byte
	StartTLS TLS = "starttls" // STLS before the log-in, required
	NoTLS    TLS = "none"
)

// A Password says where an account's password, or its token, comes from. At most one field is
// set. With none it is asked for on a terminal, unless the log-in needs none.
type Password struct {
	Literal    secret.Value
	Command    []string // argv
	File       string
	Env        string // a variable of the environment
	Credential string // of systemd
	Keyring    bool   // the desktop's secret service has it
	Netrc      bool   // ~/.netrc has it
}

// Given tells whether the configuration says where the password comes from.
func (p Password) Given() bool {
	return p.Command != nil || p.File != "" || p.Env != "" || p.Credential != "" || p.Keyring || p.Netrc ||
		!p.Literal.IsZero()
}

// Source returns what fetches the password; a command gets timeout to print it, and run runs it.
func (p Password) Source(run secret.Runner, timeout time.Duration) secret.Source {
	switch {
	case p.Command != nil:
		return secret.Command(p.Command, timeout, run)
	case p.File != "":
		return secret.File(p.File)
	case p.Env != "":
		return secret.Env(p.Env)
	case p.Credential != "":
		return secret.Credential(p.Credential)
	default:
		return secret.Fixed(p.Literal)
	}
}

// An OAuth2 says how to come by tokens.
type OAuth2 struct {
	Provider            string // google, microsoft, fastmail or custom
	ClientID            string
	ClientSecret        secret.Value // empty for none, and with ClientSecretCommand
	ClientSecretCommand []string     // argv; nil for none
	Tenant              string       // of microsoft; "" for what the provider has
	Scopes              []string     // nil for the provider's
	AuthURL             string       // this and the other endpoints: "" for the provider's
	TokenURL            string
	DeviceURL           string
	Grant               string // code or client_credentials
}

// A Proxy is asked to connect to the server.
type Proxy struct {
	Scheme   string // socks5 or http
	Host     string // lower case; an address without brackets
	Port     int
	User     string // "" for no log-in
	Password secret.Value
}

// Deliver says where mail goes: either Maildir or MDA is set.
type Deliver struct {
	Maildir string
	Folder  string // Lists.go for a Maildir++ folder of Maildir; "" for itself
	MDA     []string
	Mode    fs.FileMode   // of a message's file
	CRLF    bool          // line ends as they came; otherwise LF
	Timeout time.Duration // of the MDA

	MaxAttempts int    // refusals by the MDA before a message is set aside; 0 without an MDA
	Quarantine  string // a Maildir for those; "" without an MDA

	TraceHeader bool // a header in front says how the message came
}
