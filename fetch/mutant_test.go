package fetch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"popsync/fetch/mechanism"
	"popsync/internal/poptest"
	"popsync/uidl"
)

// W10: a session ends at twice max_session, whatever is under way: a body that stalls, or one that goes
// on for ever. What came before it is delivered.
func TestSessionEndsAtTwiceItsTime(t *testing.T) {
	line := strings.Repeat("x", 70) + "\r\n"
	endless := func(c *poptest.Conn) error {
		for {
			if err := poptest.Seq(poptest.Send(strings.Repeat(line, 100)), poptest.Sleep(time.Second))(c); err != nil {
				return err
			}
		}
	}
	for name, body := range map[string]poptest.Action{
		"stalls":  poptest.Seq(poptest.Send("+OK\r\n"+line), poptest.Stall),
		"goes on": poptest.Seq(poptest.Send("+OK\r\n"), endless),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
				w.account.Timeout, w.account.Session = time.Hour, 10*time.Minute
				w.add(1, 3)
				w.server.Hook("RETR", poptest.WithArg("2", body))
				began := time.Now() // of the bubble
				r := w.bad(Unreachable, "retrieve", "twice max_session")
				if took := time.Since(began); took != 20*time.Minute {
					t.Errorf("it took %v, want 20m", took)
				}
				if r.New != 1 {
					t.Errorf("%d new before it", r.New)
				}
				w.wantMail(letters(1, 1))
				w.server.Hook("RETR", nil)
				w.good(2)
			})
		})
	}
}

// W13, T1: a server that goes away at CAPA is not called again where STLS is wanted: there is no log-in
// without it.
func TestNoSecondConnectionWhereSTLSIsWanted(t *testing.T) {
	ca := poptest.NewCA(t)
	inBubble(t, poptest.Options{TLS: ca.Config(poptest.Good), STLS: true}, func(t *testing.T, w *world) {
		w.overTLS(ca, StartTLS)
		w.server.Hook("CAPA", poptest.Always(poptest.Cut))
		w.bad(Unreachable, "ask for capabilities")
		if n := len(w.server.Sessions()); n != 1 {
			t.Errorf("%d connections, want one", n)
		}
		w.wantNothingInClear()
	})
}

// noSCRAM refuses the SCRAM mechanisms as servers do that have the user's password only as a hash.
func noSCRAM(_ *poptest.Conn, arg string) poptest.Action {
	if strings.HasPrefix(arg, "SCRAM-") {
		return poptest.Send("-ERR [AUTH] invalid user name or password\r\n")
	}
	return poptest.Default
}

// A1: that PLAIN has worked counts for auth: auto alone. An account that names its way never goes
// another.
func TestNamedWayIsNoOther(t *testing.T) {
	inBubble(t, poptest.Options{SASL: []string{"SCRAM-SHA-256", "PLAIN"}}, func(t *testing.T, w *world) {
		w.server.Hook("AUTH", noSCRAM)
		w.add(1, 1)
		w.good(1)
		if way := w.lastPoll().Mechanism; way != "plain" {
			t.Fatalf("%q is remembered, want plain", way)
		}
		w.account.Auth = mechanism.SCRAMSHA256
		w.bad(Refused, "log in", "invalid user name")
		w.wantNoPLAIN()
		w.server.Hook("AUTH", nil)
		w.setPassword(password)
		time.Sleep(24 * time.Hour)
		w.good(0)
		w.wantNoPLAIN()
		if talk := w.last().String(); !strings.Contains(talk, "AUTH SCRAM-SHA-256") {
			t.Errorf("no SCRAM:\n%s", talk)
		}
	})
}

// wantNoPLAIN says whether nothing of the last session shows the password.
func (w *world) wantNoPLAIN() {
	w.Helper()
	for _, word := range []string{"PLAIN", "LOGIN", "USER", "PASS"} {
		if talk := w.last().String(); strings.Contains(talk, word) {
			w.Errorf("%s was sent:\n%s", word, talk)
		}
	}
}

// A1, T7: that PLAIN has worked over TLS counts no more once others can read the line.
func TestRememberedWayStaysOffAnExposedLine(t *testing.T) {
	ca := poptest.NewCA(t)
	w := newWorld(t, poptest.Options{
		TLS: ca.Config(poptest.Good), STLS: true,
		SASL: []string{"SCRAM-SHA-256", "PLAIN"}, SASLClear: []string{"PLAIN"},
	})
	w.overTLS(ca, StartTLS)
	w.server.Hook("AUTH", noSCRAM)
	w.good(0)
	if way := w.lastPoll().Mechanism; way != "plain" {
		t.Fatalf("%q is remembered, want plain", way)
	}
	w.account.Server.Security, w.account.Server.TLS = Cleartext, nil
	w.account.Server.Far, w.account.Server.AllowCleartext = true, true
	w.bad(Refused, "log in", "without TLS the password would be sent in the clear")
	w.wantNothingInClear()
	if verbs := w.last().Verbs(); slices.Contains(verbs, "AUTH") || slices.Contains(verbs, "USER") {
		t.Errorf("sent:\n%s", w.last())
	}
}

// A1: where others can read the line, a refusal is the end of it: the error is the server's, and nothing
// is said of a way that was not to be tried.
func TestRefusalOnAnExposedLineIsTheServers(t *testing.T) {
	w := newWorld(t, poptest.Options{SASL: []string{"CRAM-MD5", "PLAIN"}})
	w.server.Hook("AUTH", noCRAM)
	w.account.Server.Far, w.account.Server.AllowCleartext = true, true
	r := w.bad(Refused, "log in", "[AUTH] invalid user name or password")
	if strings.Contains(r.Err.Error(), "in the clear") {
		t.Errorf("another way was looked for: %v", r.Err)
	}
}

// lastPoll is what is remembered of the account's last poll.
func (w *world) lastPoll() uidl.Poll {
	w.Helper()
	box, err := w.db.Box(w.Context(), w.account.Mailbox(), w.account.Name)
	if err != nil {
		w.Fatal(err)
	}
	p, err := box.Poll(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// A5, A7: what is kept of a refused secret has a salt of 8 random octets: who reads the state does not
// see which accounts have the same password. A salt stays as long as its account is refused.
func TestRefusedSecretsAreSalted(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.salt = nil
		w.setPassword(wrong)
		seen := make(map[string]bool)
		for _, name := range []string{"one", "two", "three"} {
			w.account.Name, w.account.User = name, "alice-"+name
			mailbox(w.server, w.account.User)
			w.poll()
			key := w.lastPoll().Refusals.Key
			if len(key) != 35 || strings.Trim(key, "0123456789abcdef") != "" {
				t.Fatalf("the key is %q, want 16, 3 and 16 digits", key)
			}
			time.Sleep(time.Hour)
			w.poll()
			if again := w.lastPoll().Refusals; again.Count != 2 || again.Key != key {
				t.Errorf("then %+v, want the key %s", again, key)
			}
			seen[key[:16]] = true
		}
		if len(seen) != 3 {
			t.Errorf("the salts of three accounts are %v", seen)
		}
	})
}

// commits is a server whose QUIT takes note of what was retrieved.
func commits() poptest.Options {
	return poptest.Options{Capabilities: append(poptest.Capabilities(), "X-GOOGLE-RICO")}
}

// wantNoTOP says whether TOP was sent in no session.
func (w *world) wantNoTOP() {
	w.Helper()
	for _, s := range w.server.Sessions() {
		if len(s.Args("TOP")) > 0 {
			w.Errorf("TOP was sent:\n%s", s)
		}
	}
}

// W15: where TOP may count as retrieval, it is never sent to find out whether a mailbox was renumbered.
func TestNoTOPToGuardWhereQuitCommits(t *testing.T) {
	w := newWorld(t, commits())
	w.add(1, 30)
	w.good(30)
	w.box.Renumber()
	w.bad(Protocol, "renumbered")
	w.wantNoTOP()
	w.wantMail(letters(1, 30))
}

// R4, R5: nor to find out whether a UID was used again.
func TestNoTOPToVerifyWhereQuitCommits(t *testing.T) {
	w := newWorld(t, commits())
	w.account.Keep.Delete = true
	w.add(1, 2)
	w.server.Hook("QUIT", poptest.Nth(1, poptest.DeletesNothing))
	w.good(2)
	w.good(0)
	w.wantNoTOP()
	w.wantMail(letters(1, 2))
	if n := len(w.box.UIDs()); n != 0 {
		t.Errorf("%d messages left on the server", n)
	}
}

// W18: a password that cannot be sent is found out before anybody connects.
func TestUnsendablePasswordNeverConnects(t *testing.T) {
	for name, text := range map[string]string{"CR": "pass\rword-1", "LF": "pass\nword-2", "NUL": "pass\x00word-3", "at the end": "password-4\n"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{})
			w.setPassword(text)
			w.bad(Config, "log in", "CR, LF and NUL", "check username and password")
			if n := len(w.server.Sessions()); n > 0 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A4: what the server says will not pass by itself has another way out than a wrong password.
func TestHintsOfRefusals(t *testing.T) {
	for code, hint := range map[string]string{
		"[SYS/PERM] ":  "the server says that this will not pass by itself: ask its administrator",
		"[sys/perm] ":  "the server says that this will not pass by itself: ask its administrator",
		"[AUTH] ":      "check username and password; some providers want POP3 switched on, or an app password",
		"":             "check username and password; some providers want POP3 switched on, or an app password",
		"[SYS/PERMX] ": "check username and password; some providers want POP3 switched on, or an app password",
	} {
		w := newWorld(t, poptest.Options{})
		w.server.Hook("PASS", poptest.Always(poptest.Send("-ERR "+code+"no\r\n")))
		if r := w.bad(Refused, "no"); r.Err.Hint != hint {
			t.Errorf("%s: the hint is %q", code, r.Err.Hint)
		}
	}
}
