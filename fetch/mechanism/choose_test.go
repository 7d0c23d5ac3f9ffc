package mechanism

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	every = []string{
		"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS",
		"XOAUTH2", "OAUTHBEARER", "EXTERNAL", "GSSAPI", "DIGEST-MD5",
	}
	bound12 = &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS12, TLSUnique: []byte("unique")}
)

// A1: what is chosen, and why not.
func TestChoose(t *testing.T) {
	alice := Credentials{User: "alice", Secret: "secret"}
	token := Credentials{User: "alice", Secret: "token", Token: true}
	const stamp = "<1@example.org>"
	clear := func(sasl ...string) Offer { return Offer{SASL: sasl, Exposed: true} }
	safe := func(sasl ...string) Offer { return Offer{SASL: sasl, TLS: bound12} }
	for name, c := range map[string]struct {
		want  Name
		offer Offer
		has   Credentials
		got   string // the choice, or the error
	}{
		"auto takes SHA-256 with binding":          {Auto, safe(every...), alice, "SCRAM-SHA-256-PLUS"},
		"then SHA-1 with binding":                  {Auto, safe("SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"), alice, "SCRAM-SHA-1-PLUS"},
		"no binding without TLS":                   {Auto, clear(every...), alice, "SCRAM-SHA-256"},
		"then SHA-1":                               {Auto, safe("PLAIN", "CRAM-MD5", "SCRAM-SHA-1"), alice, "SCRAM-SHA-1"},
		"then CRAM-MD5":                            {Auto, Offer{SASL: []string{"PLAIN", "CRAM-MD5"}, Stamp: stamp}, alice, "CRAM-MD5"},
		"APOP is the last":                         {Auto, Offer{SASL: []string{"LOGIN", "PLAIN"}, Stamp: stamp}, alice, "PLAIN"},
		"after USER":                               {Auto, Offer{User: true, Stamp: stamp}, alice, "USER"},
		"before a USER that is not announced":      {Auto, Offer{Stamp: stamp}, alice, "APOP"},
		"then PLAIN":                               {Auto, safe("LOGIN", "PLAIN"), alice, "PLAIN"},
		"then LOGIN":                               {Auto, safe("LOGIN", "GSSAPI"), alice, "LOGIN"},
		"then USER, announced or not":              {Auto, safe(), alice, "USER"},
		"auto is the default":                      {"", safe(), alice, "USER"},
		"a password is no token":                   {Auto, safe("XOAUTH2", "OAUTHBEARER", "EXTERNAL"), alice, "USER"},
		"never the password on an exposed line":    {Auto, clear("PLAIN", "LOGIN"), alice, "without TLS the password would be sent in the clear; the server offers SASL PLAIN LOGIN"},
		"APOP on an exposed line":                  {Auto, Offer{SASL: []string{"PLAIN"}, Stamp: stamp, Exposed: true}, alice, "APOP"},
		"a named one on an exposed line":           {Plain, clear("PLAIN"), alice, "PLAIN"},
		"USER on an exposed line, when named":      {User, clear(), alice, "USER"},
		"a token by OAUTHBEARER":                   {Auto, safe(every...), token, "OAUTHBEARER"},
		"or XOAUTH2":                               {Auto, safe("PLAIN", "XOAUTH2"), token, "XOAUTH2"},
		"and nothing else":                         {Auto, safe("PLAIN", "LOGIN"), token, "the server takes no OAuth2 token; the server offers SASL PLAIN LOGIN"},
		"a token on an exposed line":               {Auto, clear("XOAUTH2"), token, "without TLS the token would be sent in the clear; the server offers SASL XOAUTH2"},
		"no token":                                 {Auto, safe(every...), Credentials{Token: true}, "no token is given"},
		"a certificate alone":                      {Auto, safe(every...), Credentials{User: "alice", Certificate: true}, "EXTERNAL"},
		"a certificate alone, refused":             {Auto, Offer{SASL: []string{"PLAIN"}, User: true, Stamp: stamp}, Credentials{Certificate: true}, "the server does not offer EXTERNAL, and no password is given; the server offers SASL PLAIN, USER and APOP"},
		"a certificate and a password":             {Auto, safe("EXTERNAL", "PLAIN"), Credentials{User: "alice", Secret: "x", Certificate: true}, "PLAIN"},
		"nothing":                                  {Auto, safe(every...), Credentials{User: "alice"}, "no password is given"},
		"named, and offered":                       {CRAMMD5, safe(every...), alice, "CRAM-MD5"},
		"named, and not offered":                   {CRAMMD5, safe("PLAIN"), alice, "auth: cram-md5: the server does not offer CRAM-MD5; the server offers SASL PLAIN"},
		"named, and nothing offered":               {SCRAMSHA256, safe(), alice, "auth: scram-sha-256: the server does not offer SCRAM-SHA-256; the server offers no log-in"},
		"scram-sha-256 is never scram-sha-1":       {SCRAMSHA256, safe("SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"), alice, "auth: scram-sha-256: the server does not offer SCRAM-SHA-256; the server offers SASL SCRAM-SHA-1 SCRAM-SHA-1-PLUS"},
		"scram-sha-1 with binding":                 {SCRAMSHA1, safe(every...), alice, "SCRAM-SHA-1-PLUS"},
		"scram-sha-256 where nothing can be bound": {SCRAMSHA256, clear(every...), alice, "SCRAM-SHA-256"},
		"Cyrus cannot bind to TLS 1.3": {
			Auto,
			Offer{SASL: every, TLS: &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13}, Implementation: "Cyrus POP3 3.6.1"},
			alice, "SCRAM-SHA-256",
		},
		"Cyrus can bind to TLS 1.2":             {Auto, Offer{SASL: every, TLS: bound12, Implementation: "Cyrus POP3 3.6.1"}, alice, "SCRAM-SHA-256-PLUS"},
		"only the bound form, and it can be":    {SCRAMSHA256, safe("SCRAM-SHA-256-PLUS"), alice, "SCRAM-SHA-256-PLUS"},
		"apop":                                  {APOP, Offer{Stamp: stamp}, alice, "APOP"},
		"apop without a stamp":                  {APOP, Offer{SASL: []string{"PLAIN"}, User: true}, alice, "auth: apop: the server's greeting has no time stamp for APOP; the server offers SASL PLAIN and USER"},
		"external without anything":             {External, safe("EXTERNAL"), Credentials{}, "EXTERNAL"},
		"external, not offered":                 {External, safe(), Credentials{}, "auth: external: the server does not offer EXTERNAL; the server offers no log-in"},
		"xoauth2 takes the secret as the token": {XOAUTH2, safe("XOAUTH2", "OAUTHBEARER"), alice, "XOAUTH2"},
		"oauthbearer, not offered":              {OAUTHBEARER, safe("XOAUTH2"), token, "auth: oauthbearer: the server does not offer OAUTHBEARER; the server offers SASL XOAUTH2"},
		"a token is no password":                {Plain, safe("PLAIN"), token, "auth: plain: plain needs a password, and the account has an OAuth2 token"},
		"no password":                           {User, safe(), Credentials{User: "alice"}, "auth: user: no password is given"},
		"no such thing":                         {"digest-md5", safe(every...), alice, "auth: digest-md5: there is no such log-in"},
		"8-bit, and auto goes on":               {Auto, safe("SCRAM-SHA-256", "PLAIN"), Credentials{User: "a", Secret: "\xff"}, "PLAIN"},
		"8-bit, and SCRAM is named":             {SCRAMSHA256, safe("SCRAM-SHA-256"), Credentials{User: "a", Secret: "\xff"}, "auth: scram-sha-256: the password holds characters that SCRAM does not allow (SASLprep, RFC 4013)"},
		"a bell in the name":                    {SCRAMSHA1, safe("SCRAM-SHA-1"), Credentials{User: "\a", Secret: "x"}, "auth: scram-sha-1: the user name holds characters that SCRAM does not allow (SASLprep, RFC 4013)"},
		"names that are none are not shown":     {CRAMMD5, safe("PLAIN", "\x1b[2J", "A B", strings.Repeat("X", 21)), alice, "auth: cram-md5: the server does not offer CRAM-MD5; the server offers SASL PLAIN"},
		"many names":                            {CRAMMD5, safe(slices.Repeat([]string{"X"}, 1000)...), alice, "auth: cram-md5: the server does not offer CRAM-MD5; the server offers SASL" + strings.Repeat(" X", 16) + " ... (984 more)"},
	} {
		t.Run(name, func(t *testing.T) {
			choice, err := Choose(c.want, c.offer, c.has)
			got := choice.String()
			if err != nil {
				got = err.Error()
				if _, ok := errors.AsType[*Unusable](err); !ok {
					t.Errorf("%T", err)
				}
			}
			if got != c.got {
				t.Errorf("%s\nnot %s", got, c.got)
			}
		})
	}
}

// A1, A7: whatever is offered and had, a log-in that is named is never another one, auto is never
// weaker than what comes before it, an exposed line shows no secret unless the user says so, and
// no error holds the secret.
func TestChooseProperties(t *testing.T) {
	rank := func(c Choice) int {
		return slices.IndexFunc(withPassword, func(a attempt) bool { return a.name == c.Name && a.plus == isPlus(c.SASL) })
	}
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SampledFrom([]Name{Auto, User, APOP, Plain, Login, CRAMMD5, SCRAMSHA1, SCRAMSHA256, XOAUTH2, OAUTHBEARER, External}).Draw(t, "want")
		o := Offer{
			SASL:    rapid.SliceOfDistinct(rapid.SampledFrom(every), rapid.ID).Draw(t, "SASL"),
			Stamp:   rapid.SampledFrom([]string{"", "<1@x>"}).Draw(t, "stamp"),
			TLS:     rapid.SampledFrom([]*tls.ConnectionState{nil, {}, bound12, {HandshakeComplete: true, Version: tls.VersionTLS13}}).Draw(t, "TLS"),
			Exposed: rapid.Bool().Draw(t, "exposed"),
			User:    rapid.Bool().Draw(t, "USER"),
		}
		c := Credentials{
			User: "alice", Secret: rapid.SampledFrom([]string{"", "s3cret", "s3cret\xff"}).Draw(t, "secret"),
			Token: rapid.Bool().Draw(t, "token"), Certificate: rapid.Bool().Draw(t, "certificate"),
		}
		choice, err := Choose(want, o, c)
		if err != nil {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "s3cret") {
				t.Fatalf("the error holds the secret: %v", err)
			}
			return
		}
		switch {
		case want != Auto && choice.Name != want:
			t.Fatalf("%s instead of %s", choice, want)
		case choice.SASL != "" && (!slices.Contains(o.SASL, choice.SASL) || choice.Client() == nil):
			t.Fatalf("%s is not offered", choice)
		case isPlus(choice.SASL) && o.TLS != bound12:
			t.Fatalf("%s without anything to bind to", choice)
		case want == Auto && o.Exposed && kinds[choice.Name].shows:
			t.Fatalf("%s on an exposed line", choice)
		case c.Token && kinds[choice.Name].needs == password, want == Auto && !c.Token && kinds[choice.Name].needs == token:
			t.Fatalf("%s with the wrong kind of secret", choice)
		}
		if choice.SASL != "" {
			name, _, err := choice.Client().Start()
			if err != nil || name != choice.SASL {
				t.Fatalf("%s starts as %s, %v", choice, name, err)
			}
		}
		if want == Auto && rank(choice) >= 0 {
			for i, a := range withPassword[:rank(choice)] {
				if _, ok := a.make(o, c); ok && !(o.Exposed && kinds[a.name].shows) {
					t.Fatalf("%s although %v comes before it (%d)", choice, a, i)
				}
			}
		}
	})
}
