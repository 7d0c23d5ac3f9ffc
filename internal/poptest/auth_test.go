package poptest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/google/go-cmp/cmp"
	"github.com/xdg-go/scram"
)

// A step is a SASL client of two functions.
type step struct {
	mechanism string
	first     func() ([]byte, error)
	next      func([]byte) ([]byte, error)
}

func (s step) Start() (string, []byte, error) {
	if s.first == nil {
		return s.mechanism, nil, nil
	}
	first, err := s.first()
	return s.mechanism, first, err
}

func (s step) Next(challenge []byte) ([]byte, error) { return s.next(challenge) }

func cramClient(user, password string) sasl.Client {
	return step{"CRAM-MD5", nil, func(challenge []byte) ([]byte, error) {
		mac := hmac.New(md5.New, []byte(password))
		mac.Write(challenge)
		return []byte(user + " " + hex.EncodeToString(mac.Sum(nil))), nil
	}}
}

// scramClient cancels at a signature that is wrong.
func scramClient(mechanism, user, password string, binding *scram.ChannelBinding) sasl.Client {
	hash := scram.SHA256
	if strings.HasPrefix(mechanism, "SCRAM-SHA-1") {
		hash = scram.SHA1
	}
	client, err := hash.NewClient(user, password, "")
	if err != nil {
		panic(err)
	}
	talk := client.NewConversation()
	if binding != nil {
		talk = client.NewConversationWithChannelBinding(*binding)
	}
	next := func(challenge []byte) ([]byte, error) {
		answer, err := talk.Step(string(challenge))
		return []byte(answer), err
	}
	return step{mechanism, func() ([]byte, error) { return next(nil) }, next}
}

func tokenClient(user, token string) sasl.Client {
	return step{
		"XOAUTH2",
		func() ([]byte, error) { return []byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01"), nil },
		func([]byte) ([]byte, error) { return nil, nil },
	}
}

func bearerClient(user, token string) sasl.Client {
	return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: user, Token: token, Host: "pop.example.org", Port: 995})
}

// auth logs in with m, in one line or two, and is the last line of the answer. What m refuses is cancelled.
func (c *client) auth(m sasl.Client, initial bool) string {
	c.t.Helper()
	mechanism, first, err := m.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	line := "AUTH " + mechanism
	if initial && first != nil {
		line, first = line+" "+encoded(first), nil
	}
	c.send(line + "\r\n")
	for {
		got, err := c.r.ReadString('\n')
		got = strings.TrimRight(got, "\r\n")
		challenge, asks := strings.CutPrefix(got, "+ ")
		if err != nil || !asks && got != "+" {
			return got
		}
		if first != nil {
			c.send(base64.StdEncoding.EncodeToString(first) + "\r\n")
			first = nil
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(challenge)
		if err != nil {
			c.send("*\r\n")
			continue
		}
		answer, err := m.Next(raw)
		if err != nil {
			c.send("*\r\n")
			continue
		}
		c.send(base64.StdEncoding.EncodeToString(answer) + "\r\n")
	}
}

func encoded(initial []byte) string {
	if len(initial) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(initial)
}

var allMechanisms = []string{
	"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS",
	"XOAUTH2", "OAUTHBEARER", "EXTERNAL",
}

// A1: each mechanism, in one line and in two, with a good secret and a wrong one.
func TestMechanisms(t *testing.T) {
	const user, secret, token = `a "b"@example.org`, "pässwörd %s", "ya29.TEST"
	clients := map[string]func(secret, token string) sasl.Client{
		"PLAIN":         func(secret, _ string) sasl.Client { return sasl.NewPlainClient("", user, secret) },
		"LOGIN":         func(secret, _ string) sasl.Client { return sasl.NewLoginClient(user, secret) },
		"CRAM-MD5":      func(secret, _ string) sasl.Client { return cramClient(user, secret) },
		"SCRAM-SHA-1":   func(secret, _ string) sasl.Client { return scramClient("SCRAM-SHA-1", user, secret, nil) },
		"SCRAM-SHA-256": func(secret, _ string) sasl.Client { return scramClient("SCRAM-SHA-256", user, secret, nil) },
		"XOAUTH2":       func(_, token string) sasl.Client { return tokenClient(user, token) },
		"OAUTHBEARER":   func(_, token string) sasl.Client { return bearerClient(user, token) },
	}
	shown := map[string]string{"PLAIN": secret, "LOGIN": secret, "XOAUTH2": token, "OAUTHBEARER": token}
	for mechanism, make := range clients {
		for _, initial := range []bool{false, true} {
			name := mechanism + " in two lines"
			if initial {
				name = mechanism + " in one line"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := NewPipe(t, Options{SASL: allMechanisms})
					box := mailbox(s, user, "1\r\n")
					box.SetPassword(secret)
					box.SetToken(token)
					c := newClient(t, s.Pipe())
					c.expect("+OK POP3 server ready")
					if got := c.auth(make("wrong", "expired"), initial); !strings.HasPrefix(got, "-ERR [AUTH]") && got != aborted {
						t.Errorf("with a wrong secret: %q", got)
					}
					if got := c.auth(make(secret, token), initial); got != "+OK 1 messages" {
						t.Errorf("with the good secret: %q", got)
					}
					attempts := s.Sessions()[0].Attempts
					if len(attempts) != 2 || attempts[0].OK || !attempts[1].OK {
						t.Fatalf("recorded: %+v", attempts)
					}
					got := attempts[1]
					hasInitial := initial && mechanism != "CRAM-MD5"
					want := Attempt{
						Mechanism: mechanism, User: user, Secret: shown[mechanism], Initial: hasInitial, OK: true,
						Octets: got.Octets, Challenges: got.Challenges, Lines: got.Lines, Responses: got.Responses,
						Answer: "+OK 1 messages",
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("recorded (-want +got):\n%s", diff)
					}
					if responses := len(got.Lines) + map[bool]int{true: 1}[hasInitial]; len(got.Lines) != got.Challenges || len(got.Responses) != responses {
						t.Errorf("%d challenges, %d lines, %d responses", got.Challenges, len(got.Lines), len(got.Responses))
					}
				})
			})
		}
	}
}

const aborted = "-ERR Authentication aborted by client."

// A1: APOP as in RFC 1939, user names with blanks, no stamp.
func TestAPOP(t *testing.T) {
	s := New(t, Options{Stamp: "<1896.697170952@dbc.mtview.ca.us>"})
	s.Mailbox("mrose").SetPassword("tanstaaf")
	s.Mailbox(" m rose ").SetPassword("tanstaaf")
	c := dial(t, s)
	c.talk(`
		S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
		C: APOP mrose C4C9334BAC560ECC979E58001B3E22FB
		S: -ERR [AUTH] invalid user name or password
		C: APOP mros c4c9334bac560ecc979e58001b3e22fb
		S: -ERR [AUTH] invalid user name or password
		C: APOP mrose
		S: -ERR [AUTH] invalid user name or password
	`)
	c.send("APOP  m rose  c4c9334bac560ecc979e58001b3e22fb\r\n")
	c.expect("+OK 0 messages")
	got := s.Sessions()[0]
	if len(got.Attempts) != 4 || got.User != " m rose " || got.Attempts[3].User != " m rose " || got.Attempts[3].Mechanism != "APOP" {
		t.Errorf("recorded: %+v", got.Attempts)
	}
	s.Hook(Greeting, Always(Greet("+OK now without")))
	dial(t, s).talk(`
		S: +OK now without
		C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
		S: -ERR unknown command
	`)
	s.Hook(Greeting, Always(Greet("+OK <bad> one")))
	if c := dial(t, s); true {
		sum := md5.Sum([]byte("<bad>tanstaaf"))
		c.expect("+OK <bad> one")
		c.send("APOP mrose " + hex.EncodeToString(sum[:]) + "\r\n")
		c.expect("+OK 0 messages")
	}
}

func TestVectorOfRFC2195(t *testing.T) {
	s := NewPipe(t, Options{})
	s.Mailbox("tim").SetPassword("tanstaaftanstaaf")
	c := &Conn{server: s}
	user, good := c.VerifyCRAM("<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890")
	if user != "tim" || !good {
		t.Errorf("%q, %v", user, good)
	}
}

func TestPlainActsForNobodyElse(t *testing.T) {
	s := NewPipe(t, Options{SASL: []string{"PLAIN"}})
	mailbox(s, "alice")
	mailbox(s, "bob")
	c := newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	if got := c.auth(sasl.NewPlainClient("bob", "alice", "secret"), true); !strings.HasPrefix(got, "-ERR") {
		t.Error(got)
	}
	if got := c.auth(sasl.NewPlainClient("alice", "alice", "secret"), true); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
}

// A1, T6: EXTERNAL takes the name of the certificate or the one that is asked for.
func TestExternal(t *testing.T) {
	ca := NewCA(t)
	config := ca.Config(Good)
	config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, ca.Pool()
	s := New(t, Options{TLS: config, SASL: []string{"EXTERNAL"}})
	mailbox(s, "alice")
	mailbox(s, "shared")
	cert := ca.Issue(Client, func(c *x509.Certificate) { c.Subject.CommonName = "alice" })
	tests := []struct {
		name    string
		certs   []tls.Certificate
		authzid string
		user    string
	}{
		{"by the certificate", []tls.Certificate{cert}, "", "alice"},
		{"by the request", []tls.Certificate{cert}, "shared", "shared"},
		{"nobody", []tls.Certificate{cert}, "mallory", ""},
		{"without a certificate", nil, "alice", ""},
	}
	for _, test := range tests {
		for _, initial := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				c := dial(t, s).secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: test.certs})
				c.expect("+OK POP3 server ready")
				got := c.auth(sasl.NewExternalClient(test.authzid), initial)
				last := s.Sessions()[len(s.Sessions())-1]
				if strings.HasPrefix(got, "+OK") != (test.user != "") || last.User != test.user {
					t.Errorf("%q as %q", got, last.User)
				}
				if a := last.Attempts[0]; a.Initial != initial || !a.TLS {
					t.Errorf("recorded: %+v", a)
				}
			})
		}
	}
}

// A1: the list differs in clear, under TLS, and where -PLUS is impossible.
func TestAnnouncedMechanisms(t *testing.T) {
	ca := NewCA(t)
	tests := []struct {
		name         string
		clear        []string
		before, then string
	}{
		{"by default without -PLUS", nil, "SASL PLAIN SCRAM-SHA-256", "SASL PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"},
		{"others in clear", []string{"CRAM-MD5"}, "SASL CRAM-MD5", "SASL PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"},
		{"none in clear", []string{}, "", "SASL PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, Options{
				TLS: ca.Config(Good), STLS: true, Capabilities: []string{"UIDL"},
				SASL: []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, SASLClear: test.clear,
			})
			mailbox(s, "alice")
			c := dial(t, s)
			c.expect("+OK POP3 server ready")
			c.send("CAPA\r\n")
			if got := c.saslLine(); got != test.before {
				t.Errorf("in clear %q", got)
			}
			if test.clear != nil {
				if got := c.auth(sasl.NewPlainClient("", "alice", "secret"), true); !strings.HasPrefix(got, "-ERR") || strings.Contains(got, "[AUTH]") {
					t.Errorf("in clear %q", got)
				}
			}
			c.send("STLS\r\n")
			c.expect("+OK begin TLS")
			c = c.secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
			c.send("CAPA\r\n")
			if got := c.saslLine(); got != test.then {
				t.Errorf("under TLS %q", got)
			}
			if got := c.auth(sasl.NewPlainClient("", "alice", "secret"), true); got != "+OK 0 messages" {
				t.Error(got)
			}
			c.send("CAPA\r\nAUTH PLAIN\r\n")
			if got := c.saslLine(); got != "" {
				t.Errorf("after the log-in %q", got)
			}
			c.expect("-ERR not in this state")
		})
	}
}

// saslLine reads the answer to CAPA.
func (c *client) saslLine() (found string) {
	c.t.Helper()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "SASL") {
			found = line
		}
		if line == "." {
			return found
		}
	}
}

// A2: what a server may do to the first line of AUTH.
func TestInitialResponse(t *testing.T) {
	long := tokenClient("alice", strings.Repeat("t", 300))
	short := sasl.NewPlainClient("", "alice", "secret")
	tests := []struct {
		name     string
		auth     Auth
		client   sasl.Client
		initial  bool
		want     string
		attempts int
	}{
		{"refused", Auth{NoInitial: true}, short, true, "-ERR an initial response is not taken here", 1},
		{"refused, two lines", Auth{NoInitial: true}, short, false, "+OK 0 messages", 1},
		{"ignored", Auth{IgnoresInitial: true}, short, true, "+ ", 1},
		{"too long for 255", Auth{Limit: 255}, long, true, ProtocolError, 1},
		{"long in two lines", Auth{Limit: 255}, long, false, "+OK 0 messages", 1},
		{"too long for 255, not for 512", Auth{Limit: 512}, long, true, "+OK 0 messages", 1},
		{"response too long", Auth{ResponseLimit: 100}, long, false, "", 1},
		{"plus without a blank", Auth{Challenge: BarePlus}, short, false, "+OK 0 messages", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := NewPipe(t, Options{SASL: allMechanisms, Auth: test.auth})
			mailbox(s, "alice").SetToken(strings.Repeat("t", 300))
			c := newClient(t, s.Pipe())
			c.expect("+OK POP3 server ready")
			if test.auth.IgnoresInitial {
				c.send("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n")
				c.expect("+ ")
				c.send("AGFsaWNlAHNlY3JldA==\r\n")
				c.expect("+OK 0 messages")
				return
			}
			if got := c.auth(test.client, test.initial); got != test.want {
				t.Errorf("got %q", got)
			}
			if got := s.Sessions()[0].Attempts; len(got) != test.attempts || got[0].Initial != test.initial {
				t.Errorf("recorded: %+v", got)
			}
			if test.want == ProtocolError || test.want == "" {
				if got, err := c.rest(); got != "" || err != nil {
					t.Errorf("then %q, %v", got, err)
				}
			}
		})
	}
}

// A2: the limit is exact, CRLF included.
func TestLimitIsExact(t *testing.T) {
	for octets, want := range map[int]bool{255: true, 256: false} {
		s := NewPipe(t, Options{SASL: []string{"PLAIN"}, Auth: Auth{Limit: 255}})
		c := newClient(t, s.Pipe())
		c.expect("+OK POP3 server ready")
		c.send("AUTH PLAIN " + strings.Repeat("A", octets-len("AUTH PLAIN \r\n")) + "\r\n")
		line, _ := c.r.ReadString('\n')
		if got := line != ProtocolError+"\r\n"; got != want {
			t.Errorf("%d octets: %q", octets, line)
		}
		if got := s.Sessions()[0].Attempts[0].Octets; got != octets {
			t.Errorf("recorded %d of %d octets", got, octets)
		}
	}
}

// A2: challenges that are none, and what the client's cancel is answered.
func TestOddChallenges(t *testing.T) {
	tests := []struct {
		name string
		hook Action
		want string // the challenge, with CRLF
	}{
		{"undecodable", Challenges("!!!"), "+ !!!\r\n"},
		{"empty", Challenges(""), "+ \r\n"},
		{"huge", Challenges(strings.Repeat("QUJD", 16<<10)), "+ " + strings.Repeat("QUJD", 16<<10) + "\r\n"},
		{"endless", EndlessChallenges("QUJD"), "+ QUJD\r\n"},
		{"without a blank", Auth{Challenge: NthChallenge(1, "+")}.Answer, "+\r\n"},
		{"an empty line", Auth{Challenge: NthChallenge(1, "")}.Answer, "\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := NewPipe(t, Options{SASL: []string{"PLAIN"}})
			mailbox(s, "alice")
			s.Hook("AUTH", Nth(1, test.hook))
			c := newClient(t, s.Pipe())
			c.expect("+OK POP3 server ready")
			c.send("AUTH PLAIN\r\n")
			if got, _ := c.r.ReadString('\n'); got != test.want {
				t.Errorf("got %.40q", got)
			}
			c.send("*\r\n")
			c.expect(aborted)
			if got := c.auth(sasl.NewPlainClient("", "alice", "secret"), false); got != "+OK 0 messages" {
				t.Errorf("afterwards %q", got)
			}
			if got := s.Sessions()[0].Attempts[0]; !got.Cancelled || got.Challenges != 1 || len(got.Responses) != 0 || got.Answer != aborted {
				t.Errorf("recorded: %+v", got)
			}
		})
	}
}

func TestEndlessChallengesAreCounted(t *testing.T) {
	s := NewPipe(t, Options{})
	s.Hook("AUTH", Always(EndlessChallenges("")))
	c := newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	c.send("AUTH PLAIN\r\n")
	for range 9 {
		c.expect("+ ")
		c.send("\r\n")
	}
	c.expect("+ ")
	c.Close()
	if got := ended(t, s, 1).Attempts[0]; got.Challenges != 10 || got.Cancelled || len(got.Lines) != 9 || got.Answer != "" {
		t.Errorf("recorded: %+v", got)
	}
}

func TestRefusalAfterChallenges(t *testing.T) {
	s := NewPipe(t, Options{})
	s.Hook("AUTH", Always(Challenges("QUJD", "REVG")))
	c := newClient(t, s.Pipe())
	c.talk(`
		S: +OK POP3 server ready
		C: AUTH PLAIN
		S: + QUJD
		C: eA==
		S: + REVG
		C: eQ==
		S: -ERR [AUTH] invalid user name or password
	`)
	if diff := cmp.Diff([]string{"x", "y"}, s.Sessions()[0].Attempts[0].Responses); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
}

func TestBadLinesOfAUTH(t *testing.T) {
	s := NewPipe(t, Options{SASL: []string{"PLAIN", "XOAUTH2", "CRAM-MD5", "SCRAM-SHA-1"}})
	mailbox(s, "alice")
	newClient(t, s.Pipe()).talk(`
		S: +OK POP3 server ready
		C: AUTH
		S: -ERR no such mechanism here
		C: AUTH SCRAM-SHA-256
		S: -ERR no such mechanism here
		C: AUTH plain !!!
		S: -ERR Invalid base64 data in the response
		C: AUTH plain AA==
		S: -ERR [AUTH] invalid user name or password
		C: AUTH XOAUTH2 eA==
		S: -ERR [AUTH] invalid user name or password
		C: AUTH CRAM-MD5 eA==
		S: -ERR this mechanism has no initial response
		C: AUTH SCRAM-SHA-1 eA==
		S: -ERR [AUTH] invalid user name or password
		C: auth plain AGFsaWNlAHNlY3JldA==
		S: +OK 0 messages
	`)
	if got := len(s.Sessions()[0].Attempts); got != 8 {
		t.Errorf("%d attempts", got)
	}
}

// The blocks are enough for a mechanism of a test's own.
func TestHookOfBuildingBlocks(t *testing.T) {
	s := NewPipe(t, Options{})
	mailbox(s, "alice")
	s.Hook("AUTH", func(c *Conn, _ string) Action {
		return func(c *Conn) error {
			raw, ok := c.InitialResponse()
			if !ok {
				var err error
				if raw, err = c.Challenge([]byte("who?")); err != nil {
					return err
				}
			}
			user, good := c.VerifyPlain(raw)
			return c.Decide(user, good)
		}
	})
	newClient(t, s.Pipe()).talk(`
		S: +OK POP3 server ready
		C: AUTH X AGFsaWNlAHdyb25n
		S: -ERR [AUTH] invalid user name or password
		C: AUTH X
		S: + d2hvPw==
		C: AGFsaWNlAHNlY3JldA==
		S: +OK 0 messages
	`)
	want := []Attempt{
		{
			Mechanism: "X", User: "alice", Secret: "wrong", Initial: true, Octets: 25,
			Responses: []string{"\x00alice\x00wrong"}, Answer: AuthRefused,
		},
		{
			Mechanism: "X", User: "alice", Secret: "secret", Octets: 8, Challenges: 1, OK: true,
			Lines: []string{"AGFsaWNlAHNlY3JldA=="}, Responses: []string{"\x00alice\x00secret"}, Answer: "+OK 0 messages",
		},
	}
	if diff := cmp.Diff(want, s.Sessions()[0].Attempts); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestAttemptsWithoutSASL(t *testing.T) {
	s := New(t, Options{})
	mailbox(s, "alice")
	s.Hook("PASS", Nth(2, Stall))
	c := dial(t, s)
	c.talk(`
		S: +OK POP3 server ready
		C: USER alice
		S: +OK
		C: PASS wrong
		S: -ERR [AUTH] invalid user name or password
		C: USER bob
		S: +OK
		C: PASS secret
	`)
	c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := io.ReadAll(c.r); !errors.Is(err, errTimeout(err)) {
		t.Error(err)
	}
	want := []Attempt{
		{Mechanism: "USER", User: "alice", Secret: "wrong", Octets: 12, Answer: AuthRefused},
		{Mechanism: "USER", User: "bob", Secret: "secret", Octets: 13},
	}
	if diff := cmp.Diff(want, s.Sessions()[0].Attempts); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

// errTimeout is err where it is one.
func errTimeout(err error) error {
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return err
	}
	return errors.New("a timeout")
}

func TestSessionsAreCopies(t *testing.T) {
	s := NewPipe(t, Options{SASL: []string{"PLAIN"}})
	mailbox(s, "alice")
	c := newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	c.auth(sasl.NewPlainClient("", "alice", "secret"), false)
	got := s.Sessions()[0].Attempts
	got[0].Lines[0], got[0].Responses[0] = "x", "x"
	if again := s.Sessions()[0].Attempts[0]; slices.Contains(again.Lines, "x") || slices.Contains(again.Responses, "x") {
		t.Error("shared")
	}
}
