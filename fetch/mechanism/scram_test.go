package mechanism_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xdg-go/scram"

	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
)

// A scramServer knows SCRAM-SHA-256 and nothing else; alice's password is "secret".
type scramServer struct {
	offers  []string
	version uint16 // of TLS
	cyrus   bool   // binds to tls-unique alone, also under TLS 1.3 (Cyrus 3.6)
	began   []string
}

func (s *scramServer) lookUp(string) (scram.StoredCredentials, error) {
	client, err := scram.SHA256.NewClient("alice", "secret", "")
	if err != nil {
		return scram.StoredCredentials{}, err
	}
	return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salty salt", Iters: 4096})
}

// serve is one session in conn.
func (s *scramServer) serve(conn *tls.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	io.WriteString(conn, "+OK\r\n")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		switch words[0] {
		case "CAPA":
			io.WriteString(conn, "+OK\r\nSASL "+strings.Join(s.offers, " ")+"\r\n.\r\n")
		case "AUTH":
			s.auth(conn, r, words)
		default:
			io.WriteString(conn, "-ERR\r\n")
		}
	}
}

func (s *scramServer) auth(conn *tls.Conn, r *bufio.Reader, words []string) {
	state := conn.ConnectionState()
	bound := scram.NewTLSUniqueBinding(state.TLSUnique)
	if state.Version == tls.VersionTLS13 {
		bound, _ = scram.NewTLSExporterBinding(&state)
	}
	if s.cyrus {
		bound = scram.NewTLSUniqueBinding([]byte("finished"))
	}
	server, _ := scram.SHA256.NewServer(s.lookUp)
	conversation := server.NewConversation()
	if slices.Contains(s.offers, "SCRAM-SHA-256-PLUS") {
		conversation = server.NewConversationWithChannelBinding(bound)
	}
	said, _ := base64.StdEncoding.DecodeString(words[2])
	flag, _, _ := strings.Cut(string(said), ",")
	s.began = append(s.began, words[1]+" "+flag)
	for {
		answer, err := conversation.Step(string(said))
		if err != nil {
			io.WriteString(conn, "-ERR [AUTH] no\r\n")
			return
		}
		io.WriteString(conn, "+ "+base64.StdEncoding.EncodeToString([]byte(answer))+"\r\n")
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if conversation.Done() {
			break
		}
		said, _ = base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	}
	io.WriteString(conn, "+OK welcome\r\n")
}

// A1, A3: SCRAM against a server that knows it, bound to the TLS session and not; and where a
// server announces a binding that it cannot make.
func TestSCRAM(t *testing.T) {
	both := []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}
	for name, c := range map[string]struct {
		server   scramServer
		password string
		began    []string
		err      string
	}{
		"bound under TLS 1.3":    {scramServer{offers: both, version: tls.VersionTLS13}, "secret", []string{"SCRAM-SHA-256-PLUS p=tls-exporter"}, ""},
		"bound under TLS 1.2":    {scramServer{offers: both, version: tls.VersionTLS12}, "secret", []string{"SCRAM-SHA-256-PLUS p=tls-unique"}, ""},
		"no binding is offered":  {scramServer{offers: both[1:], version: tls.VersionTLS13}, "secret", []string{"SCRAM-SHA-256 y"}, ""},
		"Cyrus under TLS 1.3":    {scramServer{offers: both, version: tls.VersionTLS13, cyrus: true}, "secret", []string{"SCRAM-SHA-256-PLUS p=tls-exporter", "SCRAM-SHA-256 n"}, ""},
		"only a broken binding":  {scramServer{offers: both[:1], version: tls.VersionTLS13, cyrus: true}, "secret", []string{"SCRAM-SHA-256-PLUS p=tls-exporter"}, `server says "[AUTH] no"`},
		"a wrong password":       {scramServer{offers: both, version: tls.VersionTLS13}, "wrong", []string{"SCRAM-SHA-256-PLUS p=tls-exporter"}, `server says "[AUTH] no"`},
		"a wrong one, not bound": {scramServer{offers: both[1:], version: tls.VersionTLS13}, "wrong", []string{"SCRAM-SHA-256 y"}, `server says "[AUTH] no"`},
	} {
		t.Run(name, func(t *testing.T) {
			client, done := connected(t, &c.server)
			caps, err := client.Capa(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			choice, err := mechanism.Choose(mechanism.Auto, mechanism.Offer{SASL: caps.SASL, TLS: client.TLS()},
				mechanism.Credentials{User: "alice", Secret: c.password})
			if err != nil {
				t.Fatal(err)
			}
			err = client.Auth(t.Context(), choice.Client())
			if refusal, ok := errors.AsType[*pop3.ResponseError](err); c.err == "" && err != nil || c.err != "" && (!ok || refusal.Error() != c.err) {
				t.Errorf("%v", err)
			}
			done()
			if diff := cmp.Diff(c.began, c.server.began); diff != "" {
				t.Errorf("log-ins (-want +got):\n%s", diff)
			}
		})
	}
}

// connected is a client of s; done ends both.
func connected(t *testing.T, s *scramServer) (client *pop3.Client, done func()) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MaxVersion: s.version}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.serve(tls.Server(theirs, config))
	}()
	secured, err := pop3.Secure(t.Context(), ours, &tls.Config{InsecureSkipVerify: true}, time.Minute)
	if err == nil {
		client, err = pop3.NewClient(t.Context(), secured, pop3.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return client, func() { client.Close(); <-ended }
}
