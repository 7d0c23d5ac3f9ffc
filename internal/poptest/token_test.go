package poptest

import (
	"encoding/base64"
	"slices"
	"testing"
)

const (
	xoauth2Line = "dXNlcj1hbGljZUBleGFtcGxlLm9yZwFhdXRoPUJlYXJlciB5YTI5LlRFU1QBAQ=="
	bearerLine  = "bixhPWFsaWNlQGV4YW1wbGUub3JnLAFob3N0PXBvcC5leGFtcGxlLm9yZwFwb3J0PTk5NQFhdXRoPUJlYXJlciB5YTI5LlRFU1QBAQ=="
	googleError = "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0="
	rfcError    = "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ=="
)

// A2: the exchanges of tokens, octet by octet, as Google, RFC 7628 and Exchange have them.
func TestTokens(t *testing.T) {
	tests := []struct {
		name  string
		opts  Options
		token string
		talk  []string // what is sent and what comes, in turn
	}{
		{
			"good, XOAUTH2",
			Options{},
			"ya29.TEST",
			[]string{"AUTH XOAUTH2", "+ ", xoauth2Line, "+OK 0 messages"},
		},
		{
			"good, OAUTHBEARER",
			Options{},
			"ya29.TEST",
			[]string{"AUTH OAUTHBEARER", "+ ", bearerLine, "+OK 0 messages"},
		},
		{
			"good, one line",
			Options{},
			"ya29.TEST",
			[]string{"AUTH OAUTHBEARER " + bearerLine, "+OK 0 messages"},
		},
		{
			"expired, Google",
			Options{},
			"other",
			[]string{"AUTH XOAUTH2", "+ ", xoauth2Line, "+ " + googleError, "", AuthRefused, "NOOP", "-ERR not in this state"},
		},
		{
			"expired, RFC 7628",
			Options{},
			"other",
			[]string{"AUTH OAUTHBEARER", "+ ", bearerLine, "+ " + rfcError, "AQ==", AuthRefused},
		},
		{
			"expired, cancelled",
			Options{},
			"other",
			[]string{"AUTH OAUTHBEARER", "+ ", bearerLine, "+ " + rfcError, "*", aborted},
		},
		{
			"expired, one line",
			Options{},
			"other",
			[]string{"AUTH XOAUTH2 " + xoauth2Line, "+ " + googleError, "", AuthRefused},
		},
		{
			"expired, with words of its own",
			Options{Auth: Auth{TokenError: "{}"}},
			"other",
			[]string{"AUTH XOAUTH2", "+ ", xoauth2Line, "+ e30=", "", AuthRefused},
		},
		{
			"expired, undecodable",
			Options{Auth: Auth{Challenge: NthChallenge(2, "+ {}")}},
			"other",
			[]string{"AUTH XOAUTH2", "+ ", xoauth2Line, "+ {}", "", AuthRefused},
		},
		{
			"malformed",
			Options{},
			"ya29.TEST",
			[]string{"AUTH XOAUTH2", "+ ", "dXNlcj1hbGljZQ==", AuthRefused},
		},
		{
			"good, Exchange", Exchange(), "ya29.TEST",
			[]string{"AUTH XOAUTH2", "+", xoauth2Line, "+OK 0 messages"},
		},
		{
			"refused, Exchange", Exchange(), "other",
			[]string{"AUTH XOAUTH2", "+", xoauth2Line, "-ERR Authentication failure: unknown user name or bad password."},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.opts.SASL == nil {
				test.opts.SASL = []string{"XOAUTH2", "OAUTHBEARER"}
			}
			s := NewPipe(t, test.opts)
			s.Mailbox("alice@example.org").SetToken(test.token)
			c := newClient(t, s.Pipe())
			c.r.ReadString('\n')
			for pair := range slices.Chunk(test.talk, 2) {
				c.send(pair[0] + "\r\n")
				c.expect(pair[1])
			}
			if got := s.Sessions()[0].Attempts; len(got) != 1 || got[0].User != "alice@example.org" && test.name != "malformed" {
				t.Errorf("recorded: %+v", got)
			}
		})
	}
}

// A2, A8: an expired token is refused and the next one taken, on the same connection and on another.
func TestTokenIsRenewed(t *testing.T) {
	s := NewPipe(t, Options{SASL: []string{"XOAUTH2"}})
	box := s.Mailbox("alice")
	box.SetToken("new")
	for range 2 {
		c := newClient(t, s.Pipe())
		c.expect("+OK POP3 server ready")
		if got := c.auth(tokenClient("alice", "old"), false); got != AuthRefused {
			t.Error(got)
		}
		if got := c.auth(tokenClient("alice", "new"), false); got != "+OK 0 messages" {
			t.Error(got)
		}
	}
	asked := ""
	box.AcceptToken(func(token string) bool { asked = token; return token != "" })
	c := newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	if got := c.auth(tokenClient("alice", "any"), false); got != "+OK 0 messages" || asked != "any" {
		t.Error(got, asked)
	}
	box.SetToken("")
	c = newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	if got := c.auth(tokenClient("alice", "any"), false); got != AuthRefused {
		t.Error(got)
	}
}

func TestForms(t *testing.T) {
	tests := []struct {
		mechanism, response, user, token string
	}{
		{"XOAUTH2", "user=a\x01auth=Bearer t\x01\x01", "a", "t"},
		{"XOAUTH2", "user=a\x01auth=bearer t\x01\x01", "a", "t"},
		{"XOAUTH2", "user=a\x01auth=Bearer t\x01", "", ""},
		{"XOAUTH2", "user=a\x01auth=Basic t\x01\x01", "", ""},
		{"XOAUTH2", "user=\x01auth=Bearer t\x01\x01", "", ""},
		{"XOAUTH2", "auth=Bearer t\x01user=a\x01\x01", "", ""},
		{"OAUTHBEARER", "n,a=a=2Cb=3Dc,\x01auth=Bearer t\x01\x01", "a,b=c", "t"},
		{"OAUTHBEARER", "n,a=a,\x01host=h\x01port=1\x01auth=Bearer t\x01\x01", "a", "t"},
		{"OAUTHBEARER", "n,a=a,\x01port=1\x01auth=Bearer t\x01host=h\x01\x01", "a", "t"},
		{"OAUTHBEARER", "n,a=a=b,\x01auth=Bearer t\x01\x01", "", ""},
		{"OAUTHBEARER", "n,,\x01auth=Bearer t\x01\x01", "", ""},
		{"OAUTHBEARER", "p=x,a=a,\x01auth=Bearer t\x01\x01", "", ""},
		{"OAUTHBEARER", "n,a=a,\x01auth=Bearer \x01\x01", "", ""},
		{"OAUTHBEARER", "n,a=a,\x01\x01", "", ""},
	}
	for _, test := range tests {
		parse := parseXOAUTH2
		if test.mechanism == "OAUTHBEARER" {
			parse = parseOAUTHBEARER
		}
		user, token, ok := parse(test.response)
		if ok != (test.user != "") || ok && (user != test.user || token != test.token) {
			t.Errorf("%q: %q, %q, %v", test.response, user, token, ok)
		}
	}
}

func TestTokenErrorsAreThoseOfTheFacts(t *testing.T) {
	if got := base64.StdEncoding.EncodeToString([]byte(GoogleTokenError)); got != googleError {
		t.Error(got)
	}
	if got := base64.StdEncoding.EncodeToString([]byte(BearerTokenError)); got != rfcError {
		t.Error(got)
	}
}
