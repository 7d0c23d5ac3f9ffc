package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/deliver"
	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/poptest"
	"popsync/internal/secret"
)

func TestServerOf(t *testing.T) {
	for name, tt := range map[string]struct {
		account  config.Account
		security fetch.Security
		name     string // in TLS; "": there is none
		least    uint16
	}{
		"implicit": {config.Account{Host: "h", TLS: config.Implicit}, fetch.ImplicitTLS, "h", tls.VersionTLS12},
		"starttls, 1.3, another name": {
			config.Account{Host: "h", TLS: config.StartTLS, MinVersion: "1.3", ServerName: "n"},
			fetch.StartTLS, "n", tls.VersionTLS13,
		},
		"none": {config.Account{Host: "h", TLS: config.NoTLS}, fetch.Cleartext, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := serverOf(tt.account, nil)
			if err != nil {
				t.Fatal(err)
			}
			if s.Security != tt.security || (s.TLS == nil) != (tt.name == "") {
				t.Fatalf("%+v", s)
			}
			if s.TLS != nil && (s.TLS.ServerName != tt.name || s.TLS.MinVersion != tt.least || s.TLS.InsecureSkipVerify) {
				t.Errorf("name %q, from version %x", s.TLS.ServerName, s.TLS.MinVersion)
			}
		})
	}
}

// The account's CA is trusted besides the system's.
func TestCAFile(t *testing.T) {
	ca := poptest.NewCA(t)
	c, err := tlsOf(config.Account{Host: "localhost", CAFile: ca.File})
	if err != nil {
		t.Fatal(err)
	}
	system, err := tlsOf(config.Account{Host: "localhost"})
	if err != nil || system.RootCAs != nil {
		t.Fatal("without tls_ca_file the system's CAs hold")
	}
	if c.RootCAs.Equal(ca.Pool()) {
		t.Log("this machine trusts nobody")
	}
}

func TestBadCAFilesAreToldTogether(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Path: "/etc/popsync.yaml", Accounts: []config.Account{
		{Name: "a", Line: 3, TLS: config.Implicit, CAFile: filepath.Join(dir, "none.pem")},
		{Name: "b", Line: 9, TLS: config.Implicit, CAFile: empty},
	}}
	_, err := accountsOf(cfg, cfg.Accounts, common{})
	var b strings.Builder
	if status := finish(&b, err); status != 78 {
		t.Errorf("status %d", status)
	}
	want := "/etc/popsync.yaml:3: a: tls_ca_file " + dir + "/none.pem: no such file or directory\n" +
		"/etc/popsync.yaml:9: b: tls_ca_file " + empty + ": holds no certificate in PEM\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAccountIsWhollyDecided(t *testing.T) {
	cfg := &config.Config{Accounts: []config.Account{{
		Name: "a", Host: "h", Port: 995, TLS: config.Implicit, Username: "u", Keep: false,
		Password: config.Password{Literal: secret.New("s")},
		Interval: time.Minute, Timeout: time.Second, MaxSession: time.Hour,
	}}}
	accounts, err := accountsOf(cfg, cfg.Accounts, common{})
	if err != nil {
		t.Fatal(err)
	}
	a := accounts[0]
	if password, err := a.Password(t.Context()); err != nil || password.Reveal() != "s" {
		t.Error("another password", err)
	}
	a.Password, a.Server.TLS = nil, nil
	want := fetch.Account{
		Name: "a", Server: fetch.Server{Host: "h", Port: 995}, User: "u", Keep: fetch.Retention{Delete: true},
		Interval: time.Minute, Timeout: time.Second, Session: time.Hour,
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
}

func TestTargets(t *testing.T) {
	owner := deliver.NewOwner("01234567")
	for want, d := range map[string]config.Deliver{
		"maildir:/m":        {Maildir: "/m"},
		"maildir:/m/.Lists": {Maildir: "/m", Folder: "Lists"},
		"mda:/s/spool":      {MDA: []string{"/bin/true"}},
	} {
		if got := targetOf(config.Account{Deliver: d}, spoolOf(&config.Config{State: "/s/state.db"}), owner).Location(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A7: no secret in the environment of a child.
func TestPasswordCommandsGetNoPasswords(t *testing.T) {
	t.Setenv("WORK_PASSWORD", "secret")
	t.Setenv("GNUPGHOME", "/gnupg")
	cfg := &config.Config{Accounts: []config.Account{{Password: config.Password{Env: "WORK_PASSWORD"}}}}
	stdout, _, err := passwordRunner(programEnv(cfg))(t.Context(), []string{"env"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(stdout), "WORK_PASSWORD") || !strings.Contains(string(stdout), "GNUPGHOME=/gnupg\n") {
		t.Errorf("environment:\n%s", stdout)
	}
}

func TestPasswordCommandComplainsOnce(t *testing.T) {
	cfg := &config.Config{}
	source := secret.Command([]string{"sh", "-c", "echo no such entry >&2; exit 3"}, time.Minute, passwordRunner(programEnv(cfg)))
	_, err := source(t.Context())
	if want := `password command sh: exit status 3; it says "no such entry"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
