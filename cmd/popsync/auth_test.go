package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"popsync/internal/config"
	"popsync/internal/oauth/oauthtest"
	"popsync/internal/poptest"
	"popsync/internal/term"
)

// providerCmd: provider NAME [rotate|deny|nodevice|norefresh]... starts an OAuth2 provider, and a server
// NAME that takes its tokens from alice. NAME_URL is where the provider is, NAME_PORT the server's
// port. Codes of the device flow are typed at once.
func providerCmd(ts *testscript.TestScript, neg bool, args []string) {
	o := oauthtest.Options{Interval: time.Second}
	for _, a := range args[1:] {
		switch a {
		case "rotate":
			o.Rotate = true
		case "deny":
			o.Deny = true
		case "nodevice":
			o.NoDevice = true
		case "norefresh":
			o.NoRefresh = true
		}
	}
	p := oauthtest.New(scriptTB{ts}, o)
	ts.Setenv(args[0]+"_URL", p.URL)
	s, err := poptest.Start(poptest.Options{SASL: []string{"XOAUTH2", "OAUTHBEARER"}})
	ts.Check(err)
	ts.Defer(s.Close)
	s.Mailbox("alice").AcceptToken(p.Good)
	ts.Setenv(args[0]+"_PORT", strconv.Itoa(s.Port))
	ts.Value(serversKey).(map[string]*server)[args[0]] = &server{Server: s}
}

// scriptTB is the part of a script that oauthtest needs.
type scriptTB struct{ *testscript.TestScript }

func (scriptTB) Helper()            {}
func (s scriptTB) Cleanup(f func()) { s.Defer(f) }

// A lab is a provider, a mail server that takes its tokens, and a configuration with both.
type lab struct {
	provider *oauthtest.Provider
	mail     *poptest.Server
	dir      string
	common   common
}

func newLab(t *testing.T, o oauthtest.Options) *lab {
	t.Helper()
	o.Interval = time.Second
	l := &lab{
		provider: oauthtest.New(t, o),
		mail:     poptest.New(t, poptest.Options{SASL: []string{"XOAUTH2", "OAUTHBEARER"}}),
		dir:      t.TempDir(),
	}
	box := l.mail.Mailbox("alice")
	box.AcceptToken(l.provider.Good)
	box.Add("1", []byte("Subject: x\r\n\r\nx\r\n"))
	l.common.config = filepath.Join(l.dir, "popsync.yaml")
	l.configure(t, "")
	return l
}

// configure writes the configuration, with more keys of the oauth2 block.
func (l *lab) configure(t testing.TB, more string) {
	t.Helper()
	text := fmt.Sprintf(`state: state.db
accounts:
  - name: work
    host: 127.0.0.1
    port: %d
    tls: none
    username: alice
    oauth2:
      provider: custom
      client_id: client
      scopes: [mail, offline_access]
      auth_url: %[2]s/authorize
      token_url: %[2]s/token
      device_url: %[2]s/device
%s
    deliver: {maildir: Maildir}
  - {name: home, host: 127.0.0.1, port: 1, tls: none, username: bob, password: x, deliver: {maildir: Maildir}}
`, l.mail.Port, l.provider.URL, more)
	if err := os.WriteFile(l.common.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A sheet is what a command writes.
type sheet struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *sheet) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *sheet) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func sheets() (out output, stdout, stderr *sheet) {
	stdout, stderr = new(sheet), new(sheet)
	return output{term.Screen{Writer: stdout}, term.Screen{Writer: stderr}}, stdout, stderr
}

// person is somebody at a terminal, who has nothing to paste before the test writes to typed.
func person(t testing.TB) (s seat, typed *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close(); writer.Close() })
	return seat{stdin: reader, asks: true, lines: func() (io.Reader, func()) { return reader, func() {} }}, writer
}

// shown waits for a line of text that has part, and returns it.
func shown(t testing.TB, s *sheet, part string) string {
	t.Helper()
	line := ""
	if !within(10*time.Second, func() bool {
		for l := range strings.Lines(s.String()) {
			if strings.Contains(l, part) {
				line = strings.TrimSpace(l)
			}
		}
		return line != ""
	}) {
		t.Fatalf("no %q in\n%s", part, s)
	}
	return line
}

// follow is a browser that opens url; last is the address at which it ends, without opening that.
func follow(t testing.TB, url string, last bool) string {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if last {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if last {
		return res.Header.Get("Location")
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// A8: from nothing to the first log-in at the mail server, by each flow.
func TestAuthLogin(t *testing.T) {
	for name, tt := range map[string]struct {
		flow string
		act  func(t *testing.T, stderr *sheet, typed *os.File)
	}{
		"a browser here": {flowAuto, func(t *testing.T, stderr *sheet, _ *os.File) {
			if body := follow(t, shown(t, stderr, "/authorize?"), false); !strings.Contains(body, "You can close this page") {
				t.Error(body)
			}
		}},
		"a browser elsewhere, its last address pasted": {flowBrowser, func(t *testing.T, stderr *sheet, typed *os.File) {
			_, _ = io.WriteString(typed, follow(t, shown(t, stderr, "/authorize?"), true)+"\n")
		}},
		"paste": {flowPaste, func(t *testing.T, stderr *sheet, typed *os.File) {
			_, _ = io.WriteString(typed, follow(t, shown(t, stderr, "/authorize?"), true)+"\n")
		}},
		"a code": {flowDevice, func(t *testing.T, stderr *sheet, _ *os.File) { shown(t, stderr, "WDJB-") }},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, oauthtest.Options{Rotate: true})
			s, typed := person(t)
			out, stdout, stderr := sheets()
			done := make(chan error, 1)
			go func() {
				done <- runAuthLogin(t.Context(), authLoginOptions{common: l.common, accounts: []string{"work"}, flow: tt.flow}, s, out)
			}()
			tt.act(t, stderr, typed)
			if err := <-done; err != nil {
				t.Fatalf("%v\n%s", err, stderr)
			}
			if got := stdout.String(); got != "work: logged in; 1 message of 17 B there\n" {
				t.Errorf("got %q", got)
			}
			out, stdout, _ = sheets()
			if err := runAuthToken(t.Context(), l.common, []string{"work"}, out); err != nil || !l.provider.Good(strings.TrimSpace(stdout.String())) {
				t.Errorf("no good token: %v", err)
			}
		})
	}
}

// auto takes what fits the place and the provider.
func TestAuthFlow(t *testing.T) {
	cfg := &config.Config{State: filepath.Join(t.TempDir(), "state.db")}
	for name, tt := range map[string]struct {
		oauth   config.OAuth2
		display bool
		want    string
	}{
		"Microsoft without a display":    {config.OAuth2{Provider: "microsoft"}, false, flowDevice},
		"Microsoft with one":             {config.OAuth2{Provider: "microsoft"}, true, flowBrowser},
		"Google without one":             {config.OAuth2{Provider: "google"}, false, flowBrowser},
		"by hand, with nothing but that": {config.OAuth2{Provider: "custom", TokenURL: "https://x/", DeviceURL: "https://x/"}, true, flowDevice},
	} {
		a, err := newAuthAccount(cfg, config.Account{Name: "work", OAuth2: &tt.oauth})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.flow(flowAuto, seat{display: tt.display}); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestHasDisplay(t *testing.T) {
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY"} {
		if !hasDisplay(func(n string) string { return map[string]string{name: ":0"}[n] }) {
			t.Error(name)
		}
	}
	if hasDisplay(func(string) string { return "" }) {
		t.Error("there is none")
	}
}

// A browser is opened where there is a display, and not with --no-browser.
func TestAuthLoginOpensABrowser(t *testing.T) {
	for _, not := range []bool{false, true} {
		l := newLab(t, oauthtest.Options{})
		s, _ := person(t)
		opened := make(chan string, 1)
		s.display, s.open = true, func(_ []string, url string) error { opened <- url; return nil }
		out, _, stderr := sheets()
		done := make(chan error, 1)
		go func() {
			done <- runAuthLogin(t.Context(), authLoginOptions{common: l.common, accounts: []string{"work"}, flow: flowBrowser, noBrowser: not}, s, out)
		}()
		url := shown(t, stderr, "/authorize?") // always
		follow(t, url, false)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := len(opened); (got == 0) != not {
			t.Errorf("opened %d with --no-browser=%v", got, not)
		}
	}
}

// A log-in that the mail server refuses keeps its tokens and says what is wrong.
func TestAuthLoginThatTheMailServerRefuses(t *testing.T) {
	l := newLab(t, oauthtest.Options{})
	l.mail.Mailbox("alice").AcceptToken(func(string) bool { return false })
	s, _ := person(t)
	out, stdout, stderr := sheets()
	err := runAuthLogin(t.Context(), authLoginOptions{common: l.common, accounts: []string{"work"}, flow: flowDevice}, s, out)
	if status := finish(io.Discard, err); status != exitRefused || stdout.String() != "" || !strings.Contains(stderr.String(), "tokens are kept") {
		t.Errorf("status %d, %v, %q", status, err, stderr)
	}
	if !exists(filepath.Join(l.dir, "oauth", "work.json")) {
		t.Error("the tokens are gone")
	}
}

// The other machine's tokens: nothing is kept where they are exported.
func TestAuthExportAndImport(t *testing.T) {
	l := newLab(t, oauthtest.Options{})
	s, _ := person(t)
	out, stdout, stderr := sheets()
	if err := runAuthLogin(t.Context(), authLoginOptions{common: l.common, accounts: []string{"work"}, flow: flowDevice, export: true}, s, out); err != nil {
		t.Fatal(err, stderr)
	}
	if exists(filepath.Join(l.dir, "oauth", "work.json")) {
		t.Error("kept here as well")
	}
	exported := stdout.String()
	out, stdout, _ = sheets()
	s = seat{stdin: strings.NewReader(exported)}
	if err := runAuthImport(t.Context(), l.common, []string{"work"}, s, out); err != nil {
		t.Fatal(err)
	}
	if got := stdout.String(); got != "work: logged in; 1 message of 17 B there\n" {
		t.Errorf("got %q", got)
	}
}

// A7: whatever happens, no output of the commands and no file but that of the tokens shows one,
// but for auth token and --export, which are asked to.
func TestAuthShowsNoSecret(t *testing.T) {
	const mark = "MaRkEr"
	shows := func(text string) bool {
		for shift := range 3 {
			form := base64.StdEncoding.EncodeToString([]byte("...."[:shift] + mark + "..."))
			if strings.Contains(text, form[4:8]) {
				return true
			}
		}
		return strings.Contains(text, mark)
	}
	if !shows(base64.StdEncoding.EncodeToString([]byte("user=alice\x01auth=Bearer MaRkEr.x"))) {
		t.Fatal("the search finds nothing")
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte("auth=Bearer " + s)) }
	for name, answer := range map[string]oauthtest.Answer{
		"good":           nil,
		"invalid_grant":  oauthtest.Echo(400, "invalid_grant", encode),
		"invalid_client": oauthtest.Echo(401, "invalid_client", encode),
		"strange":        oauthtest.Echo(400, "strange", encode),
		"HTML":           oauthtest.Raw(200, "text/html", mark),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, oauthtest.Options{Prefix: mark, Secret: mark + "secret", Rotate: true})
			l.configure(t, "      client_secret: "+mark+"secret")
			l.common.detail = trace
			var all strings.Builder
			run := func(f func(output) error) {
				out, stdout, stderr := sheets()
				finish(out.stderr, f(out))
				all.WriteString(stdout.String() + stderr.String())
			}
			login := func(out output) error {
				s, _ := person(t)
				return runAuthLogin(t.Context(), authLoginOptions{common: l.common, accounts: []string{"work"}, flow: flowDevice}, s, out)
			}
			status := func(out output) error { return runAuthStatus(authStatusOptions{l.common, nil, true}, out) }
			run(login)
			l.provider.Forget() // the mail server refuses what it had
			l.provider.Next("/token", answer, answer, answer)
			run(func(out output) error {
				return runCheck(t.Context(), checkOptions{common: l.common, accounts: []string{"work"}, connect: true}, out)
			})
			run(func(out output) error {
				return runFetch(t.Context(), fetchOptions{common: l.common, accounts: []string{"work"}}, out)
			})
			run(status)
			run(func(out output) error { return runAuthStatus(authStatusOptions{l.common, nil, false}, out) })
			l.provider.Next("/token", answer)
			run(login)
			run(func(out output) error { return runAuthLogout(t.Context(), l.common, []string{"work"}, out) })
			run(status)
			if shows(all.String()) {
				t.Errorf("shown:\n%s", all.String())
			}
			_ = filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() && path != l.common.config && filepath.Base(path) != "work.json" {
					if text, err := os.ReadFile(path); err != nil || shows(string(text)) {
						t.Errorf("%s shows a secret (%v)", path, err)
					}
				}
				return nil
			})
		})
	}
}
