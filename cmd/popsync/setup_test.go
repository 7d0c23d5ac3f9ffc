package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/deliver"
	"popsync/fetch"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/internal/config"
	"popsync/internal/poptest"
	"popsync/internal/provider"
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

// The account's CA is trusted, besides the system's.
func TestCAFile(t *testing.T) {
	ca := poptest.NewCA(t)
	leaf, err := x509.ParseCertificate(ca.Issue(poptest.Good).Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := tlsOf(config.Account{Host: "localhost", CAFile: ca.File})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: c.RootCAs, DNSName: "localhost"}); err != nil {
		t.Errorf("its own CA is not trusted: %v", err)
	}
	if system, err := x509.SystemCertPool(); err == nil {
		system.AppendCertsFromPEM(read(t, ca.File))
		if !c.RootCAs.Equal(system) {
			t.Error("the system's CAs are not trusted any more")
		}
	}
	if system, err := tlsOf(config.Account{Host: "localhost"}); err != nil || system.RootCAs != nil {
		t.Error("without tls_ca_file the system's CAs hold")
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// C3: a key that others can read.
func TestOpenClientKey(t *testing.T) {
	ca := poptest.NewCA(t)
	certFile, keyFile, err := ca.Files(ca.Issue(poptest.Client))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Path: "c.yaml", Accounts: []config.Account{{Name: "a", Line: 3, TLS: config.Implicit, ClientCert: certFile, ClientKey: keyFile}}}
	_, err = accountsOf(cfg, cfg.Accounts, new(secret.Asker))
	var b strings.Builder
	if status := finish(&b, err); status != 78 {
		t.Errorf("status %d", status)
	}
	want := "c.yaml:3: a: tls_client_key " + keyFile + " holds a secret and its mode 0644 lets others at it\n  close it: chmod 600 " + keyFile + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
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
	_, err := accountsOf(cfg, cfg.Accounts, new(secret.Asker))
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

// Every field of a configuration has its place, and none is left out.
func TestAccountIsWhollyDecided(t *testing.T) {
	ca := poptest.NewCA(t)
	certFile, keyFile, err := ca.Files(ca.Issue(poptest.Client))
	if err != nil {
		t.Fatal(err)
	}
	from := config.Account{
		Name: "a", Line: 7, Host: "pop3.web.de", Port: 995,
		TLS: config.StartTLS, CAFile: ca.File, Pins: [][32]byte{{1}}, MinVersion: "1.3", ServerName: "n",
		ClientCert: certFile, ClientKey: keyFile, AllowCleartext: true,
		Proxy: &config.Proxy{Scheme: "socks5", Host: "h", Port: 1}, ConnectCommand: []string{"false"},
		Username: "u", Password: config.Password{Literal: secret.New("s")}, Auth: "scram-sha-256",
		OAuth2:     &config.OAuth2{Provider: "google", ClientID: "c"}, // with which there is no password
		Pipelining: "always", Keep: true, Interval: time.Minute, Timeout: time.Second, MaxSession: time.Hour, Enabled: true,
		MaxMessageSize: 12, MaxMessages: 34, Deliver: config.Deliver{Maildir: "/m"},
	}
	for v, i := reflect.ValueOf(from), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not set here", v.Type().Field(i).Name)
		}
	}
	from.OAuth2 = nil
	cfg := &config.Config{Accounts: []config.Account{from}}
	accounts, err := accountsOf(cfg, cfg.Accounts, new(secret.Asker))
	if err != nil {
		t.Fatal(err)
	}
	a := accounts[0]
	if password, err := a.Password(t.Context()); err != nil || password.Reveal() != "s" {
		t.Error("another password", err)
	}
	if c := a.Server.TLS; c.ServerName != "n" || c.MinVersion != tls.VersionTLS13 || c.RootCAs == nil || len(c.Certificates) != 1 || c.VerifyConnection == nil {
		t.Errorf("TLS: %+v", c)
	}
	if a.Server.Dial == nil {
		t.Error("connects directly")
	}
	web, ok := provider.ByHost("pop3.web.de")
	if !ok || web.MinInterval == 0 || web.Hint == "" {
		t.Fatalf("%+v", web)
	}
	a.Password, a.Server.TLS, a.Server.Dial = nil, nil, nil
	want := fetch.Account{
		Name: "a", User: "u", Keep: fetch.Retention{},
		Server:   fetch.Server{Host: "pop3.web.de", Port: 995, Security: fetch.StartTLS, AllowCleartext: true, Far: true},
		Interval: time.Minute, Timeout: time.Second, Session: time.Hour,
		Pipelining: pop3.Always, Auth: mechanism.SCRAMSHA256, Certificate: true, MaxMessages: 34, MaxMessageSize: 12,
		MinInterval: web.MinInterval, Hint: web.Hint,
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}

	cfg.Accounts[0].Keep = false
	if accounts, _ = accountsOf(cfg, cfg.Accounts, new(secret.Asker)); !accounts[0].Keep.Delete {
		t.Error("keep: false keeps")
	}
}

// T8: each way to a server, and what a program that connects is given.
func TestDialOf(t *testing.T) {
	if dialOf(config.Account{}, nil) != nil {
		t.Error("there is a way though none is named")
	}
	for scheme, first := range map[string]string{"http": "CONNECT mail.example.org:995 HTTP/1.1\r\n", "socks5": "\x05"} {
		t.Run(scheme, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			got := make(chan string, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				buf := make([]byte, len(first))
				_, _ = io.ReadFull(conn, buf)
				got <- string(buf)
			}()
			dial := dialOf(config.Account{Proxy: &config.Proxy{Scheme: scheme, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}}, nil)
			if conn, err := dial(t.Context(), "tcp", "mail.example.org:995"); err == nil {
				conn.Close()
			}
			if text := <-got; text != first {
				t.Errorf("the proxy gets %q, want %q", text, first)
			}
		})
	}

	// A7: no password in the environment of the program.
	t.Setenv("WORK_PASSWORD", "secret")
	a := config.Account{Password: config.Password{Env: "WORK_PASSWORD"}, ConnectCommand: []string{"sh", "-c", "echo got-$WORK_PASSWORD-$HOME"}}
	t.Setenv("HOME", "/h")
	conn, err := dialOf(a, programEnv(&config.Config{Accounts: []config.Account{a}}))(t.Context(), "tcp", "h:1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if text, _ := io.ReadAll(conn); string(text) != "got--/h\n" {
		t.Errorf("%q", text)
	}
}

// A provider is asked the way that its account's mail goes.
func TestThroughProxy(t *testing.T) {
	if throughProxy(config.Account{}) != nil {
		t.Error("a client of its own without a proxy")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		got <- line
	}()
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	c := throughProxy(config.Account{Proxy: &config.Proxy{Scheme: "http", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}})
	if res, err := c.Get("https://provider.example/"); err == nil {
		res.Body.Close()
	}
	if line := <-got; line != "CONNECT provider.example:443 HTTP/1.1\r\n" {
		t.Errorf("%q", line)
	}
}

func TestTargets(t *testing.T) {
	owner := deliver.NewOwner("01234567")
	for want, d := range map[string]config.Deliver{
		"maildir:/m":        {Maildir: "/m"},
		"maildir:/m/.Lists": {Maildir: "/m", Folder: "Lists"},
		"mda:/s/spool":      {MDA: []string{"/bin/true"}},
	} {
		var account fetch.Account
		giveTarget(&account, config.Account{Deliver: d}, "/s/state.db", owner)
		if got := account.Target.Location(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if set := account.Quarantine != nil; set != (d.MDA != nil) {
			t.Errorf("%s: a quarantine: %v", want, set)
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
	if want := `command sh: exit status 3; it says "no such entry"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
