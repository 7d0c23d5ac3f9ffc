package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"popsync/fetch/mechanism"
	"popsync/internal/poptest"
)

// wantNothingInClear says whether neither user name nor password went over the line in clear.
func (w *world) wantNothingInClear() {
	w.Helper()
	for _, s := range w.server.Sessions() {
		for _, word := range []string{"alice", password} {
			if bytes.Contains(s.Clear, []byte(word)) {
				w.Errorf("%q was sent in clear:\n%s", word, s)
			}
		}
	}
}

func TestFetchOverTLS(t *testing.T) {
	ca := poptest.NewCA(t)
	for name, security := range map[string]Security{"implicit": ImplicitTLS, "STLS": StartTLS} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{TLS: ca.Config(poptest.Good), STLS: security == StartTLS})
			w.overTLS(ca, security)
			w.add(1, 3)
			w.good(3)
			w.wantMail(letters(1, 3))
			w.wantNothingInClear()
			if security == StartTLS { // T2: capabilities are forgotten and asked again
				if n := len(w.last().Args("CAPA")); n != 3 {
					t.Errorf("%d times CAPA", n)
				}
			}
		})
	}
}

// A poll resumes the TLS session of the one before, and looks at the server's certificate all the same.
func TestResumedSessionIsChecked(t *testing.T) {
	ca := poptest.NewCA(t)
	w := newWorld(t, poptest.Options{TLS: ca.Config(poptest.Good), Tickets: true})
	w.overTLS(ca, ImplicitTLS)
	var resumed []bool
	wrong := &PinError{}
	trusted := true
	w.account.Server.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	w.account.Server.TLS.VerifyConnection = func(state tls.ConnectionState) error {
		resumed = append(resumed, state.DidResume)
		if !trusted || len(state.PeerCertificates) == 0 || len(state.VerifiedChains) == 0 {
			return wrong
		}
		return nil
	}
	w.add(1, 1)
	w.good(1)
	w.good(0)
	trusted = false
	r := w.poll()
	if r.Err == nil || !errors.Is(r.Err, wrong) {
		t.Errorf("a server that is not trusted any more: %v", r.Err)
	}
	if !slices.Equal(resumed, []bool{false, true, true}) {
		t.Errorf("resumed: %v", resumed)
	}
	w.wantNothingInClear()
}

// T1: STLS once chosen is required, and not one byte of the log-in has been sent without it.
func TestStartTLSIsRequired(t *testing.T) {
	ca := poptest.NewCA(t)
	for name, c := range map[string]struct {
		verb string
		do   poptest.Action
	}{
		"not announced":        {"CAPA", poptest.Send("+OK\r\nUIDL\r\n.\r\n")},
		"CAPA refused":         {"CAPA", poptest.Send("-ERR\r\n")},
		"CAPA cut":             {"CAPA", poptest.Cut},
		"CAPA half":            {"CAPA", poptest.Seq(poptest.Send("+OK\r\nSTLS\r\n"), poptest.Stall)},
		"refused":              {"STLS", poptest.Send("-ERR no TLS here\r\n")},
		"silent":               {"STLS", poptest.Stall},
		"closed":               {"STLS", poptest.Cut},
		"answered in clear":    {"STLS", poptest.Send("+OK begin\r\n")},
		"T2 answered at once":  {"STLS", poptest.Send("+OK begin\r\n+OK logged in\r\n")},
		"neither +OK nor -ERR": {"STLS", poptest.Send("begin\r\n")},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, poptest.Options{TLS: ca.Config(poptest.Good), STLS: true}, func(t *testing.T, w *world) {
				w.overTLS(ca, StartTLS)
				w.add(1, 1)
				w.server.Hook(c.verb, poptest.Always(c.do))
				if r := w.poll(); r.Err == nil || r.Err.Hint == "" {
					t.Errorf("%v", r.Err)
				}
				w.wantMail(nil)
				w.wantNothingInClear()
			})
		})
	}
}

// T3: certificates that prove nothing are refused before the log-in, with what is wrong, the
// SHA-256 to compare and how to trust it properly.
func TestCertificatesAreChecked(t *testing.T) {
	for kind, words := range map[poptest.Kind]string{
		poptest.Expired:     "it expired at 1996",
		poptest.NotYetValid: "it is not valid before 2090",
		poptest.WrongName:   "it is for other.example, not for localhost",
		poptest.Suffix:      "not for localhost",
		poptest.NameInCN:    "the common name alone",
		poptest.NULInName:   "not for localhost",
		poptest.Wildcard:    "it is for *, not for localhost",
		poptest.Partial:     "not for localhost",
		poptest.SelfSigned:  "it is signed by itself",
		poptest.OddSubject:  "not for localhost",
	} {
		for _, security := range []Security{ImplicitTLS, StartTLS} {
			t.Run(string(kind), func(t *testing.T) {
				ca := poptest.NewCA(t)
				config := ca.Config(kind)
				w := newWorld(t, poptest.Options{TLS: config, STLS: security == StartTLS})
				w.overTLS(ca, security)
				w.add(1, 1)
				sum := sha256.Sum256(config.Certificates[0].Certificate[0])
				r := w.poll()
				if r.Err == nil || r.Err.Kind != Unreachable {
					t.Fatalf("%v", r.Err)
				}
				for _, word := range []string{"certificate", words, hex.EncodeToString(sum[:]), "tls_fingerprint"} {
					if text := r.Err.Error() + r.Err.Hint; !strings.Contains(text, word) {
						t.Errorf("the error does not say %q: %s", word, text)
					}
				}
				w.wantNothingInClear()
				for _, s := range w.server.Sessions() {
					if len(s.Args("USER"))+len(s.Args("PASS")) > 0 {
						t.Error("a log-in was sent")
					}
				}
			})
		}
	}
	t.Run("unknown CA", func(t *testing.T) {
		w := newWorld(t, poptest.Options{TLS: poptest.NewCA(t).Config(poptest.Good)})
		w.overTLS(poptest.NewCA(t), ImplicitTLS)
		if r := w.poll(); r.Err == nil || !strings.Contains(r.Err.Error(), "is not trusted") || !strings.Contains(r.Err.Hint, "tls_ca_file") {
			t.Errorf("%v", r.Err)
		}
	})
}

// T4: a pin accepts exactly that certificate or key, also one signed by itself; another one is
// refused although a CA vouches for it, and both are named.
func TestPins(t *testing.T) {
	ca := poptest.NewCA(t)
	for _, kind := range []poptest.Kind{poptest.SelfSigned, poptest.Expired, poptest.Good} {
		config := ca.Config(kind)
		leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		good := map[string]Pin{"certificate": sha256.Sum256(leaf.Raw), "key": sha256.Sum256(leaf.RawSubjectPublicKeyInfo)}
		for what, pin := range good {
			w := newWorld(t, poptest.Options{TLS: config})
			w.overTLS(ca, ImplicitTLS)
			Pinned(w.account.Server.TLS, []Pin{{1, 2, 3}, pin})
			if r := w.poll(); r.Err != nil {
				t.Errorf("%s, pinned by its %s: %v", kind, what, r.Err)
			}
		}
		w := newWorld(t, poptest.Options{TLS: config})
		w.overTLS(ca, ImplicitTLS)
		other := Pin{1, 2, 3}
		Pinned(w.account.Server.TLS, []Pin{other})
		r := w.poll()
		if r.Err == nil || r.Err.Kind != Unreachable || !strings.Contains(r.Err.Error(), other.String()) || !strings.Contains(r.Err.Error(), good["certificate"].String()) {
			t.Errorf("%s, pinned to another one: %v", kind, r.Err)
		}
		w.wantNothingInClear()
	}
}

// T5: a server with TLS 1.0 or 1.1 only gets a refusal that can be read.
func TestOldTLSIsRefused(t *testing.T) {
	ca := poptest.NewCA(t)
	config := ca.Config(poptest.Good)
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	w := newWorld(t, poptest.Options{TLS: config})
	w.overTLS(ca, ImplicitTLS)
	r := w.poll()
	if r.Err == nil || r.Err.Kind != Unreachable || !strings.Contains(r.Err.Hint, "TLS 1.2") {
		t.Errorf("%v; %+v", r.Err, r.Err)
	}
}

// T5: the name of the server is always told, and an IP address works as host.
func TestServerNameIsSent(t *testing.T) {
	ca := poptest.NewCA(t)
	w := newWorld(t, poptest.Options{TLS: ca.Config(poptest.Good)})
	w.overTLS(ca, ImplicitTLS)
	w.good(0)
	if name := w.last().TLS.ServerName; name != "localhost" {
		t.Errorf("SNI %q", name)
	}
	w.account.Server.Host, w.account.Server.TLS.ServerName = "127.0.0.1", "127.0.0.1"
	w.good(0)
}

// A plain server behind tls: implicit, and a TLS server behind tls: none, are told apart.
func TestWrongKindOfTLS(t *testing.T) {
	ca := poptest.NewCA(t)
	w := newWorld(t, poptest.Options{})
	w.overTLS(ca, ImplicitTLS)
	if r := w.poll(); r.Err == nil || !strings.Contains(r.Err.Error()+r.Err.Hint, "starttls") {
		t.Errorf("plain server: %v", r.Err)
	}
	w = newWorld(t, poptest.Options{TLS: ca.Config(poptest.Good)})
	w.bad(Unreachable, "tls: implicit")
}

// T7: tls: none sends nothing to anything but loopback: the address connected to counts.
func TestCleartextStaysOnThisMachine(t *testing.T) {
	addr := outsideAddress(t)
	w := newWorld(t, poptest.Options{Listener: listen(t, addr)})
	w.account.Server.Host = addr
	w.bad(Config, "allow_cleartext", addr)
	w.wantNothingInClear()
	w.account.Server.AllowCleartext = true
	w.bad(Refused, "in the clear", "auth: user") // A1: auto never shows the password there
	w.wantNothingInClear()
	w.account.Auth = mechanism.User
	w.good(0)
}

// outsideAddress is an address of this machine that is not loopback.
func outsideAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}

func listen(t *testing.T, host string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// An unknown host and a closed port are told in words, with the address.
func TestUnreachable(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.server.Close()
	w.bad(Unreachable, "connect", "connection refused")
	w.account.Server.Host = "pop.invalid"
	if r := w.poll(); r.Err == nil || r.Err.Kind != Unreachable || r.Err.Step != "connect" {
		t.Errorf("%v", r.Err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := t.TempDir() + "/pop3"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, poptest.Options{Listener: l})
	w.account.Server.Host, w.account.Server.Port = "unix:"+path, 0
	w.add(1, 2)
	w.good(2)
}

func TestCheckLooksAndFetchesNothing(t *testing.T) {
	ca := poptest.NewCA(t)
	w := newWorld(t, poptest.Options{TLS: ca.Config(poptest.Good)})
	w.overTLS(ca, ImplicitTLS)
	w.add(1, 3)
	p, failed := Check(context.Background(), w.account, nil)
	if failed != nil {
		t.Fatal(failed)
	}
	if p.TLSVersion != "TLS 1.3" || p.Messages != 3 || p.UIDs != 3 || p.Bytes == 0 || len(p.Capabilities) == 0 || p.Certificate == nil {
		t.Errorf("%+v", p)
	}
	for _, verb := range []string{"RETR", "TOP", "DELE"} {
		if len(w.last().Args(verb)) > 0 {
			t.Errorf("%s was sent", verb)
		}
	}
	w.server.Hook("PASS", poptest.Always(poptest.Send("-ERR [AUTH] no\r\n")))
	if _, failed := Check(context.Background(), w.account, nil); failed == nil || failed.Kind != Refused || errors.Unwrap(failed) == nil {
		t.Errorf("%v", failed)
	}
}
