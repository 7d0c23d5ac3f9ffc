package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"

	"popsync/internal/config"
	"popsync/internal/oauth"
	"popsync/internal/provider"
	"popsync/internal/secret"
	"popsync/internal/transport"
)

// tokenSource gives the access tokens of a, which has an oauth2 block. They lie beside the state.
func tokenSource(cfg *config.Config, a config.Account) (*oauth.Source, error) {
	endpoints, err := endpointsOf(*a.OAuth2)
	if err != nil {
		return nil, err
	}
	return oauth.NewSource(oauth.Settings{
		Account:      a.Name,
		Dir:          filepath.Join(filepath.Dir(cfg.State), "oauth"),
		ClientID:     a.OAuth2.ClientID,
		ClientSecret: clientSecretOf(cfg, a),
		Endpoints:    endpoints,
		Grant:        a.OAuth2.Grant,
		HTTP:         throughProxy(a),
	}), nil
}

// throughProxy asks a's provider by the proxy of its account, where that has one: who goes to the
// mail server that way goes nowhere else directly. Otherwise it is nil, and $HTTPS_PROXY holds.
func throughProxy(a config.Account) *http.Client {
	if a.Proxy == nil {
		return nil
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.DialContext, t.MaxResponseHeaderBytes = nil, exceptHere(dialOf(a, nil)), 64<<10
	return &http.Client{Transport: t}
}

// exceptHere dials this machine's own addresses directly: only there may an endpoint be in clear.
func exceptHere(dial transport.Dialer) transport.Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return dial(ctx, network, address)
	}
}

// endpointsOf are the provider's, with what the configuration says otherwise.
func endpointsOf(o config.OAuth2) (provider.OAuth2, error) {
	const custom = "custom"
	e := provider.OAuth2{Redirect: "127.0.0.1"}
	if o.Provider != custom && o.Provider != "" {
		var ok bool
		if e, ok = provider.OAuth2Of(o.Provider, o.Tenant); !ok {
			return e, fmt.Errorf("oauth2.provider: nothing is known of %q", o.Provider)
		}
	}
	e.AuthURL = cmp.Or(o.AuthURL, e.AuthURL)
	e.DeviceURL = cmp.Or(o.DeviceURL, e.DeviceURL)
	if o.TokenURL != "" && o.TokenURL != e.TokenURL {
		e.TokenURL, e.RevokeURL = o.TokenURL, "" // another server's tokens are not the provider's to take back
	}
	switch {
	case o.Scopes != nil:
		e.Scopes = slices.Clone(o.Scopes)
	case o.Provider == "microsoft" && o.Grant == oauth.GrantClientCredentials:
		e.Scopes = []string{"https://outlook.office365.com/.default"} // what the client was given as a whole
	}
	return e, nil
}

// clientSecretOf is where the secret of the client comes from, nil where it has none.
func clientSecretOf(cfg *config.Config, a config.Account) func(context.Context) (secret.Value, error) {
	switch o := a.OAuth2; {
	case o.ClientSecretCommand != nil:
		return secret.Command(o.ClientSecretCommand, a.Timeout, passwordRunner(programEnv(cfg)))
	case !o.ClientSecret.IsZero():
		return secret.Fixed(o.ClientSecret)
	}
	return nil
}
