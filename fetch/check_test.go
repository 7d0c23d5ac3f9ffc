package fetch

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"popsync/fetch/pop3"
	"popsync/internal/poptest"
	"popsync/internal/secret"
)

// probe is what a check of the world's account shows.
func (w *world) probe() (Probe, *Error) {
	w.Helper()
	probes, errs := w.poller().Check(w.Context(), []Account{w.account})
	return probes[0], errs[0]
}

func TestCheckTellsOfTheCertificate(t *testing.T) {
	ca := poptest.NewCA(t)
	config := ca.Config(poptest.Good)
	leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, security := range []Security{ImplicitTLS, StartTLS} {
		for _, pinned := range []bool{false, true} {
			w := newWorld(t, poptest.Options{TLS: config, STLS: security == StartTLS})
			w.overTLS(ca, security)
			w.account.Timeout = time.Minute
			if pinned {
				Pinned(w.account.Server.TLS, []Pin{sha256.Sum256(leaf.Raw)})
			}
			p, failed := w.probe()
			if failed != nil {
				t.Fatal(failed)
			}
			if p.CertPin != sha256.Sum256(leaf.Raw) || p.KeyPin != sha256.Sum256(leaf.RawSubjectPublicKeyInfo) {
				t.Errorf("fingerprints %v, %v", p.CertPin, p.KeyPin)
			}
			if p.Verified == pinned || p.TLSVersion != "TLS 1.3" || p.Exposed || len(p.Chain) == 0 || p.End().IsZero() {
				t.Errorf("pinned %v: %+v", pinned, p)
			}
		}
	}
}

// T1, T3: a server that cannot be trusted is not logged in to, and what was seen until then is told.
func TestCheckTellsWhatItSawBeforeAFailure(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: []string{"SASL PLAIN", "UIDL", "IMPLEMENTATION odd"}})
	w.account.Timeout = time.Minute
	w.server.Hook("PASS", poptest.Always(poptest.Send("-ERR [AUTH] no\r\n")))
	w.server.Hook("AUTH", poptest.Always(poptest.Send("-ERR [AUTH] no\r\n")))
	p, failed := w.probe()
	if failed == nil || failed.Kind != Refused || p.LoggedIn || p.Listed {
		t.Fatalf("%v; %+v", failed, p)
	}
	if !slices.Equal(p.Mechanisms, []string{"PLAIN"}) || p.Mechanism != "PLAIN" || len(p.Offered) != 3 {
		t.Errorf("%+v", p)
	}
	w.account.Server.Host = "pop.invalid"
	if p, failed := w.probe(); failed == nil || p.Address != "" || len(p.Mechanisms) > 0 || Advice(p, w.account) != nil {
		t.Errorf("%v; %+v", failed, p)
	}
	w.account.Password = func(context.Context) (secret.Value, error) { return secret.Value{}, errors.New("no such file") }
	if _, failed := w.probe(); failed == nil || failed.Step != "password" {
		t.Errorf("%v", failed)
	}
}

func TestCheckTellsOfTheServer(t *testing.T) {
	before := []string{"USER", "STLS", "pipelining"}
	after := []string{
		"UIDL", "login-delay 300 USER", "EXPIRE 7 USER", "IMPLEMENTATION Odd POP3 \x1b[31m", "UTF8 USER", "X-Google-RICO",
	}
	for name, pipelined := range map[string]bool{"pipelined": true, "one command at a time": false} {
		t.Run(name, func(t *testing.T) {
			o := poptest.Options{
				Capabilities: before, CapabilitiesAfter: slices.Clone(after), SASL: []string{"PLAIN", "CRAM-MD5"},
				Stamp: "<1896.697170952@example.org>",
			}
			if pipelined {
				o.CapabilitiesAfter = append(o.CapabilitiesAfter, "PIPELINING")
			}
			inBubble(t, o, func(t *testing.T, w *world) {
				w.add(1, 3)
				w.box.Add("uid-1", []byte(letter(4)))
				w.box.Add("", []byte(letter(5)))
				p, failed := w.probe()
				if failed != nil {
					t.Fatal(failed)
				}
				if !slices.Equal(p.Offered, append(slices.Clip(before), "SASL PLAIN CRAM-MD5")) || !slices.Equal(p.Capabilities, o.CapabilitiesAfter) {
					t.Errorf("before %q, after %q", p.Offered, p.Capabilities)
				}
				if !slices.Equal(p.Mechanisms, []string{"PLAIN", "CRAM-MD5", "APOP", "USER"}) || p.Mechanism != "CRAM-MD5" {
					t.Errorf("mechanisms %q, taken %q", p.Mechanisms, p.Mechanism)
				}
				if p.Implementation != "Odd POP3 \x1b[31m" || p.LoginDelay != 300*time.Second || p.Expire != "7" || !p.UTF8 || !p.STLS || !p.QuitCommits {
					t.Errorf("%+v", p)
				}
				if p.Pipelining != pipelined || p.Pipelines != pipelined {
					t.Errorf("pipelining %v, announced %v", p.Pipelining, p.Pipelines)
				}
				if p.Messages != 5 || p.UIDs != 4 || p.Shared != 2 || p.EmptyUID != 1 || p.Counted != 5 || p.Largest == 0 || p.Bytes == 0 {
					t.Errorf("%+v", p)
				}
				for _, verb := range []string{"RETR", "TOP", "DELE"} {
					if len(w.last().Args(verb)) > 0 {
						t.Errorf("%s was sent", verb)
					}
				}
			})
		})
	}
}

// An odd listing is counted and no failure.
func TestCheckCountsWhatIsOdd(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.server.Hook("UIDL", poptest.Always(poptest.Send("+OK\r\n1 a\r\n2 b\r\n2 c\r\nx\r\n3 \xfc\r\n.\r\n")))
		w.server.Hook("LIST", poptest.Always(poptest.Send("+OK\r\n1 2000\r\n.\r\n")))
		w.server.Hook("STAT", poptest.Always(poptest.Send("+OK 9 99999\r\n")))
		w.account.MaxMessageSize = 1000
		p, failed := w.probe()
		if failed != nil {
			t.Fatal(failed)
		}
		if p.Messages != 2 || p.OddLines != 3 || p.Counted != 9 || p.TooLarge != 1 || p.Unsized != 1 || p.StrangeID != 1 {
			t.Errorf("%+v", p)
		}
		if advice := strings.Join(Advice(p, w.account), "\n"); strings.Count(advice, "\n") != 3 {
			t.Errorf("advice:\n%s", advice)
		}
	})
}

// A server without CAPA is as good as any.
func TestCheckOfAPlainServer(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.server.Hook("CAPA", poptest.Always(poptest.Send("-ERR\r\n")))
		w.add(1, 2)
		p, failed := w.probe()
		if failed != nil || p.Mechanism != "USER" || len(p.Mechanisms) > 0 || p.Messages != 2 || p.Pipelining || p.Expire != "" {
			t.Errorf("%v; %+v", failed, p)
		}
		if advice := Advice(p, w.account); advice != nil {
			t.Errorf("advice: %q", advice)
		}
	})
}

// Servers announce in any case and with blanks around it; APOP is offered by the greeting alone.
func TestMechanisms(t *testing.T) {
	offered := pop3.Capabilities{SASL: []string{"PLAIN"}, Lines: []string{"sasl PLAIN", " user ", "USERS"}}
	if got := mechanisms(offered, true); !slices.Equal(got, []string{"PLAIN", "APOP", "USER"}) {
		t.Errorf("%q", got)
	}
	if got := mechanisms(pop3.Capabilities{Lines: []string{"USERS", ""}}, false); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

func TestExpiry(t *testing.T) {
	for line, want := range map[string]string{
		"EXPIRE NEVER": "NEVER", "expire never": "NEVER", "EXPIRE 0": "0", "EXPIRE 30 USER": "30",
		"EXPIRENEVER": "", "EXPIRE": "", "EXPIRE \x1b[31m7": "", "EXPIRE -1": "", "UIDL": "",
	} {
		if got := expiry([]string{"TOP", line}); got != want {
			t.Errorf("%q means %q, want %q", line, got, want)
		}
	}
}

// What Gmail announces leads to the advice that its users need, and a look has no effect there.
func TestCheckOfGmail(t *testing.T) {
	inBubble(t, poptest.Gmail(250), func(t *testing.T, w *world) {
		w.add(1, 3)
		w.account.Interval, w.account.Keep.Delete = 2*time.Minute, false
		for range 2 {
			p, failed := w.probe()
			if failed != nil || p.Messages != 3 {
				t.Fatalf("%v; %+v", failed, p)
			}
			advice := strings.Join(Advice(p, w.account), "\n")
			for _, word := range []string{"interval: 2m is shorter than the 5m", "recent:"} {
				if !strings.Contains(advice, word) {
					t.Errorf("the advice does not say %q:\n%s", word, advice)
				}
			}
			if strings.Contains(advice, "EXPIRE") {
				t.Errorf("Gmail's EXPIRE 0 deletes nothing:\n%s", advice)
			}
		}
	})
}
