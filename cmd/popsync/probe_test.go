package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
	"popsync/internal/term"
)

// fullProbe is one of a server that says all that servers can say, some of it evil.
func fullProbe() probe {
	cert := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "pop\x1b[31m.example.org"},
		Issuer:    pkix.Name{CommonName: "CA"},
		DNSNames:  []string{"pop.example.org", "b\u202e"},
		NotBefore: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC),
	}
	issuer := &x509.Certificate{NotAfter: time.Date(2026, 12, 8, 0, 0, 0, 0, time.UTC)}
	return probe{Probe: fetch.Probe{
		Server: "pop.example.org:995", Address: "pop.example.org:995 by proxy 127.0.0.1:9050",
		At: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Took: 1200 * time.Millisecond,
		TLSVersion: "TLS 1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", Certificate: cert,
		Chain: []*x509.Certificate{cert, issuer}, CertPin: fetch.Pin{1}, KeyPin: fetch.Pin{2},
		Offered: []string{"STLS", "\x1b]0;x"}, Mechanisms: []string{"PLAIN", "X\x07"}, Mechanism: "PLAIN",
		LoggedIn: true, Capabilities: []string{"UIDL", "\x1b[2J"}, Implementation: "Odd\r\n", Expire: "7",
		LoginDelay: 10 * time.Minute, Pipelines: true, UTF8: true,
		Listed: true, Messages: 9, Bytes: 12345, UIDs: 8, Survey: fetch.Survey{
			Counted: 10, Largest: 9999, TooLarge: 1, Unsized: 2, OddLines: 1, NoUID: 1, EmptyUID: 1, LongUID: 2, StrangeID: 1, Unusable: 1, Shared: 2,
		},
	}}
}

func probedAccount() fetch.Account {
	return fetch.Account{
		Name: "work", User: "alice", Interval: 5 * time.Minute, MaxMessageSize: 1000,
		Server: fetch.Server{Host: "pop.example.org", Port: 995},
	}
}

func TestProbeForPeople(t *testing.T) {
	var b strings.Builder
	fullProbe().print(&b, term.Screen{}, probedAccount(), verbose)
	want := `
work  pop.example.org:995 (by proxy 127.0.0.1:9050)
  TLS           TLS 1.3, TLS_AES_128_GCM_SHA256
  certificate   CN=pop\x1b[31m.example.org
  issuer        CN=CA
  valid until   2027-06-01 (182 days)
  issuer until  2026-12-08 (7 days)
  trusted by    tls_fingerprint alone
  fingerprint   sha256:0100000000000000000000000000000000000000000000000000000000000000
  of its key    sha256:0200000000000000000000000000000000000000000000000000000000000000
  mechanisms    PLAIN, X\x07
  log-in        PLAIN
  offered       STLS, \x1b]0;x
  server        Odd\r\n
  capabilities  UIDL, \x1b[2J
  log-in delay  10 min
  mail expires  after 7 days
  pipelining    announced, not used
  messages      9 of 12 kB, the largest of 10 kB
  UIDs          8 different ones for 9 messages, 1 empty, 2 longer than 70 characters, 1 with unusual characters, 1 unusable
  took          1.2 s
  result        log-in works
`
	got, advice, _ := strings.Cut(b.String(), "  advice        ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(advice) {
		if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return r < ' ' }) {
			t.Errorf("%q", line)
		}
	}
	if n := strings.Count(advice, "\n"); n != len(fetch.Advice(fullProbe().Probe, probedAccount())) {
		t.Errorf("%d lines of advice:\n%s", n, advice)
	}
}

// What failed before anything was seen has no more than the failure.
func TestProbeThatFailed(t *testing.T) {
	p := probe{
		Probe: fetch.Probe{At: time.Now(), Survey: fetch.Survey{Counted: -1}},
		err:   &fetch.Error{Account: "work", Server: "pop.example.org:995", Step: "connect", Kind: fetch.Unreachable, Err: errors.New("no such host")},
	}
	var b strings.Builder
	p.print(&b, term.Screen{}, probedAccount(), normal)
	if want := "\nwork  pop.example.org:995\n  result        unreachable\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}

	// refused at the log-in: what the server offers is told without -v
	p.Address, p.TLSVersion, p.CipherSuite = "192.0.2.1:995", "TLS 1.2", "X"
	p.Mechanisms, p.Mechanism, p.Offered, p.Capabilities = []string{"PLAIN"}, "PLAIN", []string{"SASL PLAIN"}, []string{"SASL PLAIN"}
	p.err.Step, p.err.Kind = "log in", fetch.Refused
	b.Reset()
	p.print(&b, term.Screen{}, probedAccount(), normal)
	want := `
work  pop.example.org:995 (192.0.2.1:995)
  TLS           TLS 1.2, X
  mechanisms    PLAIN
  log-in        PLAIN
  offered       SASL PLAIN
  result        log-in refused
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// T3: a refused certificate is shown like any other, and the hint has what is to be copied.
func TestProbeOfARefusedCertificate(t *testing.T) {
	full := fullProbe()
	p := newProbe(fetch.Probe{
		Server: full.Server, Address: full.Address, At: full.At, Certificate: full.Certificate, Chain: full.Chain,
		CertPin: full.CertPin, KeyPin: full.KeyPin, Refused: "certificate refused: it is signed by itself", Survey: fetch.Survey{Counted: -1},
	}, &fetch.Error{Account: "work", Step: "TLS", Kind: fetch.Unreachable, Err: errors.New("no"), Hint: "compare", Certificates: full.Chain})
	if want := "compare; of this one it is tls_fingerprint: sha256:01" + strings.Repeat("0", 62); p.err.Hint != want {
		t.Errorf("hint %q, want %q", p.err.Hint, want)
	}
	var b strings.Builder
	narrow := term.Screen{Size: func() (int, int) { return 40, 24 }}
	p.print(&b, narrow, probedAccount(), normal)
	want := `
work  pop.example.org:995 (by proxy 127.0.0.1:9050)
  certificate   CN=pop\x1b[31m.example.org
  issuer        CN=CA
  valid until   2027-06-01 (182 days)
  issuer until  2026-12-08 (7 days)
  trusted by    nobody: it is signed by
                itself
  fingerprint   sha256:01` + strings.Repeat("0", 62) + `
  of its key    sha256:02` + strings.Repeat("0", 62) + `
`
	got, rest, _ := strings.Cut(b.String(), "  advice")
	if diff := cmp.Diff(want, strings.TrimSuffix(got, "  result        certificate refused\n")); diff != "" || !strings.Contains(got+rest, "  result        certificate refused\n") {
		t.Errorf("%s\n%s", diff, b.String())
	}

	j := probeJSON{}
	j.add(p, probedAccount())
	if j.tlsJSON == nil || j.Refused != "certificate refused: it is signed by itself" || j.Verified || j.CertPin != full.CertPin.String() {
		t.Errorf("%+v", j.tlsJSON)
	}
}

func TestProbeForPrograms(t *testing.T) {
	j := probeJSON{Name: "work", Server: "pop.example.org:995"}
	j.add(fullProbe(), probedAccount())
	advice := j.Advice
	j.Advice = nil
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"work","server":"pop.example.org:995","address":"pop.example.org:995 by proxy 127.0.0.1:9050",` +
		`"tls":"TLS 1.3","cipher":"TLS_AES_128_GCM_SHA256","certificate_subject":"CN=pop\\x1b[31m.example.org",` +
		`"certificate_issuer":"CN=CA","certificate_names":["pop.example.org","b\\u202e"],` +
		`"certificate_begins":"2026-06-01T00:00:00Z","certificate_expires":"2027-06-01T00:00:00Z","chain_expires":"2026-12-08T00:00:00Z",` +
		`"certificate_fingerprint":"sha256:01` + strings.Repeat("0", 62) + `","key_fingerprint":"sha256:02` + strings.Repeat("0", 62) + `",` +
		`"certificate_verified":false,"capabilities_before":["STLS","\\x1b]0;x"],"mechanisms":["PLAIN","X\\x07"],"mechanism":"PLAIN",` +
		`"capabilities":["UIDL","\\x1b[2J"],"implementation":"Odd\\r\\n","login_delay_seconds":600,"expire":"7",` +
		`"pipelining_announced":true,"pipelining_used":false,"utf8_announced":true,"quit_commits":false,` +
		`"messages":9,"bytes":12345,"largest":9999,"stat_messages":10,"too_large":1,"without_size":2,` +
		`"uids":8,"uids_shared":2,"uids_empty":1,"uids_long":2,"uids_strange":1,"uids_unusable":1,"uids_missing":1,` +
		`"uidl_odd_lines":1,"uids_are_numbers":false,"took_ms":1200}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if len(advice) == 0 {
		t.Error("no advice")
	}

	j = probeJSON{Name: "work", Server: "pop.example.org:995"}
	j.add(probe{err: &fetch.Error{Step: "connect", Kind: fetch.Unreachable, Err: errors.New("no")}}, probedAccount())
	text, _ = json.Marshal(j)
	for _, key := range []string{"messages", "tls", "took_ms", "advice", "capabilities"} {
		if strings.Contains(string(text), `"`+key+`":`) {
			t.Errorf("%s in %s", key, text)
		}
	}
}
