package pop3

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
)

// shownBy logs in to a server that answers the last line of the log-in with a reply, and returns
// all that popsync shows of it.
func shownBy(t *testing.T, talk []string, login func(context.Context, *Client) error) string {
	t.Helper()
	var shown strings.Builder
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go serve(theirs, talk)
		client, err := NewClient(t.Context(), ours, Options{Timeout: time.Second, Trace: func(l string) { shown.WriteString(l + "\n") }})
		if err != nil {
			t.Fatal(err)
		}
		err = login(t.Context(), client)
		if !isRefusal(err) {
			t.Errorf("%v", err)
		}
		fmt.Fprintf(&shown, "%v\n%+v\n", err, err)
	})
	return shown.String()
}

// A7: whatever of a log-in a server repeats, whole, in capitals, inside other base64 or cut short,
// no error and no trace shows it.
func TestRepeatedLogInIsHidden(t *testing.T) {
	const token = "ya29.a0AfH6SMDk3vJ9fZ-0123456789abcdefghijklmnopqrstuvwxyz"
	xoauth2 := "user=alice\x01auth=Bearer " + token + "\x01\x01"
	refuse := func(said string) []string {
		return []string{"S: +OK", "C: AUTH XOAUTH2", "S: + ", "C: " + encoded([]byte(xoauth2)), "S: -ERR [AUTH] " + said}
	}
	login := func(ctx context.Context, c *Client) error { return c.Auth(ctx, client("xoauth2", "alice", token)) }
	for name, said := range map[string]string{
		"the token":              token + " is no good",
		"in capitals":            strings.ToUpper(token),
		"the line":               "what is " + encoded([]byte(xoauth2)),
		"the line, cut":          "what is " + encoded([]byte(xoauth2))[:50] + "...",
		"the line's end":         "what is " + encoded([]byte(xoauth2))[40:],
		"base64 of the token":    encoded([]byte(token)),
		"base64, one further":    encoded([]byte("x" + token)),
		"base64, two further":    encoded([]byte("xy" + token + "z")),
		"hex":                    hex.EncodeToString([]byte(token)),
		"inside a command":       "AUTH<" + token + ">",
		"half of it":             token[20:],
		"in a JSON error":        `{"token":"` + token + `"}`,
		"twice":                  token + token,
		"behind a secret prefix": token[:18] + " " + token,
	} {
		t.Run(name, func(t *testing.T) {
			shown := shownBy(t, refuse(said), login)
			whole := []string{token, xoauth2, encoded([]byte(xoauth2)), encoded([]byte(token)), hex.EncodeToString([]byte(token))}
			for _, secret := range append(whole, aligned(token)...) {
				for i := 0; i+leastPiece <= len(secret); i++ {
					if strings.Contains(strings.ToLower(shown), strings.ToLower(secret[i:i+leastPiece])) {
						t.Fatalf("%q is shown in\n%s", secret[i:i+leastPiece], shown)
					}
				}
			}
			if !strings.Contains(shown, concealed) || !strings.Contains(shown, "-ERR [AUTH]") {
				t.Errorf("nothing is left:\n%s", shown)
			}
		})
	}
}

// A7: the same for passwords, which are short, with the words of each mechanism.
func TestRepeatedPasswordInLogInIsHidden(t *testing.T) {
	const password = "pa55-Wort"
	plain := encoded([]byte("\x00alice\x00" + password))
	for name, said := range map[string]string{
		"the password":       "no such command " + password,
		"the line":           plain,
		"base64":             encoded([]byte(password)),
		"base64, elsewhere":  encoded([]byte("\x00al\x00" + password)),
		"base64, elsewhere2": encoded([]byte("alice:" + password + ":")),
		"hex":                strings.ToUpper(hex.EncodeToString([]byte(password))),
	} {
		t.Run(name, func(t *testing.T) {
			talk := []string{"S: +OK", "C: AUTH PLAIN " + plain, "S: -ERR [AUTH] " + said}
			shown := shownBy(t, talk, func(ctx context.Context, c *Client) error {
				c.conceal("alice", password)
				return c.Auth(ctx, client("plain", "alice", password))
			})
			for _, secret := range append(aligned(password), password, plain, hex.EncodeToString([]byte(password))) {
				if strings.Contains(strings.ToLower(shown), strings.ToLower(secret)) {
					t.Errorf("%q is shown in\n%s", secret, shown)
				}
			}
		})
	}
}

// A7: the digest of CRAM-MD5 is concealed, and the user's name is not.
func TestRepeatedDigestIsHidden(t *testing.T) {
	const digest = "b913a602c7eda7a495b4e6e7334d3890"
	talk := []string{
		"S: +OK", "C: AUTH CRAM-MD5", "S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
		"C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw", "S: -ERR tim is not " + digest,
	}
	shown := shownBy(t, talk, func(ctx context.Context, c *Client) error {
		return c.Auth(ctx, client("cram-md5", "tim", "tanstaaftanstaaf"))
	})
	if strings.Contains(shown, digest) || !strings.Contains(shown, "tim is not ****") {
		t.Error(shown)
	}
}

// A2: what a challenge holds is not changed by what is concealed of it.
func TestChallengeWithSecretArrives(t *testing.T) {
	got := &listener{}
	challenge := "r=secret,s=secret" + strings.Repeat("x", 9<<10-17) // 12 KiB in base64, the most
	talk := []string{"S: +OK", "C: AUTH LISTENER", "S: + " + encoded([]byte(challenge)), "C: YQ==", "S: -ERR no"}
	shown := shownBy(t, talk, func(ctx context.Context, c *Client) error {
		c.conceal("alice", "secret")
		return c.Auth(ctx, got)
	})
	if string(got.challenge) != challenge {
		t.Errorf("%d octets, not %d: %.50q", len(got.challenge), len(challenge), got.challenge)
	}
	if len(shown) > 4*keepStatus { // O2: a trace is bounded
		t.Errorf("%d octets are shown", len(shown))
	}
}

// A listener keeps the last challenge.
type listener struct{ challenge []byte }

func (*listener) Start() (string, []byte, error) { return "LISTENER", nil, nil }

func (l *listener) Next(challenge []byte) ([]byte, error) {
	l.challenge = bytes.Clone(challenge)
	return []byte("a"), nil
}

// W10: an answer that takes long to compute is waited for no longer than the context lasts.
func TestContextEndsLongAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go serve(theirs, []string{"S: +OK", "C: AUTH SLOW", "S: + "})
		c, err := NewClient(t.Context(), ours, Options{})
		if err != nil {
			t.Fatal(err)
		}
		tired := errors.New("tired")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, tired)
		defer cancel()
		began := time.Now()
		if err := c.Auth(ctx, slow{&scripted{name: "SLOW"}}); err != tired || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if c.Err() != tired {
			t.Errorf("then %v", c.Err())
		}
	})
}

// A slow mechanism computes for ever.
type slow struct{ sasl.Client }

func (slow) NextContext(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// W18: octets that are no UTF-8, blanks and signs go out as they are.
func TestPasswordsGoOutAsTheyAre(t *testing.T) {
	const user, password = "j\xf6 \"%s\" o'neil", " p\xe4ss%20w\xf6rd\\ "
	for name, c := range map[string]struct {
		talk  []string
		login func(context.Context, *Client) error
	}{
		"USER":  {[]string{"C: USER " + user, "S: +OK", "C: PASS " + password}, func(ctx context.Context, c *Client) error { return c.Login(ctx, user, password) }},
		"PLAIN": {[]string{"C: AUTH PLAIN " + encoded([]byte("\x00"+user+"\x00"+password))}, func(ctx context.Context, c *Client) error { return c.Auth(ctx, client("plain", user, password)) }},
		"LOGIN": {
			[]string{"C: AUTH LOGIN", "S: + VXNlciBOYW1lAA==", "C: " + encoded([]byte(user)), "S: + UGFzc3dvcmQA", "C: " + encoded([]byte(password))},
			func(ctx context.Context, c *Client) error { return c.Auth(ctx, client("login", user, password)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			talk := append(append([]string{"S: +OK"}, c.talk...), "S: -ERR [AUTH] understood")
			if shown := shownBy(t, talk, c.login); !strings.Contains(shown, "understood") {
				t.Error(shown)
			}
		})
	}
}

// A7: concealing costs next to nothing where replies come by the thousand.
func BenchmarkReply(b *testing.B) {
	const usual, long = "+OK 1234 octets follow.\r\n", "+OK 0123456789abcdefghijklmnopqrstuvwxyz\r\n"
	for name, pattern := range map[string]string{"no secrets": usual, "secrets": usual, "a long word": long} {
		b.Run(name, func(b *testing.B) {
			c := &Client{c: newConn(&endless{pattern: []byte(pattern), size: 1 << 60}, time.Minute, func(string) {})}
			if name != "no secrets" {
				c.conceal("alice@example.org", "correct horse battery")
				c.concealAnswer([]byte("auth=Bearer " + strings.Repeat("t0ken", 400)))
			}
			b.ReportAllocs()
			for b.Loop() {
				c.unanswered = append(c.unanswered[:0], sent{verb: "RETR"})
				if _, err := c.ok(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A2, A7: whatever a server says in a log-in, it ends, within bounds, in step or with the
// connection given up; and the secret is in nothing that is shown.
func FuzzAuth(f *testing.F) {
	f.Add("+OK\r\n", uint8(0))
	f.Add("+ \r\n+ eyJzdGF0dXMiOiI0MDEifQ==\r\n-ERR [AUTH] no\r\n", uint8(1))
	f.Add("-ERR syntax\r\n+\r\n-ERR czNjcmV0LXcwcmQtdGhhdC1pcy1sb25n\r\n", uint8(2))
	f.Add("+ cj1meWtv\r\n-ERR s3cret-w0rd-that-is-long\r\n", uint8(3))
	names := []string{"plain", "xoauth2", "login", "scram-sha-256", "cram-md5", "oauthbearer", "external"}
	const secret = "s3cret-w0rd-that-is-long"
	f.Fuzz(func(t *testing.T, said string, which uint8) {
		wire := &sayer{said: said}
		var shown strings.Builder
		c := &Client{c: newConn(wire, time.Minute, func(l string) { shown.WriteString(l + "\n") })}
		c.conceal("alice", secret)
		err := c.Auth(t.Context(), client(names[int(which)%len(names)], "alice", secret))
		if err != nil {
			shown.WriteString(err.Error())
		}
		if err == nil && !strings.Contains(said, "+OK") {
			t.Error("logged in without +OK")
		}
		if strings.Contains(strings.ToLower(shown.String()), secret) || strings.Contains(shown.String(), aligned(secret)[0]) {
			t.Errorf("the secret is shown: %q", shown.String())
		}
		if lines := strings.Count(wire.heard.String(), "\r\n"); lines > 2+mostChallenges {
			t.Errorf("%d lines were sent", lines)
		}
	})
}

// A sayer is a connection to a server that says something and hears everything.
type sayer struct {
	net.Conn
	said  string
	heard strings.Builder
}

// Read gives one line at a time: a server that says more than it is asked for is another matter.
func (s *sayer) Read(b []byte) (int, error) {
	if s.said == "" {
		return 0, net.ErrClosed
	}
	end := strings.IndexByte(s.said, '\n') + 1
	if end == 0 {
		end = len(s.said)
	}
	n := copy(b, s.said[:end])
	s.said = s.said[n:]
	return n, nil
}

func (s *sayer) Write(b []byte) (int, error) { return s.heard.Write(b) }
func (*sayer) SetDeadline(time.Time) error   { return nil }
