package provider

import (
	"cmp"
	"net/url"
)

// An OAuth2 says where a provider gives out tokens for POP3, and what they are asked with.
type OAuth2 struct {
	AuthURL   string // the page that people log in at
	TokenURL  string
	DeviceURL string // "" without the device flow for POP3
	RevokeURL string // "" where nothing takes a token back

	Scopes     []string
	Mechanisms []string          // SASL, the one to prefer first
	Redirect   string            // the loopback host in the redirect: 127.0.0.1 or localhost
	Params     map[string]string // more of the authorization request; without them Google gives no refresh token
}

// OAuth2Of returns the endpoints of google, microsoft or fastmail, which let people register a
// client id of their own. tenant is Microsoft's directory, a domain of it, "consumers" or
// "organizations"; "" is "common". Slices and map are the caller's.
func OAuth2Of(name, tenant string) (OAuth2, bool) {
	if !registers(name) {
		return OAuth2{}, false
	}
	return endpoints(name, tenant)
}

// registers tells whether people get a client id from name. Yahoo, AOL, Comcast and Mail.ru give
// them to programs only, after an application.
func registers(name string) bool {
	return name == "google" || name == "microsoft" || name == "fastmail"
}

// endpoints knows everybody that the table names.
func endpoints(name, tenant string) (OAuth2, bool) {
	switch name {
	case "google":
		// The device flow is refused for the scope of mail, whatever the client.
		return OAuth2{
			AuthURL:    "https://accounts.google.com/o/oauth2/v2/auth",
			TokenURL:   "https://oauth2.googleapis.com/token",
			RevokeURL:  "https://oauth2.googleapis.com/revoke",
			Scopes:     []string{"https://mail.google.com/"},
			Mechanisms: []string{"OAUTHBEARER", "XOAUTH2"},
			Redirect:   "127.0.0.1",
			Params:     map[string]string{"access_type": "offline", "prompt": "consent"},
		}, true
	case "microsoft":
		base := "https://login.microsoftonline.com/" + url.PathEscape(cmp.Or(tenant, "common")) + "/oauth2/v2.0/"
		return OAuth2{
			AuthURL:    base + "authorize",
			TokenURL:   base + "token",
			DeviceURL:  base + "devicecode",
			Scopes:     []string{"https://outlook.office.com/POP.AccessAsUser.All", "offline_access"},
			Mechanisms: []string{"XOAUTH2"},
			Redirect:   "localhost", // what is registered there; only its port is free
		}, true
	case "fastmail":
		return OAuth2{
			AuthURL:    "https://api.fastmail.com/oauth/authorize",
			TokenURL:   "https://api.fastmail.com/oauth/refresh",
			Scopes:     []string{"https://www.fastmail.com/dev/protocol-pop"},
			Mechanisms: []string{"OAUTHBEARER", "XOAUTH2"},
			Redirect:   "127.0.0.1",
		}, true
	case "yahoo", "aol":
		base := "https://api.login." + name + ".com/oauth2/"
		return OAuth2{
			AuthURL:    base + "request_auth",
			TokenURL:   base + "get_token",
			Scopes:     []string{"mail-w"},
			Mechanisms: []string{"XOAUTH2", "OAUTHBEARER"},
			Redirect:   "127.0.0.1",
		}, true
	case "comcast":
		return OAuth2{
			AuthURL:    "https://oauth.xfinity.com/oauth/authorize",
			TokenURL:   "https://oauth.xfinity.com/oauth/token",
			Scopes:     []string{"https://email.comcast.net/", "profile", "openid"},
			Mechanisms: []string{"XOAUTH2"},
			Redirect:   "127.0.0.1",
		}, true
	case "mail.ru":
		return OAuth2{
			AuthURL:    "https://o2.mail.ru/login",
			TokenURL:   "https://o2.mail.ru/token",
			Scopes:     []string{"mail.imap"},
			Mechanisms: []string{"XOAUTH2"},
			Redirect:   "127.0.0.1",
		}, true
	}
	return OAuth2{}, false
}
