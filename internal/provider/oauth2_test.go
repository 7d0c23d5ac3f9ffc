package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A8: the endpoints of those who give people a client id.
func TestOAuth2Of(t *testing.T) {
	const microsoft, directory = "https://login.microsoftonline.com/", "72f988bf-86f1-41af-91ab-2d7cd011db47"
	for _, c := range []struct {
		claim, name, tenant string
		want                OAuth2
	}{
		{"Google wants to be asked for a refresh token", "google", "ignored", OAuth2{
			AuthURL:    "https://accounts.google.com/o/oauth2/v2/auth",
			TokenURL:   "https://oauth2.googleapis.com/token",
			RevokeURL:  "https://oauth2.googleapis.com/revoke",
			Scopes:     []string{"https://mail.google.com/"},
			Mechanisms: []string{"OAUTHBEARER", "XOAUTH2"},
			Redirect:   "127.0.0.1",
			Params:     map[string]string{"access_type": "offline", "prompt": "consent"},
		}},
		{"Microsoft without a tenant", "microsoft", "", OAuth2{
			AuthURL:    microsoft + "common/oauth2/v2.0/authorize",
			TokenURL:   microsoft + "common/oauth2/v2.0/token",
			DeviceURL:  microsoft + "common/oauth2/v2.0/devicecode",
			Scopes:     []string{"https://outlook.office.com/POP.AccessAsUser.All", "offline_access"},
			Mechanisms: []string{"XOAUTH2"},
			Redirect:   "localhost",
		}},
		{"Microsoft with one", "microsoft", directory, OAuth2{
			AuthURL:    microsoft + directory + "/oauth2/v2.0/authorize",
			TokenURL:   microsoft + directory + "/oauth2/v2.0/token",
			DeviceURL:  microsoft + directory + "/oauth2/v2.0/devicecode",
			Scopes:     []string{"https://outlook.office.com/POP.AccessAsUser.All", "offline_access"},
			Mechanisms: []string{"XOAUTH2"},
			Redirect:   "localhost",
		}},
		{"Fastmail", "fastmail", "", OAuth2{
			AuthURL:    "https://api.fastmail.com/oauth/authorize",
			TokenURL:   "https://api.fastmail.com/oauth/refresh",
			Scopes:     []string{"https://www.fastmail.com/dev/protocol-pop"},
			Mechanisms: []string{"OAUTHBEARER", "XOAUTH2"},
			Redirect:   "127.0.0.1",
		}},
	} {
		got, ok := OAuth2Of(c.name, c.tenant)
		if diff := cmp.Diff(c.want, got); !ok || diff != "" {
			t.Errorf("%s: %t\n%s", c.claim, ok, diff)
		}
	}
}

// Nobody gets a client id of these: they are known, and not offered.
func TestOAuth2OfOthers(t *testing.T) {
	for _, name := range []string{"yahoo", "aol", "comcast", "mail.ru", "custom", "Google", ""} {
		if got, ok := OAuth2Of(name, ""); ok {
			t.Errorf("%q: %+v", name, got)
		}
	}
	if p, _ := ByDomain("yahoo.com"); p.OwnClient || p.OAuth2 == nil {
		t.Errorf("Yahoo: own client %t, OAuth2 %v", p.OwnClient, p.OAuth2)
	}
}

func TestTenantStaysOnePartOfThePath(t *testing.T) {
	got, _ := OAuth2Of("microsoft", "a/../b?c#d")
	if want := "https://login.microsoftonline.com/a%2F..%2Fb%3Fc%23d/oauth2/v2.0/token"; got.TokenURL != want {
		t.Errorf("%s, want %s", got.TokenURL, want)
	}
}

func TestOAuth2OfIsTheCallersOwn(t *testing.T) {
	got, _ := OAuth2Of("google", "")
	got.Scopes[0], got.Params["prompt"] = "x", "x"
	if again, _ := OAuth2Of("google", ""); again.Scopes[0] == "x" || again.Params["prompt"] == "x" {
		t.Error("a caller changed the endpoints")
	}
}
