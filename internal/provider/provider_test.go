package provider

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The numbers of the sources. Who adds a provider or a domain changes them here.
func TestNobodyGotLost(t *testing.T) {
	var domains, mx int
	for _, p := range All() {
		domains += len(p.Domains)
		mx += len(p.MX)
	}
	if got := [...]int{len(All()), domains, mx}; got != [...]int{99, 649, 40} {
		t.Errorf("%v providers, domains, suffixes of MX", got)
	}
}

func TestNamesAreUnique(t *testing.T) {
	ids, domains, suffixes := map[string]string{}, map[string]string{}, map[string]string{}
	once := func(seen map[string]string, name, id string) {
		if other, ok := seen[name]; ok {
			t.Errorf("%q is %s's and %s's", name, other, id)
		}
		seen[name] = id
	}
	for _, p := range All() {
		once(ids, p.ID, p.ID)
		for _, d := range p.Domains {
			once(domains, d, p.ID)
		}
		for _, m := range p.MX {
			once(suffixes, m, p.ID)
		}
	}
}

func TestRowsAreComplete(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	for _, p := range All() {
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(p.ID) || p.Name == "" {
			t.Errorf("ID %q, name %q", p.ID, p.Name)
		}
		for _, n := range slices.Concat(p.Domains, p.MX) {
			if !name.MatchString(n) {
				t.Errorf("%s: %q is no domain in lower case", p.ID, n)
			}
		}
		if len(p.Domains)+len(p.MX) == 0 {
			t.Errorf("%s: nobody will ever find it", p.ID)
		}
		if !slices.Contains([]string{ispdb, ispdbHelp, help, thirdParty, unverified}, p.Verified) {
			t.Errorf("%s: verified %q", p.ID, p.Verified)
		}
		if p.POP != (p.Host != "") || !p.POP && (p.Hint == "" || p.Port != 0 || p.Auth != nil) {
			t.Errorf("%s: POP %t, host %q, hint %q", p.ID, p.POP, p.Host, p.Hint)
		}
		if p.POP {
			wantServer(t, p, name)
		}
	}
}

func wantServer(t *testing.T, p Provider, name *regexp.Regexp) {
	t.Helper()
	if !name.MatchString(p.Host) {
		t.Errorf("%s: host %q", p.ID, p.Host)
	}
	if got, ok := map[int]string{995: implicit, 110: starttls}[p.Port]; !ok || got != p.TLS {
		t.Errorf("%s: %s on port %d", p.ID, p.TLS, p.Port)
	}
	if p.User != address && p.User != localpart {
		t.Errorf("%s: user %q", p.ID, p.User)
	}
	if len(p.Auth) == 0 || slices.ContainsFunc(p.Auth, func(a string) bool {
		return a != "password" && a != "app_password" && a != "oauth2"
	}) {
		t.Errorf("%s: auth %q", p.ID, p.Auth)
	}
}

func TestTableSpellsHostsAsTheIndexHasThem(t *testing.T) {
	for _, r := range table {
		for _, host := range strings.Fields(r.host + " " + r.also) {
			p, ok := ByHost(host)
			if !ok || host != normal(host) {
				t.Errorf("%s: %q is not found", r.id, host)
			}
			if slices.Contains(strings.Fields(r.also), host) && p.ID != r.id {
				t.Errorf("%s: %q is %s's", r.id, host, p.ID)
			}
		}
	}
}

func TestOAuth2OfRowsIsKnown(t *testing.T) {
	for n, p := range All() {
		if (table[n].oauth2 != "") != (p.OAuth2 != nil) || p.OwnClient && p.OAuth2 == nil {
			t.Errorf("%s: %q is not known", p.ID, table[n].oauth2)
		}
		if p.OAuth2 != nil && !slices.Contains(p.Auth, "oauth2") {
			t.Errorf("%s: OAuth2, and auth %q", p.ID, p.Auth)
		}
	}
}

func TestURLs(t *testing.T) {
	for _, p := range All() {
		urls := []string{p.EnableURL, p.HelpURL}
		if p.OAuth2 != nil {
			urls = append(urls, p.OAuth2.AuthURL, p.OAuth2.TokenURL, p.OAuth2.DeviceURL, p.OAuth2.RevokeURL)
		}
		for _, text := range urls {
			u, err := url.Parse(text)
			if text != "" && (err != nil || u.Host == "" || u.Scheme != "https" && p.ID != "uol") { // UOL's page is http
				t.Errorf("%s: %q, %v", p.ID, text, err)
			}
		}
	}
}

// A hint is printed below the error of a refused log-in.
func TestHintsAreShort(t *testing.T) {
	for _, p := range All() {
		h := p.Hint
		if h != "" && (!strings.HasSuffix(h, ".") || len(h) > 240 || strings.ContainsAny(h, "\n\t") || strings.Contains(h, "  ")) {
			t.Errorf("%s: %q, %d bytes", p.ID, h, len(h))
		}
		if slices.Contains(p.Auth, "app_password") && !slices.Contains(p.Auth, "password") && h == "" &&
			p.Verified != unverified {
			t.Errorf("%s takes no usual password, and no hint says so", p.ID)
		}
	}
}

func TestByHost(t *testing.T) {
	for host, want := range map[string]string{
		"pop.gmail.com":         "gmail", // shared with google-workspace
		"POP.Gmail.COM":         "gmail",
		"pop.gmail.com.":        "gmail",
		"outlook.office365.com": "outlook", // with microsoft365
		"pop.mail.yahoo.com":    "yahoo",   // with Cox
		"pop.aol.com":           "aol",     // with Verizon
		"pop3.web.de":           "web-de",
		"pop.gmx.net":           "gmx",
		"pop.1und1.de":          "ionos", // an older name
		"poppro.zoho.eu":        "zoho-eu",
		"gmail.com":             "",
		"x.pop.gmail.com":       "",
		"pop.example.org":       "",
		"":                      "",
		".":                     "",
		"127.0.0.1":             "",
		"unix:/run/pop":         "",
	} {
		wantID(t, "host", host, want, ByHost)
	}
}

func TestByDomain(t *testing.T) {
	for domain, want := range map[string]string{
		"gmail.com":       "gmail",
		"GoogleMail.Com.": "gmail",
		"web.de":          "web-de",
		"hotmail.co.uk":   "outlook",
		"alice.it":        "alice-it",
		"berlin.com":      "mail-com",
		"posteo.co.uk":    "posteo",
		"foxmail.com":     "qq",
		"me.com":          "icloud",
		"pm.me":           "proton",
		"usa.com":         "mail-com",
		"ohio.usa.com":    "", // only those below it that are in the table
		"a.gmail.com":     "",
		"ail.com":         "",
		"com":             "",
		"":                "",
	} {
		wantID(t, "domain", domain, want, ByDomain)
	}
}

func TestByMX(t *testing.T) {
	for host, want := range map[string]string{
		"aspmx.l.google.com.":                     "google-workspace",
		"ALT1.ASPMX.L.GOOGLE.COM":                 "google-workspace",
		"google.com":                              "google-workspace",
		"example-org.mail.protection.outlook.com": "microsoft365",
		"hotmail-com.olc.protection.outlook.com":  "outlook",
		"in1-smtp.messagingengine.com":            "fastmail",
		"mx00.ionos.co.uk":                        "ionos",
		"smtpin.rzone.de":                         "strato",
		"mail.protonmail.ch":                      "proton",
		"evilgoogle.com":                          "", // no border of a label
		"mxbiz1.qq.com":                           "qq-exmail",
		"mx3.qq.com":                              "",
		"google.com.example.org":                  "",
		"com":                                     "",
		"":                                        "",
	} {
		wantID(t, "MX", host, want, ByMX)
	}
}

func wantID(t *testing.T, kind, name, want string, find func(string) (Provider, bool)) {
	t.Helper()
	if p, ok := find(name); p.ID != want || ok != (want != "") {
		t.Errorf("%s %q: %q, %t, want %q", kind, name, p.ID, ok, want)
	}
}

// A dozen of what the sources say, field by field.
func TestFacts(t *testing.T) {
	const minute = time.Minute
	for _, c := range []struct {
		domain, host string
		port         int
		tls, user    string
		auth         string
		stls110      bool
		interval     time.Duration
		verified     string
	}{
		{"gmail.com", "pop.gmail.com", 995, "implicit", "address", "app_password oauth2", false, 5 * minute, "ispdb+help"},
		{"outlook.com", "outlook.office365.com", 995, "implicit", "address", "oauth2", false, 0, "ispdb+help"},
		{"yahoo.com", "pop.mail.yahoo.com", 995, "implicit", "address", "app_password oauth2", false, 0, "ispdb"},
		{"gmx.de", "pop.gmx.net", 995, "implicit", "address", "password app_password", true, 0, "ispdb+help"},
		{"web.de", "pop3.web.de", 995, "implicit", "localpart", "password app_password", true, 15 * minute, "ispdb"},
		{"t-online.de", "securepop.t-online.de", 995, "implicit", "address", "app_password", false, 0, "ispdb"},
		{"freenet.de", "mx.freenet.de", 995, "implicit", "address", "password", false, 0, "third-party"},
		{"mailbox.org", "pop3.mailbox.org", 995, "implicit", "address", "password app_password", false, 0, "help"},
		{"fastmail.com", "pop.fastmail.com", 995, "implicit", "address", "app_password oauth2", false, 0, "ispdb"},
		{"tim.it", "pop.tim.it", 110, "starttls", "address", "password", false, 0, "ispdb"},
		{"free.fr", "pop.free.fr", 995, "implicit", "localpart", "password", false, 0, "ispdb"},
		{"163.com", "pop.163.com", 995, "implicit", "address", "app_password", false, 0, "third-party"},
		{"daum.net", "pop.daum.net", 995, "implicit", "address", "app_password", false, 0, "unverified"},
		{"icloud.com", "", 0, "", "", "", false, 0, "ispdb"},
	} {
		p, ok := ByDomain(c.domain)
		same := ok && p.Host == c.host && p.Port == c.port && p.TLS == c.tls && p.User == c.user &&
			strings.Join(p.Auth, " ") == c.auth && p.STLS110 == c.stls110 && p.MinInterval == c.interval &&
			p.Verified == c.verified && p.POP == (c.host != "")
		if !same {
			t.Errorf("%s: %+v", c.domain, p)
		}
	}
}

func TestAllIsTheCallersOwn(t *testing.T) {
	All()[0] = Provider{}
	if All()[0].ID != "gmail" {
		t.Error("a caller changed the table")
	}
}

func BenchmarkIndex(b *testing.B) {
	for b.Loop() {
		build()
	}
}

func BenchmarkByHost(b *testing.B) {
	for b.Loop() {
		ByHost("pop.example.org")
	}
}
