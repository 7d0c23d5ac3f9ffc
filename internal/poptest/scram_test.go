package poptest

import (
	"crypto/tls"
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/xdg-go/scram"
)

// A1: -PLUS binds to the connection, in every kind and version.
func TestChannelBindings(t *testing.T) {
	ca := NewCA(t)
	tests := []struct {
		name    string
		version uint16
		kind    string
		bind    func(*tls.ConnectionState) (scram.ChannelBinding, error)
	}{
		{"exporter, TLS 1.3", tls.VersionTLS13, TLSExporter, scram.NewTLSExporterBinding},
		{"exporter, TLS 1.2", tls.VersionTLS12, TLSExporter, scram.NewTLSExporterBinding},
		{"end point, TLS 1.3", tls.VersionTLS13, TLSServerEndPoint, scram.NewTLSServerEndpointBinding},
		{"end point, TLS 1.2", tls.VersionTLS12, TLSServerEndPoint, scram.NewTLSServerEndpointBinding},
		{"unique, TLS 1.2", tls.VersionTLS12, TLSUnique, func(state *tls.ConnectionState) (scram.ChannelBinding, error) {
			return scram.NewTLSUniqueBinding(state.TLSUnique), nil
		}},
	}
	for _, test := range tests {
		for _, mechanism := range []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"} {
			t.Run(test.name+", "+mechanism, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := NewPipe(t, Options{TLS: ca.Config(Good), SASL: allMechanisms, Auth: Auth{SCRAMErrors: true}})
					mailbox(s, "alice")
					c, state := secured(t, s, ca, test.version)
					binding, err := test.bind(state)
					if err != nil {
						t.Fatal(err)
					}
					other := binding
					other.Data = append([]byte("x"), binding.Data...)
					if got := c.auth(scramClient(mechanism, "alice", "secret", &other), true); got != aborted {
						t.Errorf("with a wrong binding: %q", got)
					}
					if got := c.auth(scramClient(mechanism, "alice", "secret", &binding), true); got != "+OK 0 messages" {
						t.Errorf("with the right binding: %q", got)
					}
					if got := s.Sessions()[0].Attempts[1]; got.Binding != test.kind || got.User != "alice" || got.Mechanism != mechanism {
						t.Errorf("recorded: %+v", got)
					}
				})
			})
		}
	}
}

func secured(t *testing.T, s *Server, ca *CA, version uint16) (*client, *tls.ConnectionState) {
	t.Helper()
	c := newClient(t, s.Pipe()).secure(&tls.Config{
		RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: version, MaxVersion: version,
	})
	c.expect("+OK POP3 server ready")
	state := c.Conn.(*tls.Conn).ConnectionState()
	return c, &state
}

// A1: how -PLUS is refused, and a list that was changed on its way.
func TestBindingFlags(t *testing.T) {
	ca := NewCA(t)
	tests := []struct {
		name, mechanism, first string
		auth                   Auth
		sasl                   []string
		want                   string
	}{
		{"-PLUS without binding", "SCRAM-SHA-1-PLUS", "n,,n=alice,r=abc", Auth{}, allMechanisms, "server-does-support-channel-binding"},
		{"y although there is -PLUS", "SCRAM-SHA-1", "y,,n=alice,r=abc", Auth{}, allMechanisms, "server-does-support-channel-binding"},
		{"y where there is none", "SCRAM-SHA-1", "y,,n=alice,r=abc", Auth{}, []string{"SCRAM-SHA-1"}, ""},
		{"binding without -PLUS", "SCRAM-SHA-1", "p=tls-exporter,,n=alice,r=abc", Auth{}, allMechanisms, "channel-binding-not-supported"},
		{"unknown kind", "SCRAM-SHA-1-PLUS", "p=tls-odd,,n=alice,r=abc", Auth{}, allMechanisms, "unsupported-channel-binding-type"},
		{"kind of TLS 1.2", "SCRAM-SHA-1-PLUS", "p=tls-unique,,n=alice,r=abc", Auth{}, allMechanisms, "unsupported-channel-binding-type"},
		{"kind that is not wanted", "SCRAM-SHA-1-PLUS", "p=tls-exporter,,n=alice,r=abc", Auth{Bindings: []string{TLSServerEndPoint}}, allMechanisms, "unsupported-channel-binding-type"},
		{"somebody else", "SCRAM-SHA-1", "n,a=bob,n=alice,r=abc", Auth{}, allMechanisms, "other-error"},
		{"bad name", "SCRAM-SHA-1", "n,,n=al=2cice,r=abc", Auth{}, allMechanisms, "invalid-username-encoding"},
		{"extension", "SCRAM-SHA-1", "n,,m=x,n=alice,r=abc", Auth{}, allMechanisms, "other-error"},
		{"name with comma", "SCRAM-SHA-1", "n,,n=a=2Cb=3D,r=abc", Auth{}, allMechanisms, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.auth.SCRAMErrors = true
			s := NewPipe(t, Options{TLS: ca.Config(Good), SASL: test.sasl, Auth: test.auth})
			c, _ := secured(t, s, ca, tls.VersionTLS13)
			c.send("AUTH " + test.mechanism + " " + base64.StdEncoding.EncodeToString([]byte(test.first)) + "\r\n")
			line, _ := c.r.ReadString('\n')
			raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(line, "+ ")))
			got, isError := strings.CutPrefix(string(raw), "e=")
			if err != nil || isError != (test.want != "") || isError && got != test.want {
				t.Errorf("%q, %q, %v", line, raw, err)
			}
		})
	}
}

// A3: what a server of SCRAM may do to a client.
func TestDishonestSCRAM(t *testing.T) {
	tests := []struct {
		name      string
		auth      Auth
		password  string
		want      string
		cancelled bool
	}{
		{"honest", Auth{Iterations: 10_000}, "secret", "+OK 0 messages", false},
		{"nonce does not continue", Auth{ServerFirst: ForeignNonce}, "secret", aborted, true},
		{"another count", Auth{ServerFirst: Count("5000")}, "secret", "+OK 0 messages", false},
		{"too few iterations", Auth{ServerFirst: Count("1")}, "secret", aborted, true},
		{"count is no number", Auth{ServerFirst: Count("many")}, "secret", aborted, true},
		{"wrong signature", Auth{ServerFinal: WrongSignature}, "secret", aborted, true},
		{"wrong signature, and in it is", Auth{ServerFinal: WrongSignature, Insists: true}, "secret", "+OK 0 messages", true},
		{"no signature", Auth{ServerFinal: NoSignature}, "secret", "+OK 0 messages", false},
		{"refused by -ERR", Auth{}, "wrong", AuthRefused, false},
		{"refused by a message", Auth{SCRAMErrors: true}, "wrong", aborted, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewPipe(t, Options{SASL: []string{"SCRAM-SHA-256"}, Auth: test.auth})
				mailbox(s, "alice")
				c := newClient(t, s.Pipe())
				c.expect("+OK POP3 server ready")
				if got := c.auth(scramClient("SCRAM-SHA-256", "alice", test.password, nil), false); got != test.want {
					t.Errorf("got %q", got)
				}
				a := s.Sessions()[0].Attempts[0]
				if a.Cancelled != test.cancelled || a.OK != strings.HasPrefix(test.want, "+OK") {
					t.Errorf("recorded: %+v", a)
				}
			})
		})
	}
}

// A3: the server does not compute what it asks for, and lets nobody in by it.
func TestHugeCountIsNotComputed(t *testing.T) {
	s := NewPipe(t, Options{SASL: []string{"SCRAM-SHA-1"}, Auth: Auth{ServerFirst: Count("2147483648")}})
	mailbox(s, "alice")
	c := newClient(t, s.Pipe())
	c.expect("+OK POP3 server ready")
	c.send("AUTH SCRAM-SHA-1 " + base64.StdEncoding.EncodeToString([]byte("n,,n=alice,r=abc")) + "\r\n")
	line, _ := c.r.ReadString('\n')
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(line, "+ ")))
	if attribute(string(raw), "i") != "2147483648" || !strings.HasPrefix(string(raw), "r=abc") {
		t.Errorf("%q", raw)
	}
	final := "c=biws,r=" + attribute(string(raw), "r") + ",p=" + base64.StdEncoding.EncodeToString(make([]byte, 20))
	c.send(base64.StdEncoding.EncodeToString([]byte(final)) + "\r\n")
	c.expect(AuthRefused)
}

// A client that believes a foreign nonce is let in, so that its test fails.
func TestForeignNonceBelieved(t *testing.T) {
	s := NewPipe(t, Options{})
	mailbox(s, "alice")
	talk := &scramTalk{
		exchange: &exchange{Conn: &Conn{server: s}, auth: Auth{ServerFirst: ForeignNonce}},
		user:     "alice", header: "n,,", bare: "n=alice,r=abc",
	}
	talk.answerFirst("abc")
	if strings.HasPrefix(talk.nonce, "abc") || talk.nonce != attribute(talk.first, "r") || talk.rounds != 4096 {
		t.Errorf("%q, nonce %q, %d rounds", talk.first, talk.nonce, talk.rounds)
	}
}
