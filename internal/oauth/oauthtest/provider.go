// Package oauthtest is an OAuth2 provider for tests that misbehaves to order: authorization page
// (which approves at once), token endpoint, device flow, revocation, with PKCE and rotation.
package oauthtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"popsync/internal/provider"
)

// TB is the part of testing.TB that this package uses.
type TB interface {
	Helper()
	Cleanup(func())
}

// Options say how a provider differs from a plain one. The zero value is correct and useful.
type Options struct {
	ClientID  string        // "client" by default
	Secret    string        // that clients have to know; "" for public ones
	Scopes    []string      // that are granted; nil: those asked for
	Rotate    bool          // each renewal gives a new refresh token and ends the one before
	NoRefresh bool          // no refresh tokens: offline access is not granted
	Lifetime  time.Duration // of an access token; an hour by default
	Ends      time.Duration // of the refresh token, told as refresh_token_expires_in; 0: not told
	Deny      bool          // people say no
	Pending   int           // polls of the device flow before the person says yes; -1: [Provider.Approve] does
	Interval  time.Duration // between polls of the device flow; 5 s by default
	NoDevice  bool          // the device endpoint refuses the scope, as Google does
	TLS       bool          // HTTPS
	Prefix    string        // what every token and code begins with; "tok" by default
	Redirect  string        // host of the redirects; "127.0.0.1" by default
}

// A Request is what an endpoint was sent.
type Request struct {
	Path string // /authorize, /token, /device or /revoke
	Form url.Values
}

// A Provider answers at any number of connections at once. Its methods may be called at any time.
type Provider struct {
	URL string // without a slash at the end

	opts   Options
	client *http.Client

	mu       sync.Mutex
	count    int
	requests []Request
	answers  map[string][]Answer // by path; nil is the right one
	codes    map[string]code
	refresh  map[string]bool // refresh tokens that are good
	access   map[string]bool // access tokens that are good
	devices  map[string]*device
	revoked  []string
}

// A code is what an authorization has led to.
type code struct {
	redirect, challenge, scope string
}

type device struct {
	user     string
	scope    string
	pending  int
	approved bool
}

// New starts a provider on loopback that ends with the test.
func New(t TB, opts Options) *Provider {
	t.Helper()
	p := newProvider(opts)
	s := httptest.NewUnstartedServer(p)
	if opts.TLS {
		s.StartTLS()
	} else {
		s.Start()
	}
	p.URL, p.client = s.URL, s.Client()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return p
}

// NewInProcess is a provider without a network: its client calls it directly, which works in a
// synctest bubble.
func NewInProcess(opts Options) *Provider {
	p := newProvider(opts)
	p.URL = "https://provider.example"
	p.client = &http.Client{Transport: direct{p}}
	return p
}

// NewAt is a provider for a server of one's own at base.
func NewAt(base string, opts Options) *Provider {
	p := newProvider(opts)
	p.URL, p.client = base, http.DefaultClient
	return p
}

func newProvider(opts Options) *Provider {
	for _, d := range []struct {
		field *string
		value string
	}{{&opts.ClientID, "client"}, {&opts.Prefix, "tok"}, {&opts.Redirect, "127.0.0.1"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	opts.Lifetime = cmp.Or(opts.Lifetime, time.Hour)
	opts.Interval = cmp.Or(opts.Interval, 5*time.Second)
	return &Provider{
		opts:    opts,
		answers: map[string][]Answer{},
		codes:   map[string]code{},
		refresh: map[string]bool{},
		access:  map[string]bool{},
		devices: map[string]*device{},
	}
}

// Client trusts the provider's certificate.
func (p *Provider) Client() *http.Client { return p.client }

// Endpoints are those of a provider that has all flows.
func (p *Provider) Endpoints() provider.OAuth2 {
	return provider.OAuth2{
		AuthURL:   p.URL + "/authorize",
		TokenURL:  p.URL + "/token",
		DeviceURL: p.URL + "/device",
		RevokeURL: p.URL + "/revoke",
		Scopes:    []string{"mail", "offline_access"},
		Redirect:  p.opts.Redirect,
	}
}

// Next has the next requests of path (/token, /device, /authorize, /revoke) answered so; nil is the
// right answer, and what comes after them is answered rightly.
func (p *Provider) Next(path string, answers ...Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[path] = append(p.answers[path], answers...)
}

// Requests are those of path so far, or of all paths for "".
func (p *Provider) Requests(path string) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Request
	for _, r := range p.requests {
		if path == "" || r.Path == path {
			all = append(all, r)
		}
	}
	return all
}

// Issue gives out a refresh token and an access token without a log-in.
func (p *Provider) Issue() (refresh, access string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newRefresh(), p.newAccess()
}

// Good reports whether access is an access token that was given out and not taken back.
func (p *Provider) Good(access string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.access[access]
}

// Forget ends all access tokens.
func (p *Provider) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.access)
}

// Revoked are the tokens that clients gave back.
func (p *Provider) Revoked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.revoked)
}

// Approve is what a person does who types user, the code of a device flow; false if there is none.
func (p *Provider) Approve(user string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.devices {
		if d.user == user {
			d.approved = true
			return true
		}
	}
	return false
}

// ServeHTTP answers one request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	if next := p.note(r); next != nil {
		next(w, r)
		return
	}
	switch r.URL.Path {
	case "/authorize":
		p.authorize(w, r)
	case "/token":
		p.Changed(nil)(w, r)
	case "/device":
		p.startDevice(w, r)
	case "/activate":
		p.activate(w, r)
	case "/revoke":
		p.revoke(w, r)
	default:
		http.NotFound(w, r)
	}
}

// note records a request and takes the answer that is due.
func (p *Provider) note(r *http.Request) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	path := r.URL.Path
	p.requests = append(p.requests, Request{path, r.Form})
	if len(p.answers[path]) == 0 {
		return nil
	}
	next := p.answers[path][0]
	p.answers[path] = p.answers[path][1:]
	return next
}

// authorize is the page on which a person says yes, at once.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case err != nil || back.Scheme != "http" || back.Hostname() != p.opts.Redirect || back.Port() == "":
		http.Error(w, "redirect_uri is not registered", http.StatusBadRequest)
		return
	case q.Get("client_id") != p.opts.ClientID:
		http.Error(w, "unknown client", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	switch {
	case q.Get("response_type") != "code", q.Get("code_challenge_method") != "S256", len(q.Get("code_challenge")) != 43:
		answer.Set("error", "invalid_request")
	case p.opts.Deny:
		answer.Set("error", "access_denied")
		answer.Set("error_description", "the person said no")
	default:
		p.mu.Lock()
		name := p.name("code")
		p.codes[name] = code{q.Get("redirect_uri"), q.Get("code_challenge"), q.Get("scope")}
		p.mu.Unlock()
		answer.Set("code", name)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// grant is the right answer of the token endpoint.
func (p *Provider) grant(r *http.Request) (status int, fields map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	no := func(code, why string) (int, map[string]any) {
		return 400, map[string]any{"error": code, "error_description": why}
	}
	f := r.PostForm
	switch {
	case r.Method != http.MethodPost:
		return no("invalid_request", "not a POST")
	case f.Get("client_id") != p.opts.ClientID, f.Get("client_secret") != p.opts.Secret:
		return no("invalid_client", "the client is not known")
	}
	switch f.Get("grant_type") {
	case "authorization_code":
		c, ok := p.codes[f.Get("code")]
		delete(p.codes, f.Get("code"))
		sum := sha256.Sum256([]byte(f.Get("code_verifier")))
		switch {
		case !ok:
			return no("invalid_grant", "the code is not known")
		case c.redirect != f.Get("redirect_uri"):
			return no("invalid_grant", "another redirect_uri")
		case c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
			return no("invalid_grant", "the verifier does not fit")
		}
		return 200, p.tokens(c.scope, true)
	case "refresh_token":
		old := f.Get("refresh_token")
		if !p.refresh[old] {
			return no("invalid_grant", "the refresh token is not known")
		}
		if p.opts.Rotate {
			delete(p.refresh, old)
		}
		return 200, p.tokens("", p.opts.Rotate)
	case "client_credentials":
		return 200, p.tokens(f.Get("scope"), false)
	case "urn:ietf:params:oauth:grant-type:device_code":
		return p.pollDevice(f.Get("device_code"), no)
	}
	return no("unsupported_grant_type", "no such grant")
}

// tokens are new ones. The lock is held.
func (p *Provider) tokens(scope string, refresh bool) map[string]any {
	t := map[string]any{
		"access_token": p.newAccess(),
		"token_type":   "Bearer",
		"expires_in":   int(p.opts.Lifetime / time.Second),
	}
	if p.opts.Scopes != nil {
		scope = strings.Join(p.opts.Scopes, " ")
	}
	if scope != "" {
		t["scope"] = scope
	}
	if refresh && !p.opts.NoRefresh {
		t["refresh_token"] = p.newRefresh()
	}
	if p.opts.Ends > 0 {
		t["refresh_token_expires_in"] = int(p.opts.Ends / time.Second)
	}
	return t
}

func (p *Provider) newRefresh() string {
	name := p.name("refresh")
	p.refresh[name] = true
	return name
}

func (p *Provider) newAccess() string {
	name := p.name("access")
	p.access[name] = true
	return name
}

// name is one that no other thing has. The lock is held.
func (p *Provider) name(what string) string {
	p.count++
	return fmt.Sprintf("%s.%s-%d", p.opts.Prefix, what, p.count)
}

func (p *Provider) startDevice(w http.ResponseWriter, r *http.Request) {
	if p.opts.NoDevice {
		Refuse(400, "invalid_scope", "Invalid device flow scope: "+r.PostForm.Get("scope"))(w, r)
		return
	}
	p.mu.Lock()
	name := p.name("device")
	user := fmt.Sprintf("WDJB-%04d", p.count)
	p.devices[name] = &device{user: user, scope: r.PostForm.Get("scope"), pending: p.opts.Pending}
	p.mu.Unlock()
	reply(w, 200, map[string]any{
		"device_code": name, "user_code": user, "verification_uri": p.URL + "/activate",
		"expires_in": 900, "interval": int(p.opts.Interval / time.Second),
	})
}

// activate is the page for codes, for people: /activate?code=CODE.
func (p *Provider) activate(w http.ResponseWriter, r *http.Request) {
	if p.Approve(r.Form.Get("code")) {
		_, _ = fmt.Fprintln(w, "approved")
		return
	}
	http.Error(w, "open /activate?code=CODE", http.StatusNotFound)
}

func (p *Provider) pollDevice(name string, no func(code, why string) (int, map[string]any)) (int, map[string]any) {
	d := p.devices[name]
	switch {
	case d == nil:
		return no("expired_token", "no such device")
	case p.opts.Deny:
		return no("access_denied", "the person said no")
	case d.pending > 0:
		d.pending--
		return no("authorization_pending", "nobody has typed the code yet")
	case d.pending < 0 && !d.approved:
		return no("authorization_pending", "nobody has typed the code yet")
	}
	delete(p.devices, name)
	return 200, p.tokens(d.scope, true)
}

func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token := r.PostForm.Get("token")
	p.revoked = append(p.revoked, token)
	delete(p.refresh, token)
	delete(p.access, token)
}

// direct calls a provider without a network. A request that is given up ends at once.
type direct struct{ p *Provider }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.p.ServeHTTP(rec, r)
	}()
	select {
	case <-done:
		return rec.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}
