package oauth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"popsync/internal/provider"
	"popsync/internal/secret"
)

// The grants: how an account comes to its first tokens.
const (
	GrantCode              = "code"               // a person logs in, in a browser or with a device code
	GrantClientCredentials = "client_credentials" // the program itself is let in (RFC 6749, section 4.4)
)

// Settings are an account's, all decided.
type Settings struct {
	Account      string // its name, and that of its file
	Dir          string // the folder of the tokens; made when there is something to keep
	ClientID     string
	ClientSecret func(context.Context) (secret.Value, error) // nil: none
	Endpoints    provider.OAuth2
	Grant        string       // GrantCode, or GrantClientCredentials; empty means the first
	HTTP         *http.Client // nil: one of our own; its redirects are never followed
}

// A Source gives one account's access tokens. Its methods may be called at the same time, and by
// several processes that share the folder.
type Source struct {
	set  Settings
	http *http.Client

	memory memory
}

// NewSource returns the source of an account. What is wrong with the settings is said when a token
// is asked for.
func NewSource(set Settings) *Source {
	return &Source{set: set, http: newClient(set.HTTP)}
}

// newClient is c without redirects: what is posted here is meant for one server alone.
func newClient(c *http.Client) *http.Client {
	if c == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxResponseHeaderBytes = 64 << 10
		t.IdleConnTimeout = 30 * time.Second
		c = &http.Client{Transport: t}
	}
	strict := *c
	strict.Jar = nil
	strict.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &strict
}

// machine reports whether the program itself is let in and no person.
func (s *Source) machine() bool { return s.set.Grant == GrantClientCredentials }

// check says what is wrong with the settings that every request needs.
func (s *Source) check() error {
	switch name := s.set.Account; {
	case name == "" || name != filepath.Base(name):
		return errorf(Configuration, "", "%q cannot be the name of a file of tokens", name)
	case s.set.ClientID == "":
		return errorf(Configuration, "register a client with the provider and write its id as oauth2.client_id", "no client_id")
	}
	_, err := s.endpoint(tokenURL)
	return err
}

// The keys of the configuration that name endpoints.
const (
	authURL   = "auth_url"
	tokenURL  = "token_url"
	deviceURL = "device_url"
	revokeURL = "revoke_url"
)

// endpoint is the URL behind a key. Secrets go there, so it is HTTPS, or on this machine.
func (s *Source) endpoint(key string) (*url.URL, error) {
	text := map[string]string{
		authURL: s.set.Endpoints.AuthURL, tokenURL: s.set.Endpoints.TokenURL,
		deviceURL: s.set.Endpoints.DeviceURL, revokeURL: s.set.Endpoints.RevokeURL,
	}[key]
	if text == "" {
		return nil, errorf(Configuration, "name a provider, or write oauth2."+key, "no %s", key)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, errorf(Configuration, "correct oauth2."+key, "%s is no URL of a server: %q", key, bare(text))
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, errorf(Configuration, "write it with https://", "%s %q would send secrets in the clear", key, bare(text))
}

// bare is a URL as it may be shown: without its query and a user in it.
func bare(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			return inner.Err.Error()
		}
		return "?"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// loopback reports whether what is sent to host stays on this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// sameServer reports whether two URLs lead to the same server, so that what one has given may be
// shown to the other.
func sameServer(a, b string) bool {
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	return err == nil && err2 == nil && u.Scheme == v.Scheme && strings.EqualFold(u.Host, v.Host)
}
