package oauth

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"popsync/internal/provider"
)

// fuzzed is a source that asks nobody.
func fuzzed() *Source {
	return NewSource(Settings{
		Account: "work", ClientID: "client",
		Endpoints: provider.OAuth2{AuthURL: "https://login.example.org/a", TokenURL: "https://token.example.org/t", Scopes: []string{"pop"}},
	})
}

// A8: whatever the token endpoint says: what is taken for an answer is JSON, a token can be sent to a
// mail server and has an end, and what is said of a refusal is short and holds no secret of the request.
func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"pop x"}`,
		`{"access_token":"a","expires_in":"1e9","refresh_token_expires_in":"604799"}`,
		`{"access_token":7,"expires_in":{}}`,
		`{"access_token":"a\nb"}`,
		`{"error":"invalid_grant","error_description":"AADSTS70008: s3cret-refresh"}`,
		`{"error":["x"]}`,
		`[]`, `null`, `"{"`, `{`, ``, ` {"expires_in":-0}`,
	} {
		f.Add(200, []byte(seed))
		f.Add(400, []byte(seed))
		f.Add(503, []byte(seed))
	}
	const secret = "s3cret-refresh"
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a, ok := parse(body)
		if trimmed := bytes.TrimLeft(body, " \t\r\n"); ok && !json.Valid(body) || !ok && json.Valid(body) && len(trimmed) == len(body) && body[0] == '{' {
			t.Errorf("%q is an answer: %v", body, ok)
		}
		s := fuzzed()
		got, err := s.read(reply{host: "token.example.org", status: status, body: body}, nil, url.Values{"refresh_token": {secret}})
		if err == nil && (status != http.StatusOK || got.Error != "") {
			t.Errorf("%d %q is good", status, body)
		}
		if err != nil {
			e := err.(*Error)
			if all := e.Error() + e.Code + e.Text + e.Hint; strings.Contains(all, secret) || len(all) > 4*maxText+600 {
				t.Errorf("the error says %q", all)
			}
			return
		}
		if r, err := a.token(now, []string{"pop"}); err == nil {
			checkToken(t, r, now)
		}
	})
}

// checkToken says what is wrong with tokens that came at now.
func checkToken(t *testing.T, r record, now time.Time) {
	t.Helper()
	access := r.access.Reveal()
	if access == "" || strings.ContainsFunc(access, func(c rune) bool { return c <= ' ' || c > '~' }) {
		t.Errorf("the token %q cannot be sent", access)
	}
	const tenYears = 3660 * 24 * time.Hour
	if life := r.expiry.Sub(now); life < -time.Second || life > tenYears {
		t.Errorf("the token is good for %v", life)
	}
	if life := r.refreshEnds.Sub(now); !r.refreshEnds.IsZero() && (life < 0 || life > tenYears) {
		t.Errorf("the refresh token is good for %v", life)
	}
	if len(r.scopes) == 0 {
		t.Error("no scope")
	}
	r.clientID, r.tokenURL = "client", "https://token.example.org/t"
	if again, err := decode(r.encode()); err != nil || !again.access.Equal(r.access) || !again.expiry.Equal(r.expiry) || !again.refreshEnds.Equal(r.refreshEnds) {
		t.Errorf("kept and read again: %v", err)
	}
}

// A8: whatever is pasted: it is an answer only if it has the state that was asked with, and then it has a
// code or says why not, in few words. The code of a whole address arrives as it is, whatever stands
// around that address.
func FuzzPastedAddress(f *testing.F) {
	const state, verifier = "STATE-7Q2M", "VERIFIER-55AB"
	for _, seed := range []string{
		"http://127.0.0.1:4711/?code=c&state=STATE-7Q2M",
		"  \"http://localhost:4711/?state=STATE-7Q2M&code=4%2F0A+b&scope=x#top\"  ",
		"code=c&state=STATE-7Q2M", "?code=c&state=STATE-7Q2M", "<?state=STATE-7Q2M>",
		"?error=access_denied&error_description=VERIFIER-55AB&state=STATE-7Q2M",
		"?error=temporarily_unavailable&state=STATE-7Q2M",
		"?code=c&state=STATE-7Q2N", "?code=c&state=", "?code=%zz&state=STATE-7Q2M", "?a?code=c;state=x", "\x00\xff", "",
	} {
		f.Add(seed)
	}
	a := authorization{redirect: "http://127.0.0.1:4711", state: state, verifier: verifier}
	f.Fuzz(func(t *testing.T, line string) {
		s := fuzzed()
		v, ok := s.verdict(a, pasted(line))
		switch {
		case ok && (v.code == "") != (v.err != nil):
			t.Errorf("%q has the code %q, and the error %v", line, v.code, v.err)
		case !ok && (v.code != "" || v.err != nil):
			t.Errorf("%q is no answer, and has %+v", line, v)
		case v.err != nil:
			e := v.err.(*Error)
			if all := e.Error() + e.Code + e.Text + e.Hint; strings.Contains(all, state) || strings.Contains(all, verifier) || len(all) > 4*maxText+600 {
				t.Errorf("the error says %q", all)
			}
		}
		if line == "" {
			return
		}
		whole := " <" + a.redirect + "/?state=" + state + "&code=" + url.QueryEscape(line) + "#" + strings.Map(inFragment, line) + ">\r"
		if v, ok := s.verdict(a, pasted(whole)); !ok || v.code != line {
			t.Errorf("the code %q arrives as %q, %v", line, v.code, ok)
		}
	})
}

// inFragment is what a browser leaves as it is behind a #.
func inFragment(r rune) rune {
	if r > ' ' && r < utf8.RuneSelf && r != '?' && r != '#' {
		return r
	}
	return -1
}

// A9: whatever Retry-After says, the wait is never negative; a number is seconds, and a date is a date.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"", "0", "7", "-1", "+5", "1.5", "0x10", "007", "2147483647", "2147483648", "99999999999999999999",
		"Fri, 02 Jan 2026 03:05:05 GMT", "Friday, 02-Jan-26 03:05:05 GMT", "Fri Jan  2 03:05:05 2026",
		"Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", " 7", "7, 8", "\x00",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got := retryAfter(text, now)
		n, number := strconv.ParseUint(text, 10, 31)
		date, dated := http.ParseTime(text)
		switch {
		case got < 0:
			t.Errorf("%q is %v", text, got)
		case number == nil && got != time.Duration(n)*time.Second:
			t.Errorf("%q is %v", text, got)
		case number != nil && dated == nil && date.After(now) != (got > 0):
			t.Errorf("%q is %v", text, got)
		case number != nil && dated != nil && got != 0:
			t.Errorf("%q is no time, and is %v", text, got)
		}
	})
}
