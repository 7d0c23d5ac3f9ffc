package poptest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestKindsOfCertificates(t *testing.T) {
	tests := []struct {
		kind Kind
		want string // of the error
	}{
		{Good, ""},
		{Expired, "expired"},
		{NotYetValid, "not yet valid"},
		{WrongName, "not localhost"},
		{Suffix, "not localhost"},
		{NameInCN, "Common Name"},
		{NULInName, ""}, // the next test
		{Wildcard, "not localhost"},
		{Partial, "not localhost"},
		{SelfSigned, "unknown authority"},
		{OddSubject, "not localhost"},
		{Client, "key usage"},
	}
	ca := NewCA(t)
	if len(tests) != len(kinds) {
		t.Errorf("%d kinds, %d tests", len(kinds), len(tests))
	}
	for _, test := range tests {
		t.Run(string(test.kind), func(t *testing.T) {
			if test.kind == NULInName {
				t.Skip("refused in a way of its own")
			}
			s := New(t, Options{TLS: ca.Config(test.kind)})
			mailbox(s, "alice")
			c := dial(t, s).secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
			err := c.Conn.(*tls.Conn).Handshake()
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c.logIn("alice")
			got := s.Sessions()[0]
			if got.TLS == nil || got.TLS.ServerName != "localhost" || len(got.Clear) > 0 {
				t.Errorf("recorded: %+v, in clear %q", got.TLS, got.Clear)
			}
		})
	}
}

func TestNULInNameIsRefused(t *testing.T) {
	ca := NewCA(t)
	s := New(t, Options{TLS: ca.Config(NULInName)})
	c := dial(t, s).secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	if err := c.Conn.(*tls.Conn).Handshake(); err == nil {
		t.Fatal("taken")
	}
	if got := ended(t, s, 1); got.TLSError == nil {
		t.Error("no error recorded")
	}
}

func TestCAFile(t *testing.T) {
	ca := NewCA(t)
	text, err := os.ReadFile(ca.File)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) || !pool.Equal(ca.Pool()) {
		t.Errorf("another CA in its file:\n%s", text)
	}
}

func TestFilesAndFingerprints(t *testing.T) {
	ca := NewCA(t)
	cert := ca.Issue(Client)
	certFile, keyFile, err := ca.Files(cert)
	if err != nil {
		t.Fatal(err)
	}
	read, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if Fingerprint(read) != Fingerprint(cert) || KeyFingerprint(read) != KeyFingerprint(cert) {
		t.Error("other fingerprints")
	}
	if len(Fingerprint(cert)) != len("sha256:")+64 || Fingerprint(cert) == KeyFingerprint(cert) {
		t.Errorf("fingerprints %s, %s", Fingerprint(cert), KeyFingerprint(cert))
	}
}

func TestTLSVersionLimit(t *testing.T) {
	ca := NewCA(t)
	config := ca.Config(Good)
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	s := New(t, Options{TLS: config})
	c := dial(t, s).secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	if err := c.Conn.(*tls.Conn).Handshake(); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
}

func TestSTLS(t *testing.T) {
	ca := NewCA(t)
	s := New(t, Options{TLS: ca.Config(Good), STLS: true})
	mailbox(s, "alice")
	c := dial(t, s)
	c.talk(`
		S: +OK POP3 server ready
		C: CAPA
		S: +OK capabilities follow
		S: TOP
		S: UIDL
		S: USER
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: PIPELINING
		S: STLS
		S: .
		C: USER mallory
		S: +OK
		C: STLS
		S: +OK begin TLS
	`)
	c = c.secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	c.talk(`
		C: PASS secret
		S: -ERR USER first
		C: STLS
		S: -ERR no TLS here
		C: USER alice
		S: +OK
		C: PASS secret
		S: +OK 0 messages
		C: STLS
		S: -ERR not in this state
		C: QUIT
		S: +OK bye
		S: EOF
	`)
	got := ended(t, s, 1)
	if want := "CAPA\r\nUSER mallory\r\nSTLS\r\n"; string(got.Clear) != want {
		t.Errorf("in clear %q, want %q", got.Clear, want)
	}
	if got.Commands[2].TLS || !got.Commands[3].TLS {
		t.Errorf("recorded: %+v", got.Commands)
	}
}

func TestClearTextBehindSTLSIsDropped(t *testing.T) {
	ca := NewCA(t)
	s := New(t, Options{TLS: ca.Config(Good), STLS: true})
	mailbox(s, "alice")
	c := dial(t, s)
	c.expect("+OK POP3 server ready")
	c.send("STLS\r\nUSER mallory\r\n")
	c.expect("+OK begin TLS")
	c = c.secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
	c.talk(`
		C: NOOP
		S: -ERR not in this state
	`)
	if got := s.Sessions()[0]; got.Dropped != len("USER mallory\r\n") {
		t.Errorf("dropped %d octets:\n%s", got.Dropped, got)
	}
}

func TestRefusedSTLSGoesOnInClear(t *testing.T) {
	s := New(t, Options{TLS: NewCA(t).Config(Good), STLS: true})
	mailbox(s, "alice")
	s.Hook("STLS", Always(Send("-ERR not today\r\n")))
	c := dial(t, s)
	c.expect("+OK POP3 server ready")
	c.send("STLS\r\nUSER alice\r\n")
	c.talk(`
		S: -ERR not today
		S: +OK
		C: PASS secret
		S: +OK 0 messages
	`)
}

func TestInjectionBehindSTLS(t *testing.T) {
	ca := NewCA(t)
	s := New(t, Options{TLS: ca.Config(Good), STLS: true})
	s.Hook("STLS", Always(Seq(Send("+OK begin TLS\r\n+OK injected\r\n"), StartTLS)))
	c := dial(t, s)
	c.talk(`
		S: +OK POP3 server ready
		C: STLS
		S: +OK begin TLS
		S: +OK injected
	`)
	if err := c.secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}).Conn.(*tls.Conn).Handshake(); err != nil {
		t.Error(err)
	}
}

func TestTLSEndsWithAndWithoutCloseNotify(t *testing.T) {
	const alert = 21 // the type of a record of TLS 1.2, which hides it less than 1.3
	ca := NewCA(t)
	tests := []struct {
		name string
		end  Action
		want bool
	}{
		{"with", Cut, true},
		{"without", CutTLS, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(t, Options{TLS: ca.Config(Good)})
			mailbox(s, "alice", "0123456789\r\n")
			s.Hook("RETR", Always(After(17, test.end)))
			c := dial(t, s)
			var wire bytes.Buffer
			c.Conn = tee{c.Conn, &wire}
			c = c.secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MaxVersion: tls.VersionTLS12})
			c.logIn("alice")
			c.send("RETR 1\r\n")
			if got, err := c.rest(); got != "+OK 12 octets\r\n01" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			if got := lastRecord(wire.Bytes()) == alert; got != test.want {
				t.Errorf("close_notify: %v, want %v", got, test.want)
			}
		})
	}
}

// A tee keeps what was read.
type tee struct {
	net.Conn
	w io.Writer
}

func (t tee) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.w.Write(p[:n])
	return n, err
}

// lastRecord is the type of the last TLS record on the wire.
func lastRecord(wire []byte) (kind byte) {
	for len(wire) >= 5 {
		kind = wire[0]
		wire = wire[5+int(wire[3])<<8+int(wire[4]):]
	}
	return kind
}

func TestClientCertificateIsRecorded(t *testing.T) {
	ca := NewCA(t)
	config := ca.Config(Good)
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	s := New(t, Options{TLS: config})
	cert := ca.Issue(Client)
	dial(t, s).secure(&tls.Config{
		RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{cert},
	}).expect("+OK POP3 server ready")
	state := s.Sessions()[0].TLS
	if len(state.PeerCertificates) != 1 || !state.PeerCertificates[0].Equal(parsed(t, cert)) {
		t.Errorf("recorded: %d certificates", len(state.PeerCertificates))
	}
}

func parsed(t *testing.T, cert tls.Certificate) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTLSInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := NewCA(t)
		s := NewPipe(t, Options{TLS: ca.Config(Good), STLS: true})
		mailbox(s, "alice")
		c := newClient(t, s.Pipe())
		c.talk(`
			S: +OK POP3 server ready
			C: STLS
			S: +OK begin TLS
		`)
		c = c.secure(&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"})
		c.send("USER alice\r\nPASS secret\r\n")
		c.talk(`
			S: +OK
			S: +OK 0 messages
		`)
	})
}

func TestSilentHandshake(t *testing.T) {
	s := New(t, Options{TLS: NewCA(t).Config(Good)})
	s.Hook(Accept, Always(Stall))
	c := dial(t, s)
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d octets, %v", n, err)
	}
	c.Close()
	if diff := cmp.Diff([]string{}, ended(t, s, 1).Verbs()); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}
