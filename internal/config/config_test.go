package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/secret"
)

// Three keys and a password make an account; every other key has its default.
func TestSmallestAccount(t *testing.T) {
	c, err := load(t, with())
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := os.Getwd()
	want := &Config{
		Path:        filepath.Join(dir, "popsync.yaml"),
		State:       "/home/alice/.local/state/popsync/state.db",
		MaxParallel: 16,
		MaxPerHost:  4,
		Interval:    5 * time.Minute,
		History:     90 * 24 * time.Hour,
		Accounts: []Account{{
			Name: "work", Line: 2,
			Host: "pop.example.org", Port: 995, TLS: Implicit,
			Username: "alice", Password: Password{Literal: secret.New("secret")}, Auth: "auto",
			Pipelining: "auto",
			Keep:       true, Enabled: true,
			Interval: 5 * time.Minute, Timeout: time.Minute, MaxSession: 30 * time.Minute,
			Deliver: Deliver{Maildir: "/m", Mode: 0o600, Timeout: time.Minute},
		}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKeyThatWorks(t *testing.T) {
	const text = `
state: s.db
max_parallel: 3
max_per_host: 2
interval: 1h30m
history: 1d12h
accounts:
  - name: a.b-c_1
    host: POP.Example.ORG
    port: 110
    tls: starttls
    tls_ca_file: ca.pem
    tls_min_version: 1.3
    tls_server_name: mail.example.org
    tls_client_cert: cert.pem
    tls_client_key: ~/key.pem
    allow_cleartext: true
    proxy: http://gate.EXAMPLE.org
    username: "alice %d \"x\" ü"
    password_command: [pass, show, mail/work]
    auth: user
    keep: false
    backlog: all
    interval: 2m
    timeout: 90s
    max_session: 1d
    max_messages: 100
    max_message_size: 50MB
    pipelining: auto
    enabled: false
    deliver:
      maildir: ${MAIL}/work
      folder: Lists.go
      mode: 0640
      line_ends: crlf
      timeout: 5m
      trace_header: true
`
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(c.Path)
	want := &Config{
		Path: c.Path, State: filepath.Join(dir, "s.db"),
		MaxParallel: 3, MaxPerHost: 2, Interval: 90 * time.Minute, History: 36 * time.Hour,
		Accounts: []Account{{
			Name: "a.b-c_1", Line: 8,
			Host: "pop.example.org", Port: 110, TLS: StartTLS,
			CAFile: filepath.Join(dir, "ca.pem"), MinVersion: "1.3", ServerName: "mail.example.org", AllowCleartext: true,
			ClientCert: filepath.Join(dir, "cert.pem"), ClientKey: "/home/alice/key.pem",
			Proxy:    &Proxy{Scheme: "http", Host: "gate.example.org", Port: 8080},
			Username: `alice %d "x" ü`, Password: Password{Command: []string{"pass", "show", "mail/work"}}, Auth: "user",
			Pipelining: "auto",
			Interval:   2 * time.Minute, Timeout: 90 * time.Second, MaxSession: 24 * time.Hour,
			MaxMessages: 100, MaxMessageSize: 50_000_000,
			Deliver: Deliver{Maildir: "/srv/mail/work", Folder: "Lists.go", Mode: 0o640, CRLF: true, Timeout: 5 * time.Minute, TraceHeader: true},
		}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestHistoryMayBeNone(t *testing.T) {
	c, err := load(t, "history: 0s\n"+with())
	if err != nil || c.History != 0 {
		t.Errorf("history: %+v, %v; want none", c, err)
	}
}

// D7: what an MDA refuses too often has its place beside the state unless the account names another.
func TestKeysOfAnMDA(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		attempts    int
		quarantine  string
	}{
		{"defaults", "deliver: {mda: [/bin/x]}", 10, "/var/lib/popsync/quarantine/work"},
		{"own ones", "deliver: {mda: [/bin/x], max_attempts: 1, quarantine: '~/refused'}", 1, "/home/alice/refused"},
		{"the most", "deliver: {mda: [/bin/x], max_attempts: 65535}", 65_535, "/var/lib/popsync/quarantine/work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, "state: /var/lib/popsync/state.db\n"+with(c.lines))
			if err != nil {
				t.Fatal(err)
			}
			want := Deliver{
				MDA: []string{"/bin/x"}, Mode: 0o600, Timeout: time.Minute, MaxAttempts: c.attempts, Quarantine: c.quarantine,
			}
			if diff := cmp.Diff(want, got.Accounts[0].Deliver); diff != "" || len(got.Warnings) > 0 {
				t.Errorf("%s, warnings %v", diff, got.Warnings)
			}
		})
	}
}

// A Maildir refuses no message. What is given for an MDA does nothing, which an account's own line
// is told, and the defaults, which have other accounts in mind, are not.
func TestKeysOfAnMDABesideAMaildir(t *testing.T) {
	const idle = "deliver: {maildir: /m, max_attempts: 3, quarantine: /q}"
	const meaning = "is for messages that an MDA refuses; it has no meaning for a Maildir"
	for _, c := range []struct {
		name, text string
		warnings   []string
	}{
		{"in the account", with(idle), []string{
			"popsync.yaml:6:42: accounts[0].deliver.max_attempts: " + meaning,
			"popsync.yaml:6:57: accounts[0].deliver.quarantine: " + meaning,
		}},
		{"in the defaults", "defaults: {deliver: {max_attempts: 3, quarantine: /q}}\n" + with(), nil},
		{
			"in the defaults beside their Maildir",
			"defaults: {" + idle + "}\naccounts: [{name: work, host: pop.example.org, username: alice, password: secret}]\n", nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, c.text)
			if err != nil {
				t.Fatal(err)
			}
			var warnings []string
			for _, w := range got.Warnings {
				warnings = append(warnings, w.Error())
			}
			if diff := cmp.Diff(c.warnings, warnings); diff != "" {
				t.Error(diff)
			}
			if d := got.Accounts[0].Deliver; d.MaxAttempts != 0 || d.Quarantine != "" {
				t.Errorf("a Maildir has %+v", d)
			}
		})
	}
}

// Keys of later versions may be given with the value that they have anyway.
func TestDefaultsOfLaterKeysAreAccepted(t *testing.T) {
	const top = `
log: {format: text, file: ""}
listen: ""
metrics_file: ""
hooks: {new_mail: [], failure: [], recovery: []}
defaults: {}
`
	if _, err := load(t, top+with("keep: true", "backlog: all")); err != nil {
		t.Error(err)
	}
}

// A password is the text as it stands in the file, whatever YAML takes it for.
func TestPasswordsAsWritten(t *testing.T) {
	for written, want := range map[string]string{
		"123456":           "123456",
		"0123":             "0123",
		"1_000":            "1_000",
		"1e5":              "1e5",
		"true":             "true",
		"yes":              "yes",
		"2026-11-24":       "2026-11-24",
		"12:30:45":         "12:30:45",
		"a#b":              "a#b",
		"a b":              "a b",
		`"#abc"`:           "#abc",
		`'!x'`:             "!x",
		`'a #b'`:           "a #b",
		`"null"`:           "null",
		`'it''s'`:          "it's",
		`"a\tb"`:           "a\tb",
		"pässwörd":         "pässwörd",
		`"x" #comment`:     "x",
		"secret # comment": "secret",
	} {
		t.Run(written, func(t *testing.T) {
			c, err := load(t, with("password: "+written))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Accounts[0].Password.Literal.Reveal(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestPasswordSources(t *testing.T) {
	for line, want := range map[string]Password{
		"password: x":                          {Literal: secret.New("x")},
		"password_command: pass x | head -1":   {Command: []string{"sh", "-c", "pass x | head -1"}},
		`password_command: [pass, 42, "", ~b]`: {Command: []string{"pass", "42", "", "~b"}},
		"password_file: ~/pw":                  {File: "/home/alice/pw"},
		"password_env: WORK_PASSWORD":          {Env: "WORK_PASSWORD"},
		"password_credential: mail":            {Credential: "mail"},
		"password_keyring: true":               {Keyring: true},
		"password_netrc: true":                 {Netrc: true},
	} {
		t.Run(line, func(t *testing.T) {
			c, err := load(t, with(line))
			if err != nil {
				t.Fatal(err)
			}
			got := c.Accounts[0].Password
			if diff := cmp.Diff(want, got); diff != "" || !got.Given() || len(c.Warnings) > 0 {
				t.Errorf("%s, given: %v, warnings %v", diff, got.Given(), c.Warnings)
			}
		})
	}
}

// Each source of a password is asked for what the configuration says.
func TestPasswordIsFetched(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"file", "credential"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("POPSYNC_TEST_PASSWORD", "env")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	run := func(_ context.Context, argv []string) (stdout, stderr []byte, err error) {
		return []byte(argv[0]), nil, nil
	}
	for want, p := range map[string]Password{
		"literal":    {Literal: secret.New("literal")},
		"command":    {Command: []string{"command"}},
		"file":       {File: filepath.Join(dir, "file")},
		"env":        {Env: "POPSYNC_TEST_PASSWORD"},
		"credential": {Credential: "credential"},
	} {
		got, err := p.Source(run, time.Minute)(t.Context())
		if err != nil || got.Reveal() != want {
			t.Errorf("%s: got %q, %v", want, got.Reveal(), err)
		}
	}
}

func TestHosts(t *testing.T) {
	for line, want := range map[string]string{
		"host: POP.example.ORG":  "pop.example.org",
		"host: pop3":             "pop3",
		"host: MÜNCHEN.example":  "münchen.example",
		"host: 192.0.2.1":        "192.0.2.1",
		"host: 2001:DB8::1":      "2001:db8::1",
		`host: "[::1]"`:          "::1",
		"host: fe80::1%eth0":     "fe80::1%eth0",
		"host: pop.example.org.": "pop.example.org.",
	} {
		t.Run(line, func(t *testing.T) {
			c, err := load(t, with(line))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Accounts[0].Host; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// T7: these do not leave the machine.
func TestCleartextStaysHere(t *testing.T) {
	for host, port := range map[string]int{
		"localhost": 110, "LOCALHOST": 110, "mail.localhost": 110, "127.0.0.1": 110, "127.9.9.9": 110,
		"::1": 110, "::ffff:127.0.0.1": 110, "unix:/run/pop.sock": 0,
	} {
		t.Run(host, func(t *testing.T) {
			c, err := load(t, with("host: "+host, "tls: none"))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Accounts[0].Port; got != port || len(c.Warnings) > 0 {
				t.Errorf("port %d, want %d; warnings %v", got, port, c.Warnings)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"T7, A1: clear text that is allowed, without a password in it": {
			[]string{"tls: none", "allow_cleartext: true"},
			"popsync.yaml:7:10: accounts[0].tls: mail crosses the network in clear; auth: auto sends no password that way, " +
				"so the account fails where the server has none of SCRAM, CRAM-MD5 and APOP; auth: user sends it",
		},
		"T7: clear text with USER": {
			[]string{"tls: none", "allow_cleartext: true", "auth: user"},
			"popsync.yaml:7:10: accounts[0].tls: password and mail cross the network in clear",
		},
		"T7: clear text with PLAIN": {
			[]string{"tls: none", "allow_cleartext: true", "auth: plain"},
			"popsync.yaml:7:10: accounts[0].tls: password and mail cross the network in clear",
		},
		"T7: clear text with LOGIN": {
			[]string{"tls: none", "allow_cleartext: true", "auth: login"},
			"popsync.yaml:7:10: accounts[0].tls: password and mail cross the network in clear",
		},
		"T7: clear text with APOP": {
			[]string{"tls: none", "allow_cleartext: true", "auth: apop"},
			"popsync.yaml:7:10: accounts[0].tls: mail crosses the network in clear",
		},
		"T7: clear text with a token": {
			[]string{"tls: none", "allow_cleartext: true", "auth: xoauth2"},
			"popsync.yaml:7:10: accounts[0].tls: token and mail cross the network in clear",
		},
		"T7, A1: clear text with tokens of a provider": {
			[]string{"password_netrc: false", "tls: none", "allow_cleartext: true", "oauth2: {provider: fastmail, client_id: x}"},
			"popsync.yaml:7:10: accounts[0].tls: mail crosses the network in clear; auth: auto sends no token that way, so the account fails",
		},
		"T7: clear text by a proxy": {
			[]string{"host: localhost", "tls: none", "allow_cleartext: true", "auth: user", "proxy: socks5://localhost"},
			"popsync.yaml:7:10: accounts[0].tls: password and mail cross the network in clear",
		},
		"T7: clear text by a program": {
			[]string{"host: localhost", "tls: none", "allow_cleartext: true", "auth: cram-md5", "connect_command: [a]"},
			"popsync.yaml:7:10: accounts[0].tls: mail crosses the network in clear",
		},
		"T7: clear text, unless the name is this machine's": {
			[]string{"tls: none"},
			"popsync.yaml:7:10: accounts[0].tls: none is good for this machine only: the account fails where the host turns out to be another one",
		},
		"a comment behind a password": {
			[]string{"password: a # b"},
			"popsync.yaml:6:15: accounts[0].password: ends at the #; quote it if what follows belongs to it",
		},
		"W18: a line end in a password": {
			[]string{`password: "a\nb"`},
			"popsync.yaml:6:15: accounts[0].password: holds CR, LF or NUL, which cannot be sent to a server: the account will fail",
		},
		"W18: CR in a user name": {
			[]string{`username: "a\rb"`},
			"popsync.yaml:6:15: accounts[0].username: holds CR, LF or NUL, which cannot be sent to a server: the account will fail",
		},
		"port of another kind of TLS": {
			[]string{"port: 110"},
			"popsync.yaml:7:11: accounts[0].port: 110 is the port for tls: starttls, and TLS is implicit here; with implicit TLS the port is 995",
		},
		"port of implicit TLS": {
			[]string{"port: 995", "tls: starttls"},
			"popsync.yaml:7:11: accounts[0].port: 995 is the port for implicit TLS, and tls is starttls here; its port is 110",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, with(c.lines...))
			if err != nil {
				t.Fatal(err)
			}
			if text := Errors(got.Warnings).Error(); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	const text = `
defaults:
  host: pop.example.org
  username: alice
  password_env: PW
  tls_ca_file: /ca.pem
  timeout: 10s
  interval: 1m
  deliver: {maildir: /m, folder: All, mode: 0640}
accounts:
  - name: all
  - name: own
    username: bob
    password: secret
    timeout: 20s
    deliver: {maildir: /own}
  - name: mda
    username: carol
    deliver: {mda: [/bin/x], timeout: 5s}
  - name: clear
    host: localhost
    tls: none
`
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	base := Account{
		Host: "pop.example.org", Port: 995, TLS: Implicit, CAFile: "/ca.pem",
		Username: "alice", Password: Password{Env: "PW"}, Auth: "auto", Pipelining: "auto", Keep: true, Enabled: true,
		Interval: time.Minute, Timeout: 10 * time.Second, MaxSession: 30 * time.Minute,
		Deliver: Deliver{Maildir: "/m", Folder: "All", Mode: 0o640, Timeout: 10 * time.Second},
	}
	all, own, mda, clear := base, base, base, base
	all.Name, all.Line = "all", 11
	own.Name, own.Line, own.Username, own.Password = "own", 12, "bob", Password{Literal: secret.New("secret")}
	own.Timeout, own.Deliver.Maildir, own.Deliver.Timeout = 20*time.Second, "/own", 20*time.Second
	mda.Name, mda.Line, mda.Username = "mda", 17, "carol"
	mda.Deliver = Deliver{
		MDA: []string{"/bin/x"}, Mode: 0o640, Timeout: 5 * time.Second,
		MaxAttempts: 10, Quarantine: "/home/alice/.local/state/popsync/quarantine/mda",
	}
	clear.Name, clear.Line, clear.Host, clear.Port, clear.TLS, clear.CAFile = "clear", 20, "localhost", 110, NoTLS, ""
	if diff := cmp.Diff([]Account{all, own, mda, clear}, c.Accounts); diff != "" {
		t.Error(diff)
	}
}

// C4: what looks alike and is not the same mailbox.
func TestAccountsThatDiffer(t *testing.T) {
	for name, lines := range map[string]string{
		"another user":            "username: bob",
		"the same in capitals":    "username: Alice",
		"another host":            "host: imap.example.org",
		"another port":            "port: 1995",
		"the port of another TLS": "tls: starttls",
		"two into one Maildir":    "username: bob",
	} {
		t.Run(name, func(t *testing.T) {
			second := strings.Replace(strings.TrimPrefix(with(lines, "name: home"), "accounts:\n"), "secret", "p", 1)
			if _, err := load(t, with()+second); err != nil {
				t.Error(err)
			}
		})
	}
}

// C3: with a password inside nobody else may read the file, without one any mode will do.
func TestModeOfTheFile(t *testing.T) {
	open := with("password_env: PW")
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"a secret, closed":    {with(), 0o600, ""},
		"a secret, read-only": {with(), 0o400, ""},
		"a secret, for all": {
			with(), 0o644,
			"popsync.yaml: holds a secret and its mode 0644 lets others at it; close it: chmod 600 popsync.yaml",
		},
		"a secret, for writers": {
			with(), 0o602,
			"popsync.yaml: holds a secret and its mode 0602 lets others at it; close it: chmod 600 popsync.yaml",
		},
		"a secret in defaults": {
			"defaults: {password: x}\n" + open, 0o604,
			"popsync.yaml: holds a secret and its mode 0604 lets others at it; close it: chmod 600 popsync.yaml",
		},
		"a secret and an error": {
			with("port: 0"), 0o644,
			"popsync.yaml: holds a secret and its mode 0644 lets others at it; close it: chmod 600 popsync.yaml\n" +
				"popsync.yaml:7:11: accounts[0].port: is out of range; expected a whole number from 1 to 65535",
		},
		"a proxy's password, for all": {
			with("password_env: PW", "proxy: socks5://u:hunter2@h"), 0o644,
			"popsync.yaml: holds a secret and its mode 0644 lets others at it; close it: chmod 600 popsync.yaml",
		},
		"a proxy's password in defaults, for all": {
			"defaults: {proxy: 'http://u:hunter2@h'}\n" + open, 0o644,
			"popsync.yaml: holds a secret and its mode 0644 lets others at it; close it: chmod 600 popsync.yaml",
		},
		"a client's secret, for all": {
			with("oauth2: {provider: google, client_id: x, client_secret: hunter2}", "auth: auto", "password_netrc: false"), 0o644,
			"popsync.yaml: holds a secret and its mode 0644 lets others at it; close it: chmod 600 popsync.yaml",
		},
		"a proxy's user, for all": {with("password_env: PW", "proxy: socks5://u@h"), 0o644, ""},
		"no secret, for all":      {open, 0o644, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadMode(t, c.text, c.mode)
			if got := textOf(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	large := strings.Repeat("# filled\n", maxSize/9+1)
	if err := os.WriteFile("large.yaml", []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"missing.yaml": "missing.yaml: no such file or directory",
		".":            ".: is a folder, expected a file",
		"large.yaml":   "large.yaml: is larger than 1 MiB, which no configuration is",
	} {
		_, err := Load(path, options())
		if got := textOf(err); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// C3: the owner could change what popsync runs, so he is the running user or root.
func TestOwnerOfTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("c.yaml", []byte(with()), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Getuid = func() int { return 4711 }
	if os.Getuid() == 0 { // root's own files are everybody's to use
		if err := os.Chown("c.yaml", 4712, -1); err != nil {
			t.Skip(err)
		}
	}
	_, err := Load("c.yaml", o)
	if text := textOf(err); !strings.HasPrefix(text, "c.yaml: belongs to uid ") ||
		!strings.HasSuffix(text, "uid 4711 that popsync runs as; make it yours: chown 4711 c.yaml") {
		t.Errorf("a stranger's file is read: %s", text)
	}
}

// P6: a thousand accounts load, and a quote that is left open among them is found.
func TestManyAccounts(t *testing.T) {
	var b strings.Builder
	b.WriteString("defaults: {host: pop.example.org, password_env: PW, deliver: {maildir: /m}}\naccounts:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  - name: account%d\n    username: user%d@example.org\n", i, i)
	}
	c, err := load(t, b.String())
	if err != nil || len(c.Accounts) != 1000 {
		t.Errorf("got %v", err)
	}
	_, err = load(t, strings.Replace(b.String(), "user3@", "'user3@", 1))
	if want := "popsync.yaml:10: is not YAML: a quote is not closed"; textOf(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestState(t *testing.T) {
	for name, c := range map[string]struct {
		env       map[string]string
		want, err string
	}{
		"systemd":                {map[string]string{"STATE_DIRECTORY": "/var/lib/popsync", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/var/lib/popsync/state.db", ""},
		"systemd, several":       {map[string]string{"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a/state.db", ""},
		"XDG":                    {map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/popsync/state.db", ""},
		"XDG's must be absolute": {map[string]string{"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state/popsync/state.db", ""},
		"home":                   {map[string]string{"HOME": "/h"}, "/h/.local/state/popsync/state.db", ""},
		"nothing":                {nil, "", "popsync.yaml: state: has no default: none of $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME is set; write state: PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("popsync.yaml", []byte(with()), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Load("popsync.yaml", Options{Getenv: func(name string) string { return c.env[name] }})
			if textOf(err) != c.err {
				t.Errorf("got  %v\nwant %s", err, c.err)
			}
			if err == nil && got.State != c.want {
				t.Errorf("got %s, want %s", got.State, c.want)
			}
		})
	}
}

// C5
func TestPaths(t *testing.T) {
	b := base{"/etc/popsync", func(name string) string { return environment[name] }}
	for path, want := range map[string]string{
		"/m":                "/m",
		"/m/../n/":          "/n",
		"m":                 "/etc/popsync/m",
		"../m":              "/etc/m",
		"~":                 "/home/alice",
		"~/Mail":            "/home/alice/Mail",
		"a~":                "/etc/popsync/a~",
		"$HOME/Mail":        "/home/alice/Mail",
		"${HOME}/Mail":      "/home/alice/Mail",
		"${MAIL}er":         "/srv/mailer",
		"~/${MAIL}":         "/home/alice/srv/mail",
		"/a$$b":             "/a$b",
		"/Mail with blanks": "/Mail with blanks",
	} {
		if got, err := b.expand(path); got != want || err != nil {
			t.Errorf("%s becomes %s, %v, want %s", path, got, err, want)
		}
	}
}

func TestHomeMissing(t *testing.T) {
	b := base{"/etc", func(string) string { return "" }}
	_, err := b.expand("~/x")
	if want := "begins with ~, and $HOME is not set; write the whole path"; textOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The address of an error can be asked for by a program.
func TestErrorsUnwrap(t *testing.T) {
	_, err := load(t, with("port: 0"))
	one, ok := errors.AsType[*Error](err)
	if !ok || one.Line != 7 || one.Column != 11 || one.Key != "accounts[0].port" {
		t.Errorf("got %+v", one)
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
