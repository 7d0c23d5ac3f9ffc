package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"popsync/internal/oauth/oauthtest"
)

// A result is what a flow gives.
type result struct {
	tokens Tokens
	err    error
}

// start runs a flow beside the test.
func start(t testing.TB, flow func(context.Context, Person) (Tokens, error), p Person) <-chan result {
	t.Helper()
	done := make(chan result, 1)
	go func() {
		tokens, err := flow(t.Context(), p)
		done <- result{tokens, err}
	}()
	return done
}

// address is the URL that a person is told to open.
func address(t testing.TB, text string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.Contains(line, "/authorize?") {
			return line
		}
	}
	t.Fatalf("no address in\n%s", text)
	return ""
}

// browse is a browser that goes to url and where that sends it; it shows the last page.
func browse(t testing.TB, url string) (status int, body string, header http.Header) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

// redirect is the address at which a browser would end.
func redirect(t testing.TB, url string) string {
	t.Helper()
	c := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.Header.Get("Location")
}

// A8: the browser flow, with PKCE on loopback.
func TestBrowser(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost"} {
		p := oauthtest.New(t, oauthtest.Options{Rotate: true, Redirect: host})
		s := sourceOf(t, p)
		screen := newScreen()
		opened := ""
		done := start(t, s.Browser, Person{
			Say: screen, SSH: "192.0.2.9 50000 192.0.2.1 2222",
			Open: func(url string) error { opened = url; return nil },
		})
		text := <-screen.seen
		u := address(t, text)
		q := redirectOf(t, u)
		for _, want := range []string{
			"ssh -p 2222 -L " + q.Port() + ":127.0.0.1:" + q.Port() + " 192.0.2.1\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		if strings.Contains(text, "paste") {
			t.Error("there is nowhere to paste to")
		}
		status, body, header := browse(t, u)
		if status != 200 || !strings.Contains(body, "You can close this page") || strings.Contains(body, "script") ||
			!strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("the page: %d %s", status, body)
		}
		r := <-done
		if r.err != nil || !p.Good(r.tokens.Access().Reveal()) {
			t.Fatal(r.err)
		}
		if opened != u {
			t.Errorf("opened %q", opened)
		}
		if err := s.Keep(t.Context(), r.tokens); err != nil {
			t.Fatal(err)
		}
		if v := token(t, s); !v.Equal(r.tokens.Access()) {
			t.Error("another token than that of the log-in")
		}
	}
}

func redirectOf(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// What is not the answer to this log-in changes nothing: no state, another state, other paths and
// methods.
func TestForeignAnswersAreNotTaken(t *testing.T) {
	p := oauthtest.New(t, oauthtest.Options{})
	s := sourceOf(t, p)
	screen := newScreen()
	done := start(t, s.Browser, Person{Say: screen})
	u := address(t, <-screen.seen)
	back := redirectOf(t, u).String()
	for _, foreign := range []string{"/?code=evil", "/?code=evil&state=guess", "/?error=access_denied", "/?error=access_denied&state=x"} {
		if status, body, _ := browse(t, back+foreign); status != 400 || strings.Contains(body, "evil") {
			t.Errorf("%s: %d %s", foreign, status, body)
		}
	}
	if status, _, _ := browse(t, back+"/favicon.ico"); status != 404 {
		t.Error(status)
	}
	if res, err := http.Post(back, "text/plain", nil); err != nil || res.StatusCode != 405 {
		t.Error(err)
	} else {
		res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	}
	browse(t, u)
	if r := <-done; r.err != nil {
		t.Error(r.err)
	}
}

// A8: the redirected URL is pasted where there is no browser.
func TestPaste(t *testing.T) {
	for name, form := range map[string]func(string) string{
		"the whole address": func(u string) string { return u },
		"its query":         func(u string) string { return u[strings.Index(u, "?")+1:] },
		"in quotes":         func(u string) string { return `  "` + u + `"  ` },
		"after a wrong one": func(u string) string { return "http://127.0.0.1/?code=x&state=y\n\nhello\n" + u },
	} {
		for flow, run := range map[string]func(*Source) func(context.Context, Person) (Tokens, error){
			"paste":   func(s *Source) func(context.Context, Person) (Tokens, error) { return s.Paste },
			"browser": func(s *Source) func(context.Context, Person) (Tokens, error) { return s.Browser },
		} {
			t.Run(flow+": "+name, func(t *testing.T) {
				p := oauthtest.New(t, oauthtest.Options{})
				s := sourceOf(t, p)
				screen := newScreen()
				reader, writer, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer reader.Close()
				defer writer.Close()
				done := start(t, run(s), Person{Say: screen, Paste: reader})
				u := address(t, <-screen.seen)
				if _, err := io.WriteString(writer, form(redirect(t, u))+"\n"); err != nil {
					t.Fatal(err)
				}
				if r := <-done; r.err != nil || !p.Good(r.tokens.Access().Reveal()) {
					t.Errorf("%v; %s", r.err, screen)
				}
				if name == "after a wrong one" && strings.Count(screen.String(), "not the answer that is waited for") != 2 {
					t.Errorf("not told:\n%s", screen)
				}
			})
		}
	}
}

// Ctrl-D ends a log-in that nothing else can bring to an end, and no other one.
func TestNothingIsPasted(t *testing.T) {
	p := oauthtest.New(t, oauthtest.Options{})
	s := sourceOf(t, p)
	_, err := s.Paste(t.Context(), Person{Say: newScreen(), Paste: strings.NewReader("hello\n")})
	want(t, err, NeedsLogin, "nothing was pasted", "popsync auth login work")

	screen := newScreen()
	done := start(t, s.Browser, Person{Say: screen, Paste: strings.NewReader("")})
	if res, err := http.Get(address(t, <-screen.seen)); err == nil {
		res.Body.Close()
	}
	if r := <-done; r.err != nil {
		t.Error(r.err)
	}
}

// A client that is unknown is so in every flow.
func TestUnknownClientInTheDeviceFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s := sourceOf(t, p)
		p.Next("/token", oauthtest.Refuse(401, "invalid_client", "unknown"))
		_, err := s.Device(t.Context(), Person{Say: newScreen()})
		want(t, err, Configuration, `provider.example says invalid_client: "unknown"`, "check oauth2.client_id")
		if e, ok := errors.AsType[*Error](err); !ok || strings.Contains(e.Hint, "flow") {
			t.Errorf("hint %v", err)
		}
	})
}

// What may go wrong between the page and the tokens.
func TestLogInThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		opts    oauthtest.Options
		prepare func(*oauthtest.Provider, *Source)
		kind    Kind
		text    string
		hint    string
	}{
		"declined": {oauthtest.Options{Deny: true}, nil, NeedsLogin, `HOST says access_denied: "the person said no"`, "log in again: popsync auth login work"},
		"no refresh token": {
			oauthtest.Options{NoRefresh: true},
			nil, NeedsLogin,
			"offline access was not granted: HOST gave no refresh token, and without one mail could be fetched for an hour only", "log in again",
		},
		"a scope was unticked": {
			oauthtest.Options{Scopes: []string{"profile"}}, nil, NeedsLogin, "not everything was granted: mail is missing", "allow all that is asked for",
		},
		"the client is unknown to the token endpoint": {
			oauthtest.Options{Secret: "s3cret"}, nil, Configuration, `HOST says invalid_client: "the client is not known"`, "client_secret",
		},
		"a page instead of tokens": {
			oauthtest.Options{}, func(p *oauthtest.Provider, _ *Source) { p.Next("/token", oauthtest.HTML()) }, Later, "HOST: answers 200, and not in JSON", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := oauthtest.New(t, tt.opts)
			s := sourceOf(t, p)
			if tt.prepare != nil {
				tt.prepare(p, s)
			}
			screen := newScreen()
			done := start(t, s.Browser, Person{Say: screen})
			browse(t, address(t, <-screen.seen))
			u, err := url.Parse(p.URL)
			if err != nil {
				t.Fatal(err)
			}
			want(t, (<-done).err, tt.kind, strings.ReplaceAll(tt.text, "HOST", u.Host), tt.hint)
		})
	}
}

// Servers that grant in other words than was asked for.
func TestMissingScopes(t *testing.T) {
	for name, tt := range map[string]struct{ wanted, granted, missing string }{
		"all":                   {"a b", "b a c", ""},
		"Outlook's other name":  {"https://outlook.office365.com/POP.AccessAsUser.All offline_access", "https://outlook.office.com/pop.accessasuser.all", ""},
		"Google, unticked":      {"https://mail.google.com/", "openid", "https://mail.google.com/"},
		"with and without /":    {"https://mail.google.com/", "https://mail.google.com", ""},
		"a resource's defaults": {"https://outlook.office365.com/.default", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(missingScopes(strings.Fields(tt.wanted), strings.Fields(tt.granted)), " "); got != tt.missing {
				t.Errorf("missing %q, want %q", got, tt.missing)
			}
		})
	}
}

func TestTunnel(t *testing.T) {
	for connection, want := range map[string]string{
		"192.0.2.9 5 192.0.2.1 22":     "ssh -L 8:127.0.0.1:8 192.0.2.1",
		"2001:db8::9 5 2001:db8::1 22": "ssh -L 8:127.0.0.1:8 2001:db8::1",
		"\x1b[31m 5 \x1b 22":           "ssh -L 8:127.0.0.1:8 HOST",
		"yes":                          "ssh -L 8:127.0.0.1:8 HOST",
	} {
		if got := tunnel(connection, 8); got != want {
			t.Errorf("%q: got %q, want %q", connection, got, want)
		}
	}
}

func TestPortThatIsTaken(t *testing.T) {
	listeners, port, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(listeners)
	_, _, err = listen(port)
	want(t, err, Configuration, "port "+strconv.Itoa(port)+" of this machine: address already in use", "--port N")
}

// Nobody comes: the wait ends.
func TestNobodyLogsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s := sourceOf(t, p)
		a, err := s.authorization(1)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err = s.authorize(t.Context(), Person{Say: io.Discard}, a, nil, "")
		want(t, err, NeedsLogin, "nobody has logged in within 10 min", "log in again")
		if took := time.Since(begun); took != patience {
			t.Error(took)
		}
	})
}

// A8: the device flow (RFC 8628).
func TestDevice(t *testing.T) {
	for name, tt := range map[string]struct {
		opts oauthtest.Options
		next []oauthtest.Answer // of the polls
		took time.Duration
		kind Kind
		text string // "": it works
		hint string
	}{
		"at once":         {took: 5 * time.Second},
		"after two polls": {opts: oauthtest.Options{Pending: 2}, took: 15 * time.Second},
		"slow_down": {
			next: []oauthtest.Answer{oauthtest.Refuse(400, "slow_down", ""), oauthtest.Refuse(400, "slow_down", "")}, took: (5 + 10 + 15) * time.Second,
		},
		"a server in trouble": {
			next: []oauthtest.Answer{oauthtest.Raw(503, "", ""), oauthtest.Busy("")}, took: (5 + 10 + 20) * time.Second,
		},
		"a hang": {next: []oauthtest.Answer{oauthtest.Hang()}, took: 5*time.Second + perTry + 10*time.Second},
		"expired_token": {
			next: []oauthtest.Answer{oauthtest.Refuse(400, "expired_token", "")}, took: 5 * time.Second,
			kind: NeedsLogin, text: "the code has ended before anybody typed it", hint: "log in again: popsync auth login work",
		},
		"nobody types it": {
			opts: oauthtest.Options{Pending: -1}, took: 900 * time.Second,
			kind: NeedsLogin, text: "the code has ended before anybody typed it", hint: "log in again",
		},
		"access_denied": {
			opts: oauthtest.Options{Deny: true}, took: 5 * time.Second,
			kind: NeedsLogin, text: "the log-in was declined in the browser", hint: "log in again",
		},
		"authorization_declined": {
			next: []oauthtest.Answer{oauthtest.Refuse(400, "authorization_declined", "")}, took: 5 * time.Second,
			kind: NeedsLogin, text: "the log-in was declined in the browser", hint: "log in again",
		},
		"an unknown code": {
			next: []oauthtest.Answer{oauthtest.Refuse(400, "strange", "why")}, took: 5 * time.Second,
			kind: Later, text: `provider.example says strange: "why"`, hint: "or take the other flow: popsync auth login work --flow browser",
		},
		"forbidden by the organisation": {
			next: []oauthtest.Answer{oauthtest.InvalidGrant("AADSTS53003: blocked")}, took: 5 * time.Second,
			kind: NeedsLogin, text: `provider.example says invalid_grant: "AADSTS53003: blocked"`,
			hint: "ask an administrator; or take the other flow: popsync auth login work --flow browser",
		},
		"the scope is refused, as Google does": {
			opts: oauthtest.Options{NoDevice: true}, kind: Configuration,
			text: `provider.example says invalid_scope: "Invalid device flow scope: mail offline_access"`,
			hint: "or take the other flow: popsync auth login work --flow browser",
		},
		"no offline access": {
			opts: oauthtest.Options{NoRefresh: true}, took: 5 * time.Second, kind: NeedsLogin,
			text: "offline access was not granted: provider.example gave no refresh token, and without one mail could be fetched for an hour only",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(tt.opts)
				s := sourceOf(t, p)
				p.Next("/token", tt.next...)
				screen := newScreen()
				begun := time.Now()
				tokens, err := s.Device(t.Context(), Person{Say: screen})
				if took := time.Since(begun); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				switch {
				case tt.text != "":
					want(t, err, tt.kind, tt.text, tt.hint)
				case err != nil:
					t.Error(err)
				case !p.Good(tokens.Access().Reveal()):
					t.Error("no good token")
				}
				if !tt.opts.NoDevice && !strings.Contains(screen.String(), "Open https://provider.example/activate in a browser on any machine and type the code\n\n  WDJB-0001\n") {
					t.Errorf("told:\n%s", screen)
				}
			})
		})
	}
}

// W17, for providers: an address or code is shown harmless.
func TestDeviceAnswerIsEscaped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s := sourceOf(t, p)
		p.Next("/device", oauthtest.Raw(200, "application/json",
			`{"device_code":"d","user_code":"\u001b]0;x\u0007","verification_url":"https://x/\n\u001b[2J","expires_in":"10"}`))
		screen := newScreen()
		_, err := s.Device(t.Context(), Person{Say: screen})
		if err == nil || strings.ContainsAny(screen.String(), "\x1b\x07") || !strings.Contains(screen.String(), "good for 10 s") {
			t.Errorf("%v, %q", err, screen)
		}
	})
}

func TestLogout(t *testing.T) {
	p := oauthtest.NewInProcess(oauthtest.Options{})
	s, _ := loggedIn(t, p, time.Hour)
	refresh := stored(t, s).refresh.Reveal()
	taken, told, err := s.Logout(t.Context())
	if !taken || told != nil || err != nil {
		t.Errorf("%v, %v, %v", taken, told, err)
	}
	if got := p.Revoked(); len(got) != 1 || got[0] != refresh {
		t.Errorf("%d revoked", len(got))
	}
	_, err = s.Token(t.Context())
	want(t, err, NeedsLogin, ErrNoTokens.Error(), "")
	if _, _, err = s.Logout(t.Context()); !errors.Is(err, ErrNoTokens) {
		t.Error(err)
	}
}

// The file goes though the provider does not answer well.
func TestLogoutWithoutRevocation(t *testing.T) {
	p := oauthtest.NewInProcess(oauthtest.Options{})
	s, _ := loggedIn(t, p, time.Hour)
	p.Next("/revoke", oauthtest.Raw(503, "", ""))
	taken, told, err := s.Logout(t.Context())
	if taken || told == nil || err != nil {
		t.Errorf("%v, %v, %v", taken, told, err)
	}
	if _, err := os.Stat(s.path()); err == nil {
		t.Error("the file is there")
	}
}

func TestTransfer(t *testing.T) {
	p := oauthtest.NewInProcess(oauthtest.Options{})
	s, access := loggedIn(t, p, time.Hour)
	var text strings.Builder
	if err := s.Export(&text, Tokens{stored(t, s)}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if len(line) > 80 {
			t.Errorf("a line of %d", len(line))
		}
	}
	there := sourceOf(t, p)
	tokens, err := there.Import(io.MultiReader(strings.NewReader("Last login: today\r\n"+text.String()), neverRead{t}))
	if err != nil {
		t.Fatal(err)
	}
	if err := there.Keep(t.Context(), tokens); err != nil {
		t.Fatal(err)
	}
	if v := token(t, there); !v.Equal(access) {
		t.Error("another token")
	}
	there.set.ClientID = "other"
	_, err = there.Import(strings.NewReader(text.String()))
	want(t, err, Configuration, "the tokens belong to another client than oauth2.client_id", "same oauth2.client_id")
	for _, damaged := range []string{"", "hello", text.String()[:100], strings.Replace(text.String(), "TOKENS", "SECRET", 2)} {
		_, err = there.Import(strings.NewReader(damaged))
		want(t, err, Configuration, "standard input holds no tokens", "popsync auth login --export")
	}
}

// neverRead is what stands behind the end of a block.
type neverRead struct{ t testing.TB }

func (r neverRead) Read([]byte) (int, error) {
	r.t.Error("read on after the end")
	return 0, io.EOF
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{Ends: 20 * 24 * time.Hour})
		s, _ := loggedIn(t, p, 0)
		token(t, s)
		st, err := s.Status()
		if err != nil || !st.Refreshable || st.Refreshed.IsZero() || time.Until(st.AccessEnds) != time.Hour {
			t.Errorf("%+v, %v", st, err)
		}
		if w := s.Warning(st, time.Now()); w != "" {
			t.Error(w)
		}
		if w := s.Warning(st, time.Now().Add(7*24*time.Hour)); !strings.HasPrefix(w, "the refresh token ends on 2000-01-2") || !strings.HasSuffix(w, "; before that, log in again: popsync auth login work") {
			t.Error(w)
		}
		s.set.Endpoints.TokenURL = "https://oauth2.googleapis.com/token"
		st.RefreshEnds = st.Obtained.Add(7 * 24 * time.Hour)
		if w := s.Warning(st, time.Now()); !strings.Contains(w, `"In production"`) {
			t.Error(w)
		}
	})
}
