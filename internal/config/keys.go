package config

import "slices"

// A key is one word of the configuration.
type key struct {
	name string
	kind kind  // of its value
	keys []key // where the value is a mapping, the keys in it
	list bool  // of such mappings
	when availability
	doc  string // one line for people
}

// An availability says which values of a key this version of popsync can act upon. The zero value
// is all of them. Other values that DESIGN knows are an error, never ignored.
type availability struct {
	limited bool
	values  []string // as they are written
	key     bool     // limited to values that do nothing: the key itself is missing
}

// only limits a key to some of its values.
func only(values ...string) availability { return availability{limited: true, values: values} }

// later is a key whose work comes with a later version. Its default, where it can be written
// down, is accepted: it asks for nothing.
func later(defaults ...string) availability {
	return availability{limited: true, values: defaults, key: true}
}

// topKeys is the whole configuration: every key, where it may stand, and what of it works today.
var topKeys = []key{
	{name: "state", kind: aPath, doc: "the UIDL database: what has been fetched"},
	{name: "max_parallel", kind: number(1, 10000), doc: "accounts polled at once"},
	{name: "max_per_host", kind: number(1, 10000), doc: "accounts polled at once on the same host"},
	{name: "interval", kind: aWait, doc: "time between polls of an account"},
	{name: "history", kind: aDuration, doc: "how long popsync log remembers; 0s for not at all"},
	{name: "log", doc: "how popsync run logs", keys: []key{
		{name: "format", kind: choice("text", "json"), when: later("text"), doc: "text or json"},
		{name: "file", kind: aPath, when: later(""), doc: "a file instead of standard error"},
	}},
	{name: "listen", kind: anyText, when: later(""), doc: "address of metrics, health and status page"},
	{name: "metrics_file", kind: aPath, when: later(""), doc: "metrics for node_exporter's textfile collector"},
	{name: "hooks", doc: "programs that are told what happens", keys: []key{
		{name: "new_mail", kind: anArgv, when: later("[]"), doc: "run after new mail was delivered"},
		{name: "failure", kind: anArgv, when: later("[]"), doc: "run when an account fails"},
		{name: "recovery", kind: anArgv, when: later("[]"), doc: "run when a failing account works again"},
	}},
	{name: "defaults", keys: without(accountKeys, "name"), doc: "keys that hold for every account that has no value of its own"},
	{name: "accounts", keys: accountKeys, list: true, doc: "the mailboxes to fetch from"},
}

// accountKeys may stand in an account and, but for name, in defaults.
var accountKeys = []key{
	{name: "name", kind: aName, doc: "how the account is called everywhere"},
	{name: "host", kind: aHost, doc: "the server's name or address, or unix:/path"},
	{name: "port", kind: number(1, 65535), doc: "995 with implicit TLS, 110 otherwise"},
	{name: "tls", kind: choice("implicit", "starttls", "none"), doc: "how the connection is protected"},
	{name: "tls_ca_file", kind: aPath, doc: "certificates (PEM) to trust as well"},
	{name: "tls_fingerprint", kind: aPin, doc: "the certificate or public key to accept, and no other"},
	{name: "tls_min_version", kind: choice("1.2", "1.3"), doc: "the oldest TLS version to accept"},
	{name: "tls_server_name", kind: anyText, doc: "the name that the certificate has to bear"},
	{name: "tls_client_cert", kind: aPath, doc: "a certificate (PEM) to show to the server"},
	{name: "tls_client_key", kind: aPath, doc: "the key (PEM) of tls_client_cert"},
	{name: "allow_cleartext", kind: aBoolean, doc: "whether tls: none may leave this machine"},
	{name: "username", kind: aUserName, doc: "the name to log in with"},
	{name: "password", kind: aPassword, doc: "the password itself"},
	{name: "password_command", kind: aCommand, doc: "a program that prints the password"},
	{name: "password_file", kind: aPath, doc: "a file that holds the password"},
	{name: "password_env", kind: aVariable, doc: "an environment variable that holds the password"},
	{name: "password_credential", kind: anyText, doc: "a systemd credential that holds the password"},
	{name: "password_keyring", kind: aBoolean, doc: "whether the desktop's secret service has the password"},
	{name: "password_netrc", kind: aBoolean, doc: "whether ~/.netrc has the password"},
	{name: "auth", kind: choice(authWords...), doc: "how to log in"},
	{name: "oauth2", keys: oauth2Keys, doc: "log in with OAuth2 tokens"},
	{name: "keep", kind: aRetention, when: only("true", "false"), doc: "whether messages stay on the server"},
	{name: "backlog", kind: aBacklog, when: only("all"), doc: "what to fetch at the very first poll"},
	{name: "interval", kind: aWait, doc: "time between polls of this account"},
	{name: "timeout", kind: aWait, doc: "the longest wait for the server"},
	{name: "max_session", kind: aWait, doc: "the longest time for one poll"},
	{name: "max_message_size", kind: aLimit, doc: "leave larger messages on the server"},
	{name: "max_messages", kind: number(0, 1_000_000), doc: "messages per poll; 0 for all"},
	{name: "pipelining", kind: choice("auto", "always", "never"), doc: "whether to send commands ahead"},
	{name: "proxy", kind: aProxy, doc: "a SOCKS5 or HTTP proxy"},
	{name: "connect_command", kind: anArgv, doc: "a program that connects to the server"},
	{name: "enabled", kind: aBoolean, doc: "whether the account is polled without being named"},
	{name: "deliver", doc: "where the mail goes", keys: []key{
		{name: "maildir", kind: aPath, doc: "a Maildir; it is created if it is missing"},
		{name: "folder", kind: aFolder, doc: "a Maildir++ folder of it"},
		{name: "mda", kind: anArgv, doc: "a program that takes a message on standard input"},
		{name: "mode", kind: aMode, doc: "of a message's file in the Maildir"},
		{name: "line_ends", kind: choice("lf", "crlf"), doc: "of delivered messages"},
		{name: "timeout", kind: aWait, doc: "the longest run of the MDA"},
		{name: "max_attempts", kind: number(1, 65_535), doc: "refusals by the MDA before a message is set aside"},
		{name: "quarantine", kind: aPath, doc: "a Maildir for messages set aside"},
		{name: "trace_header", kind: aBoolean, doc: "whether to add a header that says how mail came"},
	}},
}

// oauth2Keys may stand in oauth2.
var oauth2Keys = []key{
	{name: "provider", kind: choice("google", "microsoft", "fastmail", "custom"), doc: "whose endpoints and scopes to use"},
	{name: "client_id", kind: anyText, doc: "the application's name at the provider"},
	{name: "client_secret", kind: aPassword, doc: "the application's secret, where the provider gives one"},
	{name: "client_secret_command", kind: aCommand, doc: "a program that prints the client's secret"},
	{name: "tenant", kind: aTenant, doc: "microsoft: the directory that the account belongs to"},
	{name: "scopes", kind: someScopes, doc: "what to ask for, in place of the provider's"},
	{name: "auth_url", kind: anEndpoint, doc: "the authorization endpoint, in place of the provider's"},
	{name: "token_url", kind: anEndpoint, doc: "the token endpoint, in place of the provider's"},
	{name: "device_url", kind: anEndpoint, doc: "the device authorization endpoint, in place of the provider's"},
	{name: "grant", kind: choice("code", "client_credentials"), doc: "whether a person allows access, or the client itself may"},
}

// authWords are the ways to log in.
var authWords = []string{
	"auto", "user", "apop", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256", "xoauth2", "oauthbearer", "external",
}

// takesTokens tells whether a way to log in may be one with an OAuth2 token.
func takesTokens(auth string) bool { return auth == defaultAuth || needsToken(auth) }

// needsToken tells whether a way to log in takes an OAuth2 token and nothing else.
func needsToken(auth string) bool { return auth == "xoauth2" || auth == "oauthbearer" }

// passwordKeys are the ways to a password: an account has one of them.
var passwordKeys = []string{
	"password", "password_command", "password_file", "password_env", "password_credential",
	"password_keyring", "password_netrc",
}

// tlsKeys say how to do TLS, and nothing without it.
var tlsKeys = []string{
	"tls_ca_file", "tls_fingerprint", "tls_min_version", "tls_server_name", "tls_client_cert", "tls_client_key",
}

// clientCertKeys go together.
var clientCertKeys = []string{"tls_client_cert", "tls_client_key"}

// wayKeys are ways to the server other than a connection of one's own: an account has one of
// them at most.
var wayKeys = []string{"proxy", "connect_command"}

// clientSecretKeys are the ways to a client's secret: oauth2 has one of them at most.
var clientSecretKeys = []string{"client_secret", "client_secret_command"}

// otherWords are what other programs call a key.
var otherWords = map[string]string{
	"server": "host", "hostname": "host", "address": "host",
	"user": "username", "login": "username", "pass": "password", "passwd": "password",
	"ssl": "tls", "type": "tls", "ca_file": "tls_ca_file", "fingerprint": "tls_fingerprint",
	"delete": "keep", "poll": "interval", "path": "maildir", "destination": "deliver",
}

func without(keys []key, name string) []key {
	return slices.DeleteFunc(slices.Clone(keys), func(k key) bool { return k.name == name })
}

// lookup returns the key called name.
func lookup(keys []key, name string) (key, bool) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return key{}, false
	}
	return keys[i], true
}

func names(keys []key) []string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.name
	}
	return all
}

// A KeyDoc describes one key for people.
type KeyDoc struct {
	Name      string // with those it stands in: accounts.deliver.maildir
	Expects   string // what its value may be
	Doc       string
	Available bool // in this version, with one value or all
}

// Keys describes every key, in the order of the table. Those of defaults are those of accounts
// and not repeated.
func Keys() []KeyDoc { return describeKeys("", true, topKeys) }

func describeKeys(within string, available bool, keys []key) []KeyDoc {
	var docs []KeyDoc
	for _, k := range keys {
		doc := KeyDoc{Name: within + k.name, Expects: k.kind.expects, Doc: k.doc, Available: available && !k.when.key}
		if k.keys != nil {
			doc.Expects = "keys of its own"
		}
		docs = append(docs, doc)
		if k.name != "defaults" {
			docs = append(docs, describeKeys(doc.Name+".", doc.Available, k.keys)...)
		}
	}
	return docs
}
