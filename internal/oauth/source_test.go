package oauth

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"popsync/internal/oauth/oauthtest"
	"popsync/internal/secret"
)

// A8: refresh happens in good time.
func TestTokenIsRenewedInGoodTime(t *testing.T) {
	for name, tt := range map[string]struct {
		left     time.Duration
		requests int
	}{
		"an hour is left":               {time.Hour, 0},
		"six minutes and a bit":         {early + jitter + time.Second, 0},
		"less than five minutes":        {early - time.Second, 1},
		"over for an hour":              {-time.Hour, 1},
		"over, and the clock went wild": {-10000 * time.Hour, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(oauthtest.Options{})
				s, first := loggedIn(t, p, tt.left)
				got := token(t, s)
				if got.Equal(first) != (tt.requests == 0) || !p.Good(got.Reveal()) {
					t.Error("the wrong token")
				}
				asked(t, p, tt.requests)
				if again := token(t, s); !again.Equal(got) {
					t.Error("the next call gets another one")
				}
				asked(t, p, tt.requests)
			})
		})
	}
}

// A8: once per account, though many ask at once, in one process and in several.
func TestManyAskAndOneRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{Rotate: true})
		s, _ := loggedIn(t, p, 0)
		other := sourceIn(p, s.set.Dir) // another process's
		var all sync.WaitGroup
		tokens := make([]secret.Value, 20)
		for i := range tokens {
			all.Go(func() { tokens[i], _ = []*Source{s, other}[i%2].Token(t.Context()) })
		}
		all.Wait()
		for _, v := range tokens {
			if !p.Good(v.Reveal()) || !v.Equal(tokens[0]) {
				t.Error("not all got the same good token")
			}
		}
		asked(t, p, 1)
	})
}

// A8: a rotated refresh token is durable before use, and the one before is kept until the new one
// has worked once.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{Rotate: true})
		s, first := loggedIn(t, p, 0)
		before := stored(t, s).refresh
		token(t, s)
		r := stored(t, s)
		if r.refresh.Equal(before) || !r.previous.Equal(before) || r.refreshed.IsZero() {
			t.Error("the new refresh token is not there, or the one before is gone")
		}
		if _, err := s.Renew(t.Context(), r.access); err != nil {
			t.Fatal(err)
		}
		if now := stored(t, s); !now.previous.Equal(r.refresh) {
			t.Error("previous is not the one that worked last")
		}
		if info, err := os.Stat(s.path()); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		_ = first
	})
}

// Google rotates nothing: the old one stays.
func TestWithoutRotationTheRefreshTokenStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{Ends: 100 * time.Hour})
		s, _ := loggedIn(t, p, 0)
		before := stored(t, s).refresh
		token(t, s)
		r := stored(t, s)
		if !r.refresh.Equal(before) || !r.previous.IsZero() {
			t.Error("the refresh token has changed")
		}
		if !r.refreshEnds.Equal(time.Now().Add(100 * time.Hour).Truncate(time.Second)) {
			t.Errorf("refresh_token_expires_in is not kept: %v", r.refreshEnds)
		}
	})
}

// A rotated refresh token that the disk does not take is not used, and not lost.
func TestDiskRefusesRotatedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{Rotate: true})
		s, _ := loggedIn(t, p, 0)
		saved := s.path() + ".away"
		p.Next("/token", p.After(func() { // the disk fails between the trial and the answer: nobody can rename there
			if os.Rename(s.path(), saved) != nil || os.Mkdir(s.path(), 0o700) != nil {
				t.Error("cannot stand in the way")
			}
		}, nil))
		v, err := s.Token(t.Context())
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Storage || !v.IsZero() {
			t.Fatalf("got %v", err)
		}
		if os.Remove(s.path()) != nil || os.Rename(saved, s.path()) != nil {
			t.Fatal("cannot get out of the way")
		}
		v = token(t, s)
		asked(t, p, 1) // what had been got is used, after all
		if r := stored(t, s); !p.Good(v.Reveal()) || !r.access.Equal(v) {
			t.Error("it was used before it was on disk")
		}
	})
}

// Renew: what somebody else renewed meanwhile will do; the refused one will not.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, first := loggedIn(t, p, time.Hour)
		second, err := s.Renew(t.Context(), first)
		if err != nil || second.Equal(first) {
			t.Fatal(err)
		}
		asked(t, p, 1)
		if again, err := s.Renew(t.Context(), first); err != nil || !again.Equal(second) {
			t.Errorf("got another one, %v", err)
		}
		asked(t, p, 1)
		p.Next("/token", p.Changed(map[string]any{"access_token": second.Reveal()}))
		_, err = s.Renew(t.Context(), second)
		want(t, err, NeedsLogin, "provider.example gives the same token again, which the mail server refuses",
			"log in again: popsync auth login work")
	})
}

// The classes of errors (facts of OAuth2 providers, section 5).
func TestWhatTheTokenEndpointSays(t *testing.T) {
	const host = "provider.example"
	for name, tt := range map[string]struct {
		answer   oauthtest.Answer
		kind     Kind
		text     string
		hint     string
		requests int
	}{
		"invalid_grant": {
			oauthtest.InvalidGrant("Token has been expired or revoked."), NeedsLogin,
			host + ` says invalid_grant: "Token has been expired or revoked."`, "log in again: popsync auth login work", 1,
		},
		"invalid_grant of Microsoft": {
			oauthtest.InvalidGrant("AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1 Correlation ID: 2"), NeedsLogin,
			host + ` says invalid_grant: "AADSTS700082: The refresh token has expired due to inactivity."`,
			"the refresh token was not used for 90 days and has ended; log in again: popsync auth login work", 1,
		},
		"an administrator is needed": {
			oauthtest.InvalidGrant("AADSTS53003: Access has been blocked by Conditional Access policies."), NeedsLogin,
			host + ` says invalid_grant: "AADSTS53003: Access has been blocked by Conditional Access policies."`, "ask an administrator", 1,
		},
		"interaction_required": {
			oauthtest.Refuse(400, "interaction_required", "AADSTS50076: you must use multi-factor authentication"), NeedsLogin,
			host + ` says interaction_required: "AADSTS50076: you must use multi-factor authentication"`, "second factor", 1,
		},
		"consent_required": {oauthtest.Refuse(400, "consent_required", ""), NeedsLogin, host + " says consent_required", "allow popsync", 1},
		"invalid_client": {
			oauthtest.Refuse(401, "invalid_client", "The OAuth client was not found."), Configuration,
			host + ` says invalid_client: "The OAuth client was not found."`, "oauth2.client_id", 1,
		},
		"public client flows are off": {
			oauthtest.Refuse(401, "invalid_client", "AADSTS7000218: The request body must contain client_assertion or client_secret."), Configuration,
			host + ` says invalid_client: "AADSTS7000218: The request body must contain client_assertion or client_secret."`, "Allow public client flows", 1,
		},
		"one directory only": {
			oauthtest.Refuse(400, "invalid_request", "AADSTS50194: Application is not configured as a multi-tenant application."), Configuration,
			host + ` says invalid_request: "AADSTS50194: Application is not configured as a multi-tenant application."`, "oauth2.tenant", 1,
		},
		"unauthorized_client":    {oauthtest.Refuse(400, "unauthorized_client", ""), Configuration, host + " says unauthorized_client", "client_id", 1},
		"invalid_scope":          {oauthtest.Refuse(400, "invalid_scope", ""), Configuration, host + " says invalid_scope", "oauth2.scopes", 1},
		"unsupported_grant_type": {oauthtest.Refuse(400, "unsupported_grant_type", ""), Configuration, host + " says unsupported_grant_type", "oauth2.grant", 1},
		"an unknown code":        {oauthtest.Refuse(400, "strange", "\x1b[31m"), Later, host + ` says strange: "\x1b[31m"`, "the next poll asks again", 1},
		"an error with 200":      {oauthtest.Refuse(200, "invalid_scope", ""), Configuration, host + " says invalid_scope", "oauth2.scopes", 1},
		"an error that is an object": {
			oauthtest.Raw(400, "application/json", `{"error":{"code":400}}`), Later, host + ": answers 400 without saying why", "kept", 1,
		},
		"HTML with 200":      {oauthtest.HTML(), Later, host + ": answers 200, and not in JSON", "kept", 1},
		"HTML with 404":      {oauthtest.Raw(404, "text/html", "<p>"), Later, host + ": answers 404, and not in JSON", "kept", 1},
		"a list":             {oauthtest.Raw(200, "application/json", "[1]"), Later, host + ": answers 200, and not in JSON", "kept", 1},
		"nothing":            {oauthtest.Raw(200, "application/json", ""), Later, host + ": answers 200, and not in JSON", "kept", 1},
		"no access token":    {oauthtest.Raw(200, "application/json", "{}"), Later, host + ": answers without an access token", "kept", 1},
		"another token type": {oauthtest.Raw(200, "application/json", `{"access_token":"x","token_type":"mac"}`), Later, host + ": gives tokens of another type than Bearer", "kept", 1},
		"a token with a control character": {
			oauthtest.Raw(200, "application/json", `{"access_token":"x\u0001auth=Bearer y"}`), Later,
			host + ": gives a token that cannot be sent to a mail server", "kept", 1,
		},
		"no end":   {oauthtest.Flood(2 << 20), Later, host + ": an answer that does not end", "kept", 3},
		"redirect": {oauthtest.Elsewhere(307, "https://elsewhere.example/"), Later, host + ": sends us elsewhere (307), where no secret may go", "token_url", 1},
		"503":      {oauthtest.Raw(503, "text/html", "<p>"), Later, host + ": answers 503 Service Unavailable", "kept", 3},
		"500 with an error that is none": {
			oauthtest.Refuse(500, "invalid_grant", ""), Later, host + ": answers 500 Internal Server Error", "kept", 3,
		},
		"429":                    {oauthtest.Busy(""), Later, host + ": answers 429 Too Many Requests", "kept", 3},
		"429 with a short pause": {oauthtest.Busy("7"), Later, host + ": answers 429 Too Many Requests", "asks to wait 7.0 s", 3},
		"429 with a long pause":  {oauthtest.Busy("3600"), Later, host + ": answers 429 Too Many Requests", "asks to wait 1 h", 1},
		"a hang":                 {oauthtest.Hang(), Later, host + ": no answer within 20s", "kept", 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(oauthtest.Options{})
				s, _ := loggedIn(t, p, 0)
				before := stored(t, s)
				p.Next("/token", tt.answer, tt.answer, tt.answer)
				_, err := s.Token(t.Context())
				want(t, err, tt.kind, tt.text, tt.hint)
				asked(t, p, tt.requests)
				if r := stored(t, s); !r.refresh.Equal(before.refresh) {
					t.Error("the refresh token is gone")
				}
			})
		})
	}
}

// A passing fault takes as long as it says, and no longer.
func TestTriesAndPauses(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []oauthtest.Answer
		took    time.Duration
	}{
		"the second try":              {[]oauthtest.Answer{oauthtest.Raw(503, "", "")}, waits[0]},
		"the third try":               {[]oauthtest.Answer{oauthtest.Busy(""), oauthtest.Raw(408, "", "")}, waits[0] + waits[1]},
		"a pause that is asked for":   {[]oauthtest.Answer{oauthtest.Busy("7")}, 7 * time.Second},
		"a hang, then all is well":    {[]oauthtest.Answer{oauthtest.Hang()}, perTry + waits[0]},
		"a pause that is a timestamp": {[]oauthtest.Answer{oauthtest.Busy("Sat, 01 Jan 2000 00:00:09 GMT")}, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(oauthtest.Options{})
				s, _ := loggedIn(t, p, 0)
				p.Next("/token", tt.answers...)
				begun := time.Now()
				if v := token(t, s); !p.Good(v.Reveal()) {
					t.Error("no good token")
				}
				if took := time.Since(begun); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// What is left of a token will do while the provider is in trouble.
func TestTroubleWhileTheOldTokenIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, first := loggedIn(t, p, 2*time.Minute)
		p.Next("/token", oauthtest.HTML(), oauthtest.HTML())
		if got := token(t, s); !got.Equal(first) {
			t.Error("another token")
		}
		if _, err := s.Renew(t.Context(), first); err == nil {
			t.Error("Renew gives back what was refused")
		}
	})
}

// A8: invalid_grant stops the questions until somebody logs in.
func TestInvalidGrantIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, _ := loggedIn(t, p, 0)
		p.Next("/token", oauthtest.InvalidGrant("revoked"))
		for _, s := range []*Source{s, s, sourceIn(p, s.set.Dir)} {
			_, err := s.Token(t.Context())
			want(t, err, NeedsLogin, `provider.example says invalid_grant: "revoked"`, "log in again: popsync auth login work")
			_, err = s.Renew(t.Context(), secret.New("x"))
			want(t, err, NeedsLogin, `provider.example says invalid_grant: "revoked"`, "log in again: popsync auth login work")
		}
		asked(t, p, 1)
		refresh, access := p.Issue()
		put(t, s, refresh, access, 0)
		if v := token(t, s); !p.Good(v.Reveal()) {
			t.Error("a new log-in changes nothing")
		}
	})
}

// What an administrator can mend is asked again.
func TestConditionalAccessIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, _ := loggedIn(t, p, 0)
		p.Next("/token", oauthtest.InvalidGrant("AADSTS53003: blocked"), oauthtest.Refuse(400, "consent_required", ""))
		for range 2 {
			if _, err := s.Token(t.Context()); err == nil {
				t.Fatal("no error")
			}
		}
		token(t, s)
		asked(t, p, 3)
	})
}

// invalid_grant, because somebody who knows no lock has renewed meanwhile: theirs is taken.
func TestLostRace(t *testing.T) {
	for name, left := range map[string]time.Duration{"with a good access token": time.Hour, "with an old one": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(oauthtest.Options{Rotate: true})
				s, _ := loggedIn(t, p, 0)
				p.Next("/token", p.After(func() {
					refresh, access := p.Issue()
					r := stored(t, s)
					r.refresh, r.access, r.expiry = secret.New(refresh), secret.New(access), time.Now().Add(left)
					if err := s.write(r); err != nil {
						t.Error(err)
					}
				}, oauthtest.InvalidGrant("used already")))
				if v := token(t, s); !p.Good(v.Reveal()) {
					t.Error("no good token")
				}
				if stored(t, s).dead != (Death{}) {
					t.Error("counted as dead")
				}
			})
		})
	}
}

// The refresh token before is tried too: the answer with the new one may have been lost.
func TestPreviousRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, _ := loggedIn(t, p, 0)
		r := stored(t, s)
		r.previous, r.refresh = r.refresh, secret.New("never known")
		if err := s.write(r); err != nil {
			t.Fatal(err)
		}
		if v := token(t, s); !p.Good(v.Reveal()) {
			t.Error("no good token")
		}
		if now := stored(t, s); !now.refresh.Equal(r.previous) || !now.previous.IsZero() {
			t.Error("the one that works is not kept")
		}
		asked(t, p, 2)
	})
}

func TestExpiresIn(t *testing.T) {
	for name, tt := range map[string]struct {
		value any
		life  time.Duration
	}{
		"a string":    {"1800", 30 * time.Minute},
		"missing":     {nil, lifetime},
		"0":           {0, 0},
		"null":        {any(nil), lifetime},
		"negative":    {-5, 0},
		"a fraction":  {1800.5, 30 * time.Minute},
		"for ever":    {1e300, maxSeconds * time.Second},
		"no number":   {"soon", lifetime},
		"an object":   {map[string]int{}, lifetime},
		"an hour":     {3600, time.Hour},
		"not a count": {"NaN", lifetime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(oauthtest.Options{})
				s, _ := loggedIn(t, p, 0)
				p.Next("/token", p.Changed(map[string]any{"expires_in": tt.value}))
				if v := token(t, s); !p.Good(v.Reveal()) {
					t.Error("no good token")
				}
				if got := stored(t, s).expiry.Sub(time.Now().Truncate(time.Second)); got != tt.life {
					t.Errorf("good for %v, want %v", got, tt.life)
				}
			})
		})
	}
}

// A mail gateway: no person, no refresh token, asked anew.
func TestClientCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{Secret: "s3cret"})
		s := sourceOf(t, p)
		s.set.Grant = GrantClientCredentials
		s.set.Endpoints.Scopes = []string{"https://outlook.office365.com/.default"}
		s.set.ClientSecret = func(context.Context) (secret.Value, error) { return secret.New("s3cret"), nil }
		first := token(t, s)
		if again := token(t, s); !again.Equal(first) {
			t.Error("asked twice")
		}
		asked(t, p, 1)
		time.Sleep(time.Hour)
		if second := token(t, s); second.Equal(first) || !p.Good(second.Reveal()) {
			t.Error("not renewed")
		}
		if got := p.Requests("/token")[1].Form.Get("grant_type"); got != "client_credentials" {
			t.Error(got)
		}
		s.set.ClientSecret = func(context.Context) (secret.Value, error) { return secret.Value{}, errors.New("pass: exit status 1") }
		_, err := s.Renew(t.Context(), first)
		if err != nil {
			t.Error("somebody's other token is good enough:", err)
		}
		time.Sleep(time.Hour)
		_, err = s.Token(t.Context())
		want(t, err, Configuration, "client secret: pass: exit status 1", "client_secret_command")
	})
}

// Secrets go over HTTPS, or nowhere.
func TestEndpointsInTheClear(t *testing.T) {
	p := oauthtest.NewInProcess(oauthtest.Options{})
	for url, text := range map[string]string{
		"http://login.example.org/token?x=y": `token_url "http://login.example.org/token" would send secrets in the clear`,
		"":                                   "no token_url",
		"login.example.org/token":            `token_url is no URL of a server: "login.example.org/token"`,
		"https://a:b@login.example.org/":     `token_url is no URL of a server: "https://login.example.org/"`,
		"ftp://login.example.org/":           `token_url "ftp://login.example.org/" would send secrets in the clear`,
	} {
		s, _ := loggedIn(t, p, 0)
		s.set.Endpoints.TokenURL = url
		_, err := s.Token(t.Context())
		want(t, err, Configuration, text, "")
	}
	for _, url := range []string{"http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "https://login.example.org/"} {
		s := sourceOf(t, p)
		s.set.Endpoints.TokenURL = url
		if _, err := s.endpoint(tokenURL); err != nil {
			t.Error(err)
		}
	}
	s := sourceOf(t, p)
	s.set.ClientID = ""
	_, err := s.Token(t.Context())
	want(t, err, Configuration, "no client_id", "oauth2.client_id")
}

func TestNobodyAnswers(t *testing.T) {
	p := oauthtest.New(t, oauthtest.Options{})
	s, _ := loggedIn(t, p, 0)
	s.set.Endpoints.TokenURL = "http://127.0.0.1:1/token"
	put(t, s, "r", "a", 0)
	_, err := s.post(t.Context(), tokenURL, nil)
	want(t, err, Later, "127.0.0.1:1: connection refused", "kept")
}

// Tokens are of use to the client and at the server that gave them, and are shown to no other.
func TestTokensOfAnotherClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, _ := loggedIn(t, p, time.Hour)
		s.set.ClientID = "other"
		_, err := s.Token(t.Context())
		want(t, err, NeedsLogin, "the tokens belong to another client than oauth2.client_id", "log in again")
		s.set.ClientID, s.set.Endpoints.TokenURL = "client", "https://other.example/token"
		_, err = s.Token(t.Context())
		want(t, err, NeedsLogin, "the tokens are of another provider than oauth2 names", "log in again")
		asked(t, p, 0)
	})
}

func TestNobodyHasLoggedIn(t *testing.T) {
	p := oauthtest.NewInProcess(oauthtest.Options{})
	s := sourceOf(t, p)
	_, err := s.Token(t.Context())
	want(t, err, NeedsLogin, "no tokens: nobody has logged in yet", "log in: popsync auth login work")
	if _, err := os.Stat(s.set.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a folder was made for nothing")
	}
}

// C3, for tokens: what lets others at them is refused with the command that mends it.
func TestTokensThatOthersCanRead(t *testing.T) {
	p := oauthtest.NewInProcess(oauthtest.Options{})
	s, _ := loggedIn(t, p, time.Hour)
	for _, path := range []string{s.path(), s.set.Dir} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		open, file, what, mend := fs.FileMode(0o644), "token file ", "holds a secret", "chmod 600 "
		if info.IsDir() {
			open, file, what, mend = 0o755, "folder of tokens ", "holds secrets", "chmod 700 "
		}
		if err := os.Chmod(path, open); err != nil {
			t.Fatal(err)
		}
		_, err = sourceIn(p, s.set.Dir).Token(t.Context())
		want(t, err, Configuration, file+path+" "+what+" and its mode "+"0"+octal(open)+" lets others at it", "close it: "+mend+path)
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	token(t, s)
}

func octal(m fs.FileMode) string { return map[fs.FileMode]string{0o644: "644", 0o755: "755"}[m] }

// A folder that cannot be written is an error at once, though the token is good for another hour.
func TestFolderThatCannotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	p := oauthtest.NewInProcess(oauthtest.Options{})
	s, _ := loggedIn(t, p, time.Hour)
	if err := os.Chmod(s.set.Dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(s.set.Dir, 0o700) })
	_, err := sourceIn(p, s.set.Dir).Token(t.Context())
	want(t, err, Storage, "tokens: write in "+s.set.Dir+": permission denied", "check that "+s.set.Dir+" is there and that you may write in it")
	asked(t, p, 0)
}

// asNobody runs the test once more as a user who may not write everywhere, as root may.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	dir := t.TempDir()
	program, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.Chmod(filepath.Dir(dir), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "test"), program, 0o755)
	}
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Join(dir, "tmp"), 0o777), os.Chmod(filepath.Join(dir, "tmp"), 0o777))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "test"), "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = dir, []string{"TMPDIR=" + filepath.Join(dir, "tmp")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

// What stands in the way of writing is found out before a server is asked.
func TestDiskIsTriedBeforeTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, _ := loggedIn(t, p, 0)
		if err := os.Mkdir(filepath.Join(s.set.Dir, ".work.try"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := s.Token(t.Context())
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Storage || !errors.Is(err, syscall.EISDIR) || !strings.Contains(e.Hint, s.set.Dir) {
			t.Errorf("got %v", err)
		}
		asked(t, p, 0)
	})
}

func TestDamagedFile(t *testing.T) {
	p := oauthtest.NewInProcess(oauthtest.Options{})
	for text, tt := range map[string]struct {
		kind Kind
		text string
	}{
		"":               {NeedsLogin, "is damaged"},
		`{"access_toke`:  {NeedsLogin, "is damaged"},
		`{"version":2}`:  {Configuration, "was written by a newer popsync"},
		`[]`:             {NeedsLogin, "is damaged"},
		"\x00\x00\x00":   {NeedsLogin, "is damaged"},
		`{"version":-1}`: {NeedsLogin, "is damaged"},
	} {
		s, _ := loggedIn(t, p, time.Hour)
		if err := os.WriteFile(s.path(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := s.Token(t.Context())
		want(t, err, tt.kind, "token file "+s.path()+" "+tt.text, "")
	}
}

// The wait for a lock and for a pause ends with the context, and that for an answer a little later.
func TestWaitsEndWithTheContext(t *testing.T) {
	stopped := errors.New("stopped")
	for name, prepare := range map[string]func(*testing.T, *oauthtest.Provider, *Source){
		"the lock": func(t *testing.T, _ *oauthtest.Provider, s *Source) {
			unlock, err := sourceIn(oauthtest.NewInProcess(oauthtest.Options{}), s.set.Dir).lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(unlock)
		},
		"a pause":   func(_ *testing.T, p *oauthtest.Provider, _ *Source) { p.Next("/token", oauthtest.Busy("20")) },
		"an answer": func(_ *testing.T, p *oauthtest.Provider, _ *Source) { p.Next("/token", oauthtest.Hang()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(oauthtest.Options{})
				s, _ := loggedIn(t, p, 0)
				prepare(t, p, s)
				ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, stopped)
				defer cancel()
				begun := time.Now()
				if _, err := s.Token(ctx); !errors.Is(err, stopped) {
					t.Errorf("got %v", err)
				}
				wanted := 10 * time.Second
				if name == "an answer" {
					wanted += lingerFor
				}
				if took := time.Since(begun); took != wanted {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// What a crash has left of a file of tokens goes with the next write.
func TestLeftOversAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := oauthtest.NewInProcess(oauthtest.Options{})
		s, _ := loggedIn(t, p, 0)
		stale, others := filepath.Join(s.set.Dir, ".work.json.12345"), filepath.Join(s.set.Dir, ".work.json.json.1")
		for _, path := range []string{stale, others} {
			if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		token(t, s)
		if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
			t.Error("still there")
		}
		if _, err := os.Stat(others); err != nil {
			t.Error(err)
		}
	})
}
