package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"popsync/fetch/mechanism"
	"popsync/internal/poptest"
	"popsync/internal/secret"
	"popsync/uidl"
)

const wrong = "Wr0ng-never-to-be-shown"

// logIns is how many log-ins the server has seen.
func (w *world) logIns() int {
	n := 0
	for _, s := range w.server.Sessions() {
		n += len(s.Attempts)
	}
	return n
}

// eachMinute polls at every minute of a span, as cron does, and calls look with each result.
func (w *world) eachMinute(span time.Duration, look func(Result)) { w.each(time.Minute, span, look) }

func (w *world) each(step, span time.Duration, look func(Result)) {
	for range int(span / step) {
		look(w.poll())
		time.Sleep(step)
	}
}

// A5: a wrong password asked every minute for a day logs in three times, is told once a day, and
// recovers once the password changes.
func TestWrongPasswordForADay(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.add(1, 1)
		w.setPassword(wrong)
		told := 0
		w.eachMinute(24*time.Hour, func(r Result) {
			if r.Err == nil || r.Err.Kind != Refused {
				t.Fatalf("got %v, want a refusal at each poll", r.Err)
			}
			if !r.Err.Repeated {
				told++
			}
		})
		if n := w.logIns(); n != 3 {
			t.Errorf("%d log-ins in a day, want 3", n)
		}
		if told != 3 {
			t.Errorf("told %d times in a day, want three: once a log-in", told)
		}
		w.reopen() // a restart changes nothing
		w.each(time.Hour, 24*time.Hour, func(Result) {})
		if n := w.logIns(); n != 3 {
			t.Errorf("%d log-ins on the second day, want none", n-3)
		}
		w.setPassword(password)
		w.good(1)
		w.good(0)
	})
}

// A5: the pause that goes on says so once a day, with the server's words and the way out.
func TestPauseIsToldOnceADay(t *testing.T) {
	inBubble(t, poptest.Options{Refusal: "-ERR [AUTH] no such luck"}, func(t *testing.T, w *world) {
		w.setPassword(wrong)
		w.eachMinute(time.Hour, func(Result) {})
		told := 0
		w.each(30*time.Minute, 73*time.Hour, func(r Result) {
			if !r.Err.Repeated {
				told++
				for _, word := range []string{"3 times", "no such luck"} {
					if !strings.Contains(r.Err.Error(), word) {
						t.Errorf("the error does not say %q: %v", word, r.Err)
					}
				}
				if !strings.Contains(r.Err.Hint, "popsync fetch --now work") {
					t.Errorf("the hint does not say the way out: %s", r.Err.Hint)
				}
			}
		})
		if told != 3 {
			t.Errorf("told %d times in three days", told)
		}
	})
}

// A5: who asks is answered, and other settings are another log-in.
func TestUrgentAndChangedSettingsAskAgain(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.setPassword(wrong)
		w.each(time.Hour, 24*time.Hour, func(Result) {})
		w.poller().Fetch(t.Context(), []Account{w.account}, Request{Now: true})
		if n := w.logIns(); n != 4 {
			t.Errorf("%d log-ins after --now, want 4", n)
		}
		w.account.Auth = "user"
		w.poll()
		if n := w.logIns(); n != 5 {
			t.Errorf("%d log-ins after another setting, want 5", n)
		}
	})
}

// A5 counts verdicts on the secret alone: a server that is busy is asked at each poll.
func TestBusyServerIsAskedAgain(t *testing.T) {
	for code, kind := range map[string]Kind{"IN-USE": Busy, "LOGIN-DELAY": Busy, "SYS/TEMP": Busy} {
		inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
			w.server.Hook("PASS", poptest.Always(poptest.Send("-ERR ["+code+"] not now\r\n")))
			for range 5 {
				if r := w.poll(); r.Err == nil || r.Err.Kind != kind || r.Err.Repeated {
					t.Errorf("%s: got %v", code, r.Err)
				}
				time.Sleep(time.Minute)
			}
			if n := w.logIns(); n != 5 {
				t.Errorf("%s: %d log-ins in 5 polls", code, n)
			}
		})
	}
}

// P3: an announced LOGIN-DELAY is waited for where little of it is left, and otherwise the poll
// asks nothing and is no failure.
func TestLoginDelay(t *testing.T) {
	caps := append(poptest.Capabilities(), "LOGIN-DELAY 300")
	inBubble(t, poptest.Options{Capabilities: caps}, func(t *testing.T, w *world) {
		w.good(0)
		began := time.Now()
		w.add(1, 1)
		time.Sleep(4 * time.Minute)
		if r := w.good(0); r.Skipped == "" {
			t.Error("the server was asked too early")
		}
		time.Sleep(50 * time.Second)
		w.good(1)
		if took := time.Since(began); took < 300*time.Second || took > 310*time.Second {
			t.Errorf("the second log-in came after %v, want 300 s", took)
		}
		if r := w.poller().Fetch(t.Context(), []Account{w.account}, Request{Now: true})[0]; r.Err != nil || r.Skipped != "" {
			t.Errorf("--now: %+v", r)
		}
	})
}

// A9: WEB.DE answers an early log-in like a wrong password. A fetch within its interval does not
// ask, and where it has to, the refusal is no verdict on the password.
func TestProviderInterval(t *testing.T) {
	inBubble(t, poptest.WebDE(15*time.Minute), func(t *testing.T, w *world) {
		w.account.MinInterval = 15 * time.Minute
		logIns := 0
		w.eachMinute(61*time.Minute, func(r Result) {
			if r.Err != nil {
				t.Errorf("got %v", r.Err)
			}
			if r.Skipped == "" {
				logIns++
			}
		})
		if logIns != 5 {
			t.Errorf("%d log-ins in an hour, want one each 15 min", logIns)
		}
		if r := w.poller().Fetch(t.Context(), []Account{w.account}, Request{Now: true})[0]; r.Err == nil || r.Err.Kind != Busy {
			t.Errorf("an early log-in: got %v, want it to be no wrong password", r.Err)
		}
	})
}

// A8: a token that the server refuses is renewed once, on the same connection or a new one.
func TestRefusedTokenIsRenewed(t *testing.T) {
	for name, doors := range map[string][]poptest.Door{"on the same connection": nil, "after the server has closed": {poptest.Closes(1)}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, poptest.Options{SASL: []string{"XOAUTH2"}, Doors: doors}, func(t *testing.T, w *world) {
				w.add(1, 1)
				w.box.SetToken("good-token-never-to-be-shown")
				w.tokens("old-token-never-to-be-shown", "good-token-never-to-be-shown")
				w.good(1)
				if n := w.logIns(); n != 2 {
					t.Errorf("%d log-ins, want 2", n)
				}
			})
		})
	}
}

// A8: exactly one retry; then the account is left alone as after a wrong password.
func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	inBubble(t, poptest.Options{SASL: []string{"OAUTHBEARER"}}, func(t *testing.T, w *world) {
		w.box.SetToken("another-token")
		w.tokens("old-token-never-to-be-shown", "new-token-never-to-be-shown")
		w.bad(Refused, "log in")
		if n := w.logIns(); n != 2 {
			t.Errorf("%d log-ins, want 2", n)
		}
		w.bad(Refused, "not asked again")
		if n := w.logIns(); n != 2 {
			t.Errorf("%d log-ins while pausing", n-2)
		}
	})
}

// A8: what the token endpoint says is told as it is.
func TestTokenEndpointFails(t *testing.T) {
	inBubble(t, poptest.Options{SASL: []string{"XOAUTH2"}}, func(t *testing.T, w *world) {
		w.account.Token = true
		w.account.Password = func(context.Context) (secret.Value, error) {
			return secret.Value{}, &Error{Step: "token", Kind: Busy, Err: errors.New("503"), Hint: "later"}
		}
		w.bad(Busy, "token", "503", "later")
		if len(w.server.Sessions()) > 0 {
			t.Error("connected without a token")
		}
	})
}

// A8: Exchange takes a token for another's mailbox and refuses UIDL.
func TestTokenForAnotherMailbox(t *testing.T) {
	inBubble(t, poptest.Exchange(), func(t *testing.T, w *world) {
		w.box.SetToken("good-token-never-to-be-shown")
		w.tokens("good-token-never-to-be-shown", "good-token-never-to-be-shown")
		w.server.Hook("UIDL", poptest.Always(poptest.Send("-ERR Command is not valid in this state.\r\n")))
		w.bad(Refused, "list", "username")
	})
}

// tokens makes the account one with tokens: the first, and the one that replaces it.
func (w *world) tokens(first, next string) {
	w.setPassword(first)
	w.secrets = append(w.secrets, next)
	w.account.Token = true
	w.account.Grant = func() string { return "one" }
	w.account.Renew = func(context.Context, secret.Value) (secret.Value, error) { return secret.New(next), nil }
}

// A1, T7: nothing that the server offers can be used, and not a byte of the log-in goes out.
func TestNoUsableMechanism(t *testing.T) {
	for name, want := range map[string]func(*world){
		"a token, and no mechanism for it": func(w *world) { w.tokens("a-token", "a-token") },
		"one that is not offered":          func(w *world) { w.account.Auth = "scram-sha-256" },
		"APOP without a time stamp":        func(w *world) { w.account.Auth = "apop" },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, poptest.Options{SASL: []string{"PLAIN", "LOGIN"}}, func(t *testing.T, w *world) {
				want(w)
				w.bad(Refused, "log in", "PLAIN")
				if n := w.logIns(); n != 0 || strings.Contains(w.last().String(), "USER") {
					t.Errorf("something was sent:\n%v", w.last())
				}
				w.bad(Refused, "PLAIN") // and asked again at each poll: nothing was refused
			})
		})
	}
}

// A1: auto takes the strongest that is offered.
func TestStrongestMechanism(t *testing.T) {
	for _, c := range []struct {
		sasl []string
		want string
	}{
		{[]string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}, "AUTH SCRAM-SHA-256"},
		{[]string{"LOGIN", "PLAIN", "CRAM-MD5"}, "AUTH CRAM-MD5"},
		{[]string{"LOGIN", "PLAIN"}, "AUTH PLAIN"},
		{[]string{"LOGIN"}, "AUTH LOGIN"},
		{[]string{"GSSAPI", "NTLM"}, "USER alice"},
	} {
		inBubble(t, poptest.Options{SASL: c.sasl}, func(t *testing.T, w *world) {
			w.add(1, 2)
			w.good(2)
			if talk := w.last().String(); !strings.Contains(talk, c.want) {
				t.Errorf("%v: not %s in\n%s", c.sasl, c.want, talk)
			}
		})
	}
}

// W12: Courier wraps raw 8-bit mail unless UTF8 comes before the log-in.
func TestUTF8BeforeTheLogIn(t *testing.T) {
	o := poptest.Courier()
	inBubble(t, o, func(t *testing.T, w *world) {
		raw := "Subject: \xe4\xf6\xfc\r\n\r\nbody\r\n"
		w.box.Add("uid-1", []byte(raw))
		w.good(1)
		w.wantMail([]string{raw})
	})
}

// A1: SCRAM binds to the TLS session, whichever way and version of TLS.
func TestSCRAMBindsToTheSession(t *testing.T) {
	ca := poptest.NewCA(t)
	for name, security := range map[string]Security{"implicit": ImplicitTLS, "STLS": StartTLS} {
		for version, binding := range map[uint16]string{tls.VersionTLS12: poptest.TLSUnique, tls.VersionTLS13: poptest.TLSExporter} {
			t.Run(name+", "+tls.VersionName(version), func(t *testing.T) {
				w := newWorld(t, poptest.Options{
					TLS: ca.Config(poptest.Good), STLS: security == StartTLS,
					SASL: []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"},
				})
				w.overTLS(ca, security)
				w.account.Server.TLS.MaxVersion = version
				w.add(1, 1)
				w.good(1)
				a := w.last().Attempts
				if len(a) != 1 || a[0].Mechanism != "SCRAM-SHA-256-PLUS" || a[0].Binding != binding {
					t.Errorf("got %+v", a)
				}
			})
		}
	}
}

// A1: a server that announces what it does not have is logged in to in the next way; one way that
// was named is the only one.
func TestAnnouncedMechanismIsMissing(t *testing.T) {
	inBubble(t, poptest.Options{SASL: []string{"CRAM-MD5", "PLAIN"}}, func(t *testing.T, w *world) {
		w.server.Hook("AUTH", poptest.Always(poptest.Send("-ERR no such mechanism\r\n")))
		w.add(1, 1)
		w.good(1)
		w.account.Auth = "cram-md5"
		w.bad(Refused, "no such mechanism")
		w.bad(Refused, "no such mechanism") // A5: the password was not refused
	})
}

// A8: what is to be done soon is told once a day, also by cron.
func TestNoticeOnceADay(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.account.Notice = func() string { return "the token ends soon" }
		w.each(30*time.Minute, 72*time.Hour, func(Result) {})
		told := 0
		for _, e := range w.events {
			if e.Kind == Warned {
				told++
			}
		}
		if told != 3 {
			t.Errorf("told %d times in three days", told)
		}
	})
}

// noCRAM refuses CRAM-MD5 as servers do that have the user's password only as a hash.
func noCRAM(c *poptest.Conn, arg string) poptest.Action {
	if !strings.HasPrefix(arg, "CRAM-MD5") {
		return poptest.Default
	}
	return func(c *poptest.Conn) error {
		if _, err := c.Challenge([]byte("<1@example.org>")); err != nil {
			return err
		}
		return c.Reply("-ERR [AUTH] invalid user name or password")
	}
}

// A1: where the strongest mechanism is refused for want of a secret on the server, and nobody else
// can read the line, the password is tried openly once, and that way is remembered.
func TestStrongestMechanismHasNoSecret(t *testing.T) {
	for name, then := range map[string]poptest.Door{"": nil, ", and closes": poptest.Closes(1)} {
		t.Run("the server refuses CRAM-MD5"+name, func(t *testing.T) {
			inBubble(t, poptest.Options{SASL: []string{"CRAM-MD5", "PLAIN"}}, func(t *testing.T, w *world) {
				w.server.Hook("AUTH", func(c *poptest.Conn, arg string) poptest.Action {
					action := noCRAM(c, arg)
					if then != nil && strings.HasPrefix(arg, "CRAM-MD5") {
						return poptest.Seq(action, poptest.Cut)
					}
					return action
				})
				w.add(1, 1)
				w.good(1)
				w.add(2, 2)
				w.good(1)
				if talk := w.last().String(); strings.Contains(talk, "CRAM-MD5") || !strings.Contains(talk, "AUTH PLAIN") {
					t.Errorf("the way is not remembered:\n%s", talk)
				}
				w.setPassword(wrong)
				w.bad(Refused, "log in")
				w.setPassword(password)
				w.good(0)
				if talk := w.last().String(); strings.Contains(talk, "CRAM-MD5") {
					t.Errorf("the way is forgotten with a refusal:\n%s", talk)
				}
			})
		})
	}
}

// A1, A5: a wrong password is tried in another way at its first refusal only.
func TestAnotherWayIsTriedOnce(t *testing.T) {
	inBubble(t, poptest.Options{SASL: []string{"CRAM-MD5", "PLAIN"}}, func(t *testing.T, w *world) {
		w.setPassword(wrong)
		w.eachMinute(24*time.Hour, func(Result) {})
		if n := w.logIns(); n != 4 {
			t.Errorf("%d log-ins in a day, want 4", n)
		}
	})
}

// A1: on an exposed line there is no other way.
func TestNoOtherWayOnAnExposedLine(t *testing.T) {
	w := newWorld(t, poptest.Options{SASL: []string{"CRAM-MD5", "PLAIN"}})
	w.server.Hook("AUTH", noCRAM)
	w.account.Server.Far, w.account.Server.AllowCleartext = true, true
	w.bad(Refused, "log in")
	w.wantNothingInClear()
}

// A1: GNU Mailutils and solid-pop3d greet with a time stamp where the user has no APOP secret.
func TestTimeStampWithoutASecret(t *testing.T) {
	for name, o := range map[string]poptest.Options{
		"CAPA is known":   {Greeting: "+OK POP3 Ready <35.1795576073@vm>"},
		"CAPA is unknown": poptest.SolidPOP3D(),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, o, func(t *testing.T, w *world) {
				w.server.Hook("APOP", poptest.Always(poptest.Send("-ERR [AUTH] Bad login\r\n")))
				w.add(1, 1)
				w.good(1)
			})
		})
	}
}

// A1: APOP is taken where it is all there is, or the line is exposed.
func TestAPOPWhereItIsNeeded(t *testing.T) {
	stamped := poptest.Options{Greeting: "+OK ready <1896.697170952@example.org>", Capabilities: poptest.Capabilities("USER")}
	for name, exposed := range map[string]bool{"USER is not offered": false, "exposed": true} {
		t.Run(name, func(t *testing.T) {
			o := stamped
			if exposed {
				o.Capabilities = nil
			}
			w := newWorld(t, o)
			w.account.Server.Far, w.account.Server.AllowCleartext = exposed, exposed
			w.add(1, 1)
			w.good(1)
			if talk := w.last().String(); !strings.Contains(talk, "APOP") || strings.Contains(talk, "PASS") {
				t.Errorf("got\n%s", talk)
			}
		})
	}
}

// A5: a dry run with a wrong password counts, and changes nothing else.
func TestDryRunCountsRefusals(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.setPassword(wrong)
		w.dry = true
		w.eachMinute(3*time.Hour, func(Result) {})
		if n := w.logIns(); n != 3 {
			t.Errorf("%d log-ins of dry runs", n)
		}
	})
}

// A5: what has no reason in it counts as a refusal, in whatever language, and in whatever form it was
// sent.
func TestRefusalsWithoutAReason(t *testing.T) {
	for _, auth := range []mechanism.Name{"auto", "plain"} {
		for _, text := range []string{"", " no", " Zugriff verweigert"} {
			inBubble(t, poptest.Options{SASL: []string{"PLAIN"}}, func(t *testing.T, w *world) {
				w.account.Auth = auth
				w.server.Hook("AUTH", poptest.Always(poptest.Send("-ERR"+text+"\r\n")))
				w.server.Hook("PASS", poptest.Always(poptest.Send("-ERR"+text+"\r\n")))
				w.eachMinute(24*time.Hour, func(Result) {})
				if n := w.logIns(); n > 6 {
					t.Errorf("auth: %s, -ERR%s: %d log-ins in a day", auth, text, n)
				}
			})
		}
	}
}

// A5: a command that prints another text each time is no way around the pauses.
func TestChangingSecret(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		n := 0
		w.account.Password = func(context.Context) (secret.Value, error) {
			n++
			return secret.New(fmt.Sprint("no such entry at ", n)), nil
		}
		w.eachMinute(24*time.Hour, func(Result) {})
		if n := w.logIns(); n > 7 {
			t.Errorf("%d log-ins in a day", n)
		}
		w.setPassword(password)
		time.Sleep(6 * time.Hour)
		w.good(0)
	})
}

// A5: a mailbox that is locked for a while, said without a code, is not left alone for ever.
func TestTroubleWithoutACode(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.good(0)
		w.server.Hook("PASS", poptest.Always(poptest.Send("-ERR maildrop already locked\r\n")))
		w.eachMinute(time.Hour, func(Result) {})
		if n := w.logIns(); n != 4 {
			t.Errorf("%d log-ins, want the good one and three", n)
		}
		w.server.Hook("PASS", nil)
		w.each(time.Hour, 5*time.Hour, func(Result) {})
		time.Sleep(time.Hour)
		w.good(0)
	})
}

// A5, A9: a last log-in that lies in the future is no early log-in.
func TestClockThatWentBack(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.account.MinInterval = 15 * time.Minute
		box, err := w.db.Box(t.Context(), w.account.Mailbox(), w.account.Name)
		if err != nil {
			t.Fatal(err)
		}
		later := uidl.Poll{LoggedIn: uidl.At(time.Now().Add(48 * time.Hour))}
		if err := box.Commit(t.Context(), uidl.Change{Poll: &later}); err != nil {
			t.Fatal(err)
		}
		w.setPassword(wrong)
		w.eachMinute(24*time.Hour, func(Result) {})
		if n := w.logIns(); n != 3 {
			t.Errorf("%d log-ins in a day", n)
		}
	})
}

// A5, T6: another client certificate is another secret.
func TestNewClientCertificateIsTried(t *testing.T) {
	ca := poptest.NewCA(t)
	config := ca.Config(poptest.Good)
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool()
	w := newWorld(t, poptest.Options{TLS: config, SASL: []string{"EXTERNAL"}})
	w.overTLS(ca, ImplicitTLS)
	w.account.Auth, w.account.Certificate = "external", true
	w.setPassword("")
	for n := range 2 {
		w.account.Server.TLS = w.account.Server.TLS.Clone()
		w.account.Server.TLS.Certificates = []tls.Certificate{ca.Issue(poptest.Client)}
		w.server.Hook("AUTH", poptest.Always(poptest.Send("-ERR [AUTH] no\r\n")))
		w.bad(Refused)
		w.bad(Refused, "not asked again")
		if got := w.logIns(); got != n+1 {
			t.Errorf("%d log-ins, want %d", got, n+1)
		}
	}
}

// A9: a dry run, or a look at the server, is a log-in like any other: the next one keeps its distance.
func TestEveryLogInCounts(t *testing.T) {
	for name, look := range map[string]func(*world){
		"dry run": func(w *world) { w.dry = true; w.good(0); w.dry = false },
		"check": func(w *world) {
			if _, errs := w.poller().Check(w.Context(), []Account{w.account}); errs[0] != nil {
				w.Error(errs[0])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, poptest.WebDE(15*time.Minute), func(t *testing.T, w *world) {
				w.account.MinInterval = 15 * time.Minute
				look(w)
				if r := w.good(0); r.Skipped == "" {
					t.Error("logged in too early")
				}
				time.Sleep(15 * time.Minute)
				w.good(0)
			})
		})
	}
}

// A5: refusals of a check count too.
func TestCheckCountsRefusals(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.setPassword(wrong)
		for range 3 {
			w.poller().Check(t.Context(), []Account{w.account})
		}
		w.bad(Refused, "3 times")
		if n := w.logIns(); n != 3 {
			t.Errorf("%d log-ins", n)
		}
	})
}

// A8, A5: an account that needs its user at the provider tells him once a day.
func TestDeadGrantIsToldOnceADay(t *testing.T) {
	inBubble(t, poptest.Options{SASL: []string{"XOAUTH2"}}, func(t *testing.T, w *world) {
		w.account.Token = true
		w.account.Password = func(context.Context) (secret.Value, error) {
			return secret.Value{}, &Error{Step: "token", Kind: Refused, Err: errors.New("the grant has ended"), Hint: "log in again"}
		}
		told := 0
		w.eachMinute(24*time.Hour, func(r Result) {
			if r.Err == nil || r.Err.Kind != Refused {
				t.Fatalf("got %v", r.Err)
			}
			if !r.Err.Repeated {
				told++
			}
		})
		if told != 1 {
			t.Errorf("told %d times in a day", told)
		}
	})
}

// A9, A5: to ask again although the log-in was refused is not to ask too early.
func TestRetryKeepsToLoginDelay(t *testing.T) {
	caps := append(poptest.Capabilities(), "LOGIN-DELAY 300")
	inBubble(t, poptest.Options{Capabilities: caps}, func(t *testing.T, w *world) {
		w.good(0)
		retry := Request{Retry: true}
		if r := w.poller().Fetch(t.Context(), []Account{w.account}, retry)[0]; r.Skipped == "" {
			t.Error("the server was asked too early")
		}
		time.Sleep(5 * time.Minute)
		w.setPassword(wrong)
		w.bad(Refused, "log in")
		w.poller().Fetch(t.Context(), []Account{w.account}, retry)
		if n := w.logIns(); n != 3 {
			t.Errorf("%d log-ins, want a retry at once", n)
		}
	})
}
