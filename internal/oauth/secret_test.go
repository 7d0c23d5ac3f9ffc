package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"popsync/internal/oauth/oauthtest"
	"popsync/internal/secret"
)

const mark = "MaRkEr/Tok+en" // what every token, code and secret of these tests begins with

// shows reports a secret in text: as it is, as in a URL, or within base64 at any offset.
func shows(text string) bool {
	forms := []string{mark, url.QueryEscape(mark), url.PathEscape(mark), "MaRkEr"}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for shift := range 3 {
			encoded := enc.EncodeToString([]byte("...."[:shift] + mark + "...."))
			forms = append(forms, encoded[4:12])
		}
	}
	for _, form := range forms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// A7: whatever a provider answers, and whatever it repeats, no error and no output holds a token, a
// code, a verifier or the client's secret, in no form; and no file but that of the tokens.
func TestNoSecretIsShown(t *testing.T) {
	encoded := []func(string) string{
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
		func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte("user=a\x01auth=Bearer " + s + "\x01\x01"))
		},
		func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("n" + s)) },
		url.QueryEscape,
	}
	failures := map[string]oauthtest.Answer{
		"invalid_grant":        oauthtest.Echo(400, "invalid_grant", encoded...),
		"invalid_client":       oauthtest.Echo(401, "invalid_client", encoded...),
		"an unknown code":      oauthtest.Echo(400, "strange", encoded...),
		"interaction_required": oauthtest.Echo(400, "interaction_required", encoded...),
		"503":                  oauthtest.Echo(503, "x", encoded...),
		"429":                  oauthtest.Busy("1"),
		"HTML":                 oauthtest.Raw(200, "text/html", mark),
		"broken JSON":          oauthtest.Raw(200, "application/json", `{"access_token":"`+mark+`","expires_in":`+mark),
		"JSON of other types":  oauthtest.Raw(200, "application/json", `{"access_token":{"`+mark+`":1},"token_type":"`+mark+`"}`),
		"a strange type":       oauthtest.Raw(200, "application/json", `{"access_token":"`+mark+`","token_type":"`+mark+`"}`),
		"a strange token":      oauthtest.Raw(200, "application/json", `{"access_token":"`+mark+`\n"}`),
		"redirect":             oauthtest.Elsewhere(302, "https://x.example/?"+mark),
		"hang":                 oauthtest.Hang(),
		"good":                 nil,
	}
	check := func(t *testing.T, s *Source, outputs ...any) {
		t.Helper()
		for _, o := range outputs {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				if text := fmt.Sprintf(verb, o); shows(text) {
					t.Errorf("%s shows a secret: %s", verb, text)
				}
			}
			if err, ok := o.(error); ok {
				for ; err != nil; err = errors.Unwrap(err) {
					if e, ok := err.(*Error); ok && shows(e.Code+e.Text+e.Hint) || shows(err.Error()) {
						t.Errorf("within the error: %#v", err)
					}
				}
			}
		}
		_ = filepath.WalkDir(s.set.Dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && path != s.path() {
				if text, err := os.ReadFile(path); err != nil || shows(string(text)) {
					t.Errorf("%s shows a secret (%v)", path, err)
				}
			}
			return nil
		})
	}
	for name, answer := range failures {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := oauthtest.NewInProcess(oauthtest.Options{Prefix: mark, Secret: mark + "secret", Rotate: true})
				s, access := loggedIn(t, p, 0)
				s.set.ClientSecret = func(context.Context) (secret.Value, error) { return secret.New(mark + "secret"), nil }
				again := []oauthtest.Answer{answer, answer, answer}
				// renewal
				p.Next("/token", again...)
				v, err := s.Renew(t.Context(), access)
				st, err2 := s.Status()
				check(t, s, err, err2, st, v, s, Tokens{stored(t, s)}, stored(t, s))
				// a code
				p.Next("/token", again...)
				a, err := s.authorization(1)
				if err != nil {
					t.Fatal(err)
				}
				tokens, err := s.redeem(t.Context(), a, mark+".code")
				check(t, s, err, tokens)
				// the page says no, and repeats what it likes
				verdict, _ := s.verdict(a, url.Values{"state": {a.state}, "error": {"x"}, "error_description": {a.verifier + a.state}})
				if text := verdict.err.Error(); strings.Contains(text, a.verifier) || strings.Contains(text, a.state) {
					t.Error(text)
				}
				// a device
				p = oauthtest.NewInProcess(oauthtest.Options{Prefix: mark})
				s = sourceOf(t, p)
				p.Next("/token", again...)
				screen := newScreen()
				tokens, err = s.Device(t.Context(), Person{Say: screen})
				check(t, s, err, tokens, screen.String())
				// logout
				s, _ = loggedIn(t, p, time.Hour)
				p.Next("/revoke", again...)
				_, told, err := s.Logout(t.Context())
				check(t, s, told, err)
			})
		})
	}
}

// Errors of the network hold the URL, and that may hold a code.
func TestNoSecretInErrorsOfTheNetwork(t *testing.T) {
	p := oauthtest.New(t, oauthtest.Options{TLS: true}) // whose certificate is not trusted
	s, _ := loggedIn(t, p, 0)
	s.http = newClient(nil)
	t.Cleanup(s.http.CloseIdleConnections)
	s.set.Endpoints.TokenURL += "?x=" + mark
	_, err := s.post(t.Context(), tokenURL, url.Values{"code": {mark}})
	if err == nil || shows(err.Error()) || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "/token") {
		t.Errorf("got %v", err)
	}
}

func TestConceal(t *testing.T) {
	for in, want := range map[string]string{
		"a " + mark + " b":                  "a **** b",
		"x=" + url.QueryEscape(mark) + "&y": "x=****&y",
		"nothing":                           "nothing",
	} {
		if got := conceal(in, []string{mark, "", "ab"}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
