package mechanism

import (
	"context"
	"encoding/base64"
	"errors"
	"hash"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/google/go-cmp/cmp"
	"github.com/xdg-go/scram"
)

// talk is what a client says: its initial response where it has one, then an answer to each
// challenge; the last line is an error, if there is one.
func talk(client sasl.Client, challenges ...string) (said []string) {
	name, initial, err := client.Start()
	said = append(said, name)
	if err != nil {
		return append(said, "error: "+err.Error())
	}
	if initial != nil {
		said = append(said, string(initial))
	}
	for _, c := range challenges {
		answer, err := client.Next([]byte(c))
		if err != nil {
			return append(said, "error: "+err.Error())
		}
		said = append(said, string(answer))
	}
	return said
}

// one is the client of a mechanism that is named and offered.
func one(t testing.TB, want Name, c Credentials) sasl.Client {
	t.Helper()
	choice, err := Choose(want, Offer{SASL: []string{kinds[want].sasl}}, c)
	if err != nil {
		t.Fatal(err)
	}
	return choice.Client()
}

// fixed makes a SCRAM client use a nonce of an RFC.
func fixed(client sasl.Client, nonce string) *scramClient {
	s := client.(*scramClient)
	s.nonce = func() string { return nonce }
	return s
}

const jsonError = `{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com"}`

// A1: each mechanism says what its RFC shows.
func TestExamplesOfTheRFCs(t *testing.T) {
	tim := Credentials{User: "tim", Secret: "tanstaaftanstaaf"}
	user := Credentials{User: "user", Secret: "pencil"}
	bearer := Credentials{User: "user@example.com", Secret: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", Host: "server.example.com", Port: 143}
	for name, c := range map[string]struct {
		client     sasl.Client
		challenges []string
		want       []string
	}{
		"RFC 4616, PLAIN": {one(t, Plain, tim), nil, []string{"PLAIN", "\x00tim\x00tanstaaftanstaaf"}},
		"LOGIN": {
			one(t, Login, tim),
			[]string{"User Name\x00", "Password\x00", "More:"},
			[]string{"LOGIN", "tim", "tanstaaftanstaaf", "error: the server asks for more than the mechanism has to say"},
		},
		"RFC 2195, CRAM-MD5": {
			one(t, CRAMMD5, tim),
			[]string{"<1896.697170952@postoffice.reston.mci.net>", "<again>"},
			[]string{"CRAM-MD5", "tim b913a602c7eda7a495b4e6e7334d3890", "error: the server asks for more than the mechanism has to say"},
		},
		"RFC 4422, EXTERNAL": {one(t, External, tim), []string{"", ""}, []string{"EXTERNAL", "", "error: the server asks for more than the mechanism has to say"}},
		"RFC 7628, OAUTHBEARER": {
			one(t, OAUTHBEARER, bearer),
			[]string{"", jsonError, ""},
			[]string{
				"OAUTHBEARER",
				"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01",
				"\x01", "error: the server asks for more than the mechanism has to say",
			},
		},
		"XOAUTH2": {
			one(t, XOAUTH2, Credentials{User: "someuser@example.com", Secret: "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"}),
			[]string{"", jsonError, ""},
			[]string{
				"XOAUTH2",
				"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01",
				"", "error: the server asks for more than the mechanism has to say",
			},
		},
		"OAUTHBEARER, signs in the name": {
			one(t, OAUTHBEARER, Credentials{User: "a=b,c", Secret: "t"}), []string{""}, []string{"OAUTHBEARER", "n,a=a=3Db=2Cc,\x01auth=Bearer t\x01\x01"},
		},
		"RFC 5802, SCRAM-SHA-1": {
			fixed(one(t, SCRAMSHA1, user), "fyko+d2lbbFgONRv9qkxdawL"),
			[]string{"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
			[]string{
				"SCRAM-SHA-1", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
				"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "",
			},
		},
		"RFC 7677, SCRAM-SHA-256": {
			fixed(one(t, SCRAMSHA256, user), "rOprNGfwEbeRWgbNEkqO"),
			[]string{"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
			[]string{
				"SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
				"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, talk(c.client, c.challenges...)); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}

// The server's side of the example of RFC 7677.
const (
	exampleNonce = "rOprNGfwEbeRWgbNEkqO"
	exampleFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	exampleFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

// A3: a challenge that is not as it should be is refused before anything is computed; at a count
// of 2^31 that would take minutes.
func TestBadSCRAMChallenges(t *testing.T) {
	for name, challenge := range map[string]string{
		"too few rounds":       strings.Replace(exampleFirst, "4096", "4095", 1),
		"one round":            strings.Replace(exampleFirst, "4096", "1", 1),
		"negative":             strings.Replace(exampleFirst, "4096", "-4096", 1),
		"a word":               strings.Replace(exampleFirst, "4096", "many", 1),
		"no count":             strings.Replace(exampleFirst, "4096", "", 1),
		"one too many":         strings.Replace(exampleFirst, "4096", "1000001", 1),
		"2^31":                 strings.Replace(exampleFirst, "4096", "2147483648", 1),
		"2^70":                 strings.Replace(exampleFirst, "4096", "1180591620717411303424", 1),
		"another nonce":        strings.Replace(exampleFirst, "r=rO", "r=rX", 1),
		"a shorter nonce":      "r=rOprNGfwEbeRWgbNEkq,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"another order":        "s=W22ZaJ0SNY7soEsUEjb6gQ==," + "r=rOprNGfwEbeRWgbNEkqOx,i=4096",
		"an extension (m=)":    "m=x," + exampleFirst,
		"salt that is no salt": strings.Replace(exampleFirst, "s=W", "s=!", 1),
		"empty":                "",
	} {
		t.Run(name, func(t *testing.T) {
			client := fixed(one(t, SCRAMSHA256, Credentials{User: "user", Secret: "pencil"}), exampleNonce)
			said := talk(client, challenge)
			if last := said[len(said)-1]; !strings.HasPrefix(last, "error: ") || len(last) > 250 {
				t.Errorf("said %q", said)
			}
			if client.Finish("") == nil {
				t.Error("content with +OK")
			}
		})
	}
}

// A3: the server has to prove itself, in a challenge or in the text of +OK.
func TestServerSignature(t *testing.T) {
	right := base64.StdEncoding.EncodeToString([]byte(exampleFinal))
	wrong := base64.StdEncoding.EncodeToString([]byte("v=" + strings.Repeat("A", 43) + "="))
	for name, c := range map[string]struct {
		challenges []string
		text       string // of +OK
		content    bool
	}{
		"in a challenge":                {[]string{exampleFirst, exampleFinal}, "welcome", true},
		"in +OK":                        {[]string{exampleFirst}, right, true},
		"in +OK, with words":            {[]string{exampleFirst}, right + " welcome", true},
		"missing":                       {[]string{exampleFirst}, "welcome", false},
		"missing, base64 of other text": {[]string{exampleFirst}, "d2VsY29tZQ==", false},
		"wrong in +OK":                  {[]string{exampleFirst}, wrong, false},
		"wrong, then right in +OK":      {[]string{exampleFirst, "v=" + strings.Repeat("A", 43) + "="}, right, false},
		"an error, then right in +OK":   {[]string{exampleFirst, "e=other-error"}, right, false},
		"before the proof":              {nil, right, false},
		"empty":                         {[]string{exampleFirst, ""}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			client := fixed(one(t, SCRAMSHA256, Credentials{User: "user", Secret: "pencil"}), exampleNonce)
			said := talk(client, c.challenges...)
			if err := client.Finish(c.text); (err == nil) != c.content {
				t.Errorf("%v after %q", err, said)
			}
		})
	}
}

// A3, A4: an error that the server sends in a challenge is answered, so that its -ERR comes, and
// is kept for people.
func TestServerErrorIsKept(t *testing.T) {
	client := fixed(one(t, SCRAMSHA256, Credentials{User: "user", Secret: "pencil"}), exampleNonce)
	said := talk(client, exampleFirst, "e=invalid-proof\x1b[2J"+strings.Repeat("x", 1000))
	if last := said[len(said)-1]; last != "" || client.Detail() != "invalid-proof\x1b[2J"+strings.Repeat("x", 1000) {
		t.Errorf("said %q, detail %.100q", said, client.Detail())
	}
}

// A1, A5: a binding that the server cannot make is done without, and a wrong password is not sent
// twice.
func TestInstead(t *testing.T) {
	for name, c := range map[string]struct {
		challenges []string
		said       string
		again      bool
	}{
		"refused at once":               {nil, "[AUTH] no", true},
		"an error instead of a salt":    {[]string{"e=unsupported-channel-binding-type"}, "[AUTH] no", true},
		"refused after the proof":       {[]string{exampleFirst}, "[AUTH] authentication failure", false},
		"after the proof, by Cyrus":     {[]string{exampleFirst}, "[AUTH] authenticating: bad protocol / cancel", true},
		"a wrong proof":                 {[]string{exampleFirst, "e=invalid-proof"}, "[AUTH] no", false},
		"a binding that does not match": {[]string{exampleFirst, "e=channel-bindings-dont-match"}, "[AUTH] no", true},
	} {
		t.Run(name, func(t *testing.T) {
			choice, err := Choose(SCRAMSHA256, Offer{SASL: every, TLS: bound12}, Credentials{User: "user", Secret: "pencil"})
			if err != nil {
				t.Fatal(err)
			}
			client := fixed(choice.Client(), exampleNonce)
			talk(client, c.challenges...)
			other := client.Instead(c.said)
			if (other != nil) != c.again {
				t.Errorf("again: %v", other != nil)
			}
			if other == nil {
				return
			}
			if name, first, _ := other.Start(); name != "SCRAM-SHA-256" || !strings.HasPrefix(string(first), "n,,") {
				t.Errorf("%s %s", name, first)
			}
			if again := other.(*scramClient).Instead(c.said); again != nil {
				t.Error("and again")
			}
		})
	}
}

// A8: what a server says of a refused token is kept as it is: what shows it makes it harmless.
func TestTokenRefusals(t *testing.T) {
	for challenge, want := range map[string]string{
		jsonError: "status invalid_token, scope example_scope",
		`{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}`: "status 401, scope https://mail.google.com/",
		`{"status":400}`:                   "status 400",
		`{"status":"\u001b[2J\r\n\u202e"}`: "status \x1b[2J\r\n\u202e",
		`{"scope":"x"}`:                    "",
		"no JSON":                          "",
		"":                                 "",
		`{"status":"` + strings.Repeat("x", 40_000) + `"}`: "status " + strings.Repeat("x", 40_000),
	} {
		for _, name := range []Name{XOAUTH2, OAUTHBEARER} {
			client := one(t, name, Credentials{User: "a", Secret: "t"})
			talk(client, "", challenge)
			if got := client.(*bearer).Detail(); got != want {
				t.Errorf("%s: %.60q shows %.60q, not %.60q", name, challenge, got, want)
			}
		}
	}
}

// W18: octets that are no UTF-8 are sent as they are, where a mechanism can.
func TestOctetsAreSentAsTheyAre(t *testing.T) {
	c := Credentials{User: "j\xf6", Secret: "\xe4\xfc"}
	for name, want := range map[Name][]string{
		Plain:   {"PLAIN", "\x00j\xf6\x00\xe4\xfc"},
		Login:   {"LOGIN", "j\xf6", "\xe4\xfc"},
		CRAMMD5: {"CRAM-MD5", "j\xf6 0e7ef90f6448b60c1c94e433793fc301"},
	} {
		challenges := map[Name][]string{Login: {"u", "p"}, CRAMMD5: {"<1@x>"}}
		if diff := cmp.Diff(want, talk(one(t, name, c), challenges[name]...)); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
	}
}

// W18, A1: names and passwords are prepared by SASLprep: a soft hyphen is nothing, a no-break
// space is a space, and comma and equals sign are escaped.
func TestSCRAMPrepares(t *testing.T) {
	client := fixed(one(t, SCRAMSHA256, Credentials{User: "u\u00adser=,\u00a0x", Secret: "x"}), "nonce")
	if got := talk(client)[1]; got != "n,,n=user=3D=2C x,r=nonce" {
		t.Errorf("said %q", got)
	}
}

// A3: a million rounds are waited for no longer than the context lasts.
func TestContextEndsPBKDF2(t *testing.T) {
	client := fixed(one(t, SCRAMSHA256, Credentials{User: "user", Secret: "pencil"}), exampleNonce)
	talk(client)
	tired := errors.New("tired")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(tired)
	release := make(chan struct{})
	client.conversation = stuck(t, client, release)
	defer close(release)
	if _, err := client.NextContext(ctx, []byte(exampleFirst)); err != tired {
		t.Errorf("%v", err)
	}
}

// stuck is a conversation whose hash does not begin before it is released.
func stuck(t *testing.T, s *scramClient, release chan struct{}) *scram.ClientConversation {
	t.Helper()
	slow := scram.HashGeneratorFcn(func() hash.Hash { <-release; return scram.SHA256() })
	client, err := slow.NewClient("user", "pencil", "")
	if err != nil {
		t.Fatal(err)
	}
	conversation := client.WithNonceGenerator(s.nonce).NewConversation()
	if _, err := conversation.Step(""); err != nil {
		t.Fatal(err)
	}
	return conversation
}

// A3: a million rounds are computed.
func TestMostIterations(t *testing.T) {
	client := fixed(one(t, SCRAMSHA1, Credentials{User: "user", Secret: "pencil"}), exampleNonce)
	began := time.Now()
	said := talk(client, strings.Replace(exampleFirst, "4096", "1000000", 1))
	if !strings.Contains(said[2], ",p=") {
		t.Errorf("said %q", said)
	}
	t.Logf("a million rounds took %v", time.Since(began))
}

// FuzzChallenges: whatever a server sends, a mechanism never panics, says no more than it has to
// say, and says the secret once at most, and only where the mechanism is to say it.
func FuzzChallenges(f *testing.F) {
	f.Add(uint8(0), "", "Password:", "")
	f.Add(uint8(1), exampleFirst, exampleFinal, "")
	f.Add(uint8(2), "", jsonError, jsonError)
	f.Add(uint8(3), "<1@example.org>", "e=x", "v=x")
	f.Add(uint8(4), "e=other-error", "r=,s=,i=4096", "r=rOprNGfwEbeRWgbNEkqO,s=,i=4096")
	names := []Name{Plain, Login, CRAMMD5, SCRAMSHA1, SCRAMSHA256, XOAUTH2, OAUTHBEARER, External}
	const secret = "correct-horse"
	f.Fuzz(func(t *testing.T, which uint8, first, second, third string) {
		name := names[int(which)%len(names)]
		client := one(t, name, Credentials{User: "user", Secret: secret})
		if s, ok := client.(*scramClient); ok {
			fixed(s, exampleNonce)
		}
		shows := 0
		var last string
		for _, said := range talk(client, first, second, third) {
			shows += strings.Count(said, secret)
			if len(said) > 2*(len(first)+len(second)+len(third))+1000 {
				t.Errorf("%s says %d octets", name, len(said))
			}
			last = said
		}
		if most := map[bool]int{true: 1, false: 0}[kinds[name].shows]; shows > most {
			t.Errorf("%s says the secret %d times", name, shows)
		}
		if strings.HasPrefix(last, "error: ") && strings.Contains(last, secret) && !strings.Contains(first+second+third, secret) {
			t.Errorf("the error says the secret: %s", last)
		}
		if s, ok := client.(*scramClient); ok && s.Finish(third) == nil && !strings.Contains(first, "i=") {
			t.Errorf("%s is content with nothing", name)
		}
		if d, ok := client.(interface{ Detail() string }); ok && len(d.Detail()) > 3*(len(first)+len(second)+len(third))+50 {
			t.Errorf("a detail of %d octets", len(d.Detail()))
		}
	})
}
