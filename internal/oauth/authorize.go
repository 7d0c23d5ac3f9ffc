package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// An authorization is one request to a provider's page, and what its answer has to fit
// (RFC 6749, section 4.1; RFC 7636).
type authorization struct {
	url      string // for a browser
	redirect string // where the provider sends the browser in the end
	state    string // only an answer that repeats it is ours
	verifier string // only who knows it can use the code
}

// authorization begins a log-in whose answer comes to port on this machine (RFC 8252, section 7.3).
func (s *Source) authorization(port int) (authorization, error) {
	if _, err := s.endpoint(authURL); err != nil {
		return authorization{}, err
	}
	host := s.set.Endpoints.Redirect
	if host == "" {
		host = "127.0.0.1"
	}
	a := authorization{
		redirect: "http://" + net.JoinHostPort(host, strconv.Itoa(port)),
		state:    rand.Text(),
		verifier: oauth2.GenerateVerifier(),
	}
	c := oauth2.Config{
		ClientID:    s.set.ClientID,
		Endpoint:    oauth2.Endpoint{AuthURL: s.set.Endpoints.AuthURL},
		RedirectURL: a.redirect,
		Scopes:      s.set.Endpoints.Scopes,
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.verifier)}
	for _, key := range slices.Sorted(maps.Keys(s.set.Endpoints.Params)) {
		options = append(options, oauth2.SetAuthURLParam(key, s.set.Endpoints.Params[key]))
	}
	a.url = c.AuthCodeURL(a.state, options...)
	return a, nil
}

// A verdict is what a provider's page has decided: a code, or an error.
type verdict struct {
	code string
	err  error
}

// verdict reads the query of a redirect; ok is false where it is not the answer to a.
func (s *Source) verdict(a authorization, q url.Values) (v verdict, ok bool) {
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.state)) != 1 {
		return verdict{}, false
	}
	if code := q.Get("error"); code != "" {
		said := answer{Error: code, Description: q.Get("error_description")}
		e := s.refused(hostOf(s.set.Endpoints.AuthURL), said, url.Values{"code": {a.state}, "code_verifier": {a.verifier}})
		if e.Kind == Later {
			e.Hint = "try again: popsync auth login " + s.set.Account
		}
		return verdict{err: e}, true
	}
	return verdict{code: q.Get("code")}, q.Get("code") != ""
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the provider"
	}
	return u.Host
}

// pasted takes the query out of what a person has pasted: the whole address that the browser ended
// at, or what stands behind its question mark.
func pasted(line string) url.Values {
	line = strings.Trim(strings.TrimSpace(line), `"'<>`)
	if _, query, ok := strings.Cut(line, "?"); ok {
		line = query
	}
	line, _, _ = strings.Cut(line, "#")
	q, err := url.ParseQuery(line)
	if err != nil {
		return nil
	}
	return q
}

// redeem turns a code into tokens.
func (s *Source) redeem(ctx context.Context, a authorization, code string) (Tokens, error) {
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {a.redirect},
		"code_verifier": {a.verifier},
	}
	if err := s.identify(ctx, form); err != nil {
		return Tokens{}, err
	}
	got, err := s.ask(ctx, tokenURL, form)
	if err != nil {
		return Tokens{}, err
	}
	return s.accept(got)
}

// tunnel is the ssh command that brings a browser elsewhere to port on this machine.
func tunnel(connection string, port int) string {
	f := strings.Fields(connection) // client's address and port, server's address and port
	if len(f) != 4 || net.ParseIP(f[2]) == nil {
		return fmt.Sprintf("ssh -L %d:127.0.0.1:%d HOST", port, port)
	}
	other := ""
	if n, err := strconv.ParseUint(f[3], 10, 16); err == nil && n != 22 {
		other = fmt.Sprintf("-p %d ", n)
	}
	return fmt.Sprintf("ssh %s-L %d:127.0.0.1:%d %s", other, port, port, f[2])
}
