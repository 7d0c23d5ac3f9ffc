package fetch

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"popsync/fetch/pop3"
	"popsync/internal/poptest"
)

func TestEachMessageOnce(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 20)
	w.good(20)
	w.good(0)
	w.add(21, 22)
	w.reopen()
	w.good(2)
	w.wantMail(letters(1, 22))
	if s := w.last(); !s.Quit || len(s.Args("DELE")) > 0 {
		t.Errorf("session:\n%s", s)
	}
}

// W7: four waits with PIPELINING, and nothing goes past the log-in's answer.
func TestPipelinedSessionWaitsFourTimes(t *testing.T) {
	w := newWorld(t, poptest.Options{Patience: 20 * time.Millisecond})
	w.add(1, 10)
	w.good(10)
	waits := 0
	for _, c := range w.last().Commands {
		if !c.Pipelined {
			waits++
		}
		if c.Pipelined && (c.Verb == "CAPA" || c.Verb == "USER") {
			t.Errorf("%s came before the answer to the log-in", c.Verb)
		}
	}
	if waits != 5 { // CAPA, USER with PASS, CAPA with the listing, RETR; and QUIT
		t.Errorf("%d waits:\n%s", waits, w.last())
	}
}

// Where QUIT changes nothing on the server, nobody waits for its answer; it is sent all the same.
func TestAnswerToQuitIsNotWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		capabilities []string
		distance     time.Duration
		delete, wait bool
	}{
		"kept":              {poptest.Capabilities(), 2 * near, false, false},
		"near":              {poptest.Capabilities(), near / 2, false, true},
		"deleted":           {poptest.Capabilities(), 2 * near, true, true},
		"QUIT takes a note": {append(poptest.Capabilities(), commitsAtQuit), 2 * near, false, true},
		"one at a time":     {poptest.Capabilities("PIPELINING"), 2 * near, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, poptest.Options{Capabilities: c.capabilities}, func(t *testing.T, w *world) {
				w.untraced = true
				w.account.Keep.Delete = c.delete
				w.add(1, 3)
				for _, verb := range []string{"CAPA", "USER", "RETR"} { // PASS comes with USER
					w.server.Hook(verb, poptest.Late(c.distance))
				}
				w.server.Hook("QUIT", poptest.Late(10*time.Second))
				began := time.Now() // of the bubble
				w.good(3)
				if waited := time.Since(began) > 10*time.Second; waited != c.wait {
					t.Errorf("waited: %v", waited)
				}
				synctest.Wait()
				if verbs := w.last().Verbs(); verbs[len(verbs)-1] != "QUIT" {
					t.Errorf("it ends with %v", verbs)
				}
				w.wantMail(letters(1, 3))
			})
		})
	}
}

// W7: without PIPELINING no command is sent before its turn, and only what is needed is asked.
func TestWithoutPipeliningEachWaitsItsTurn(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: poptest.Capabilities("PIPELINING"), Patience: 5 * time.Millisecond})
	w.add(1, 3)
	w.good(3)
	if s := w.last(); s.Pipelined() {
		t.Errorf("pipelined:\n%s", s)
	}
	w.good(0)
	want := []string{"CAPA", "USER", "PASS", "CAPA", "UIDL", "QUIT"}
	if got := w.last().Verbs(); !slices.Equal(got, want) {
		t.Errorf("a poll with nothing new sends %v", got)
	}
}

// W3: what a server sends unasked ends a session, also where the next command is on its way already.
func TestJunkBehindAMessage(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		w := newWorld(t, poptest.Options{Capabilities: poptest.Capabilities("PIPELINING")})
		w.add(1, n)
		w.server.Hook("RETR", poptest.WithArg("1", poptest.Seq(poptest.Default, poptest.Send("+OK junk\r\n"))))
		if n > 1 {
			w.bad(Protocol, "reply that nobody asked for")
		} else {
			w.poll() // QUIT is all that is left to be asked
		}
		w.server.Hook("RETR", nil)
		w.poll()
		w.wantMail(letters(1, n))
	}
}

// An old server keeps the mailbox locked until it is through with QUIT: the next poll does not meet the
// lock of the one before.
func TestLockOfTheSessionBefore(t *testing.T) {
	w := newWorld(t, poptest.Options{Exclusive: true, Capabilities: poptest.Capabilities("PIPELINING")})
	w.untraced = true
	w.server.Hook("QUIT", poptest.Late(50*time.Millisecond))
	w.add(1, 3)
	w.good(3)
	w.good(0)
	w.good(0)
}

// W7: PIPELINING that is announced behind the log-in only (perdition) is used from there on.
func TestPipeliningAfterLogin(t *testing.T) {
	w := newWorld(t, poptest.Options{
		Capabilities: poptest.Capabilities("PIPELINING"), CapabilitiesAfter: poptest.Capabilities(), Patience: 5 * time.Millisecond,
	})
	w.add(1, 5)
	w.good(5)
	for _, c := range w.last().Commands {
		if c.Pipelined && c.Verb == "PASS" {
			t.Error("PASS was pipelined")
		}
	}
	if !w.last().Pipelined() {
		t.Errorf("not pipelined:\n%s", w.last())
	}
}

// W7: a window of commands never fills both directions.
func TestSmallBuffersDoNotDeadlock(t *testing.T) {
	w := newWorld(t, poptest.Options{Buffers: 4096, ReadAhead: 512})
	w.add(1, 600)
	w.good(600)
	w.wantMail(letters(1, 600))
}

// W7: replies split at any byte arrive right.
func TestSplitReplies(t *testing.T) {
	w := newWorld(t, poptest.Options{Chunk: 1})
	w.add(1, 3)
	w.good(3)
	w.wantMail(letters(1, 3))
}

// W8: a server that loses commands which come early is noticed once, and gets one at a time from
// the next session on.
func TestLostPipelineIsRemembered(t *testing.T) {
	inBubble(t, poptest.Options{}, testLostPipeline)
}

func testLostPipeline(t *testing.T, w *world) {
	w.add(1, 3)
	for _, verb := range []string{"CAPA", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR"} {
		w.server.Hook(verb, func(c *poptest.Conn, _ string) poptest.Action {
			if c.Early(20 * time.Millisecond) {
				c.Forget()
			}
			return poptest.Default
		})
	}
	w.bad(Unreachable, "PIPELINING")
	w.reopen()
	w.good(3)
	w.wantMail(letters(1, 3))
}

// W8, A9: a log-in that is merely slow is told from one that was lost: without pipelining it fails
// in the same way.
func TestSlowLoginIsNoLostPipeline(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.add(1, 1)
		w.server.Hook("PASS", poptest.Always(poptest.Stall))
		w.bad(Unreachable, "log in")
		w.bad(Unreachable, "log in")
		w.server.Hook("PASS", nil)
		w.good(1)
		if !w.last().Pipelined() {
			t.Error("not pipelined any more")
		}
	})
}

// W8: commands that are lost behind the log-in only, as by a proxy, are noticed as well; the next
// session says so, and does without.
func TestLostPipelineBehindTheLogin(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.add(1, 3)
		for _, verb := range []string{"CAPA", "STAT", "UIDL", "LIST", "RETR"} {
			w.server.Hook(verb, func(c *poptest.Conn, _ string) poptest.Action {
				if c.User() != "" && c.Early(time.Second) {
					c.Forget()
				}
				return poptest.Default
			})
		}
		w.bad(Unreachable, "PIPELINING")
		w.good(3)
		warned := func(e Event) bool { return e.Kind == Noted && strings.Contains(e.Text, "PIPELINING") }
		if !slices.ContainsFunc(w.events, warned) {
			t.Error("nothing is said")
		}
	})
}

// W7: the account's own word on pipelining counts.
func TestPipeliningAsConfigured(t *testing.T) {
	for setting, c := range map[pop3.Pipelining]struct {
		capabilities []string
		pipelined    bool
	}{
		pop3.Announced: {poptest.Capabilities(), true},
		pop3.Always:    {poptest.Capabilities("PIPELINING"), true},
		pop3.Never:     {poptest.Capabilities(), false},
	} {
		w := newWorld(t, poptest.Options{Capabilities: c.capabilities, Patience: 5 * time.Millisecond})
		w.account.Pipelining = setting
		w.add(1, 4)
		w.good(4)
		s := w.last()
		if s.Pipelined() != c.pipelined {
			t.Errorf("setting %d:\n%s", setting, s)
		}
		for _, command := range s.Commands {
			if setting == pop3.Always && command.Pipelined && (command.Verb == "PASS" || command.Verb == "CAPA") {
				t.Errorf("%s came before its turn", command.Verb)
			}
		}
	}
}

// W7: the window is bounded in commands and in octets, both ways.
func TestWindowIsBounded(t *testing.T) {
	w := newWorld(t, poptest.Options{Patience: time.Millisecond})
	w.add(1, 600)
	w.good(600)
	if n := w.last().Ahead; n > 256 {
		t.Errorf("%d commands were on their way at once", n)
	}
	w = newWorld(t, poptest.Options{Patience: 5 * time.Millisecond})
	for n := 1; n <= 40; n++ { // 1 MiB each as announced, whatever they have
		w.box.AddFunc(fmt.Sprint(n), 1<<20, func(out io.Writer) error {
			_, err := io.WriteString(out, letter(n))
			return err
		})
	}
	w.good(40)
	if n := w.last().Ahead; n < 2 || n > 9 {
		t.Errorf("%d MiB were on their way at once", n)
	}
}

// W10: after max_session nothing more is begun, and what is left comes with the next polls.
func TestMaxSessionLeavesTheRest(t *testing.T) {
	inBubble(t, poptest.Options{Capabilities: poptest.Capabilities("PIPELINING")}, func(t *testing.T, w *world) {
		w.account.Session = 10 * time.Second
		w.add(1, 5)
		w.server.Hook("RETR", poptest.Late(6*time.Second))
		if r := w.good(2); r.Left != 3 || !w.last().Quit {
			t.Errorf("%+v", r)
		}
		w.good(2)
		w.good(1)
		w.wantMail(letters(1, 5))
	})
}

// W5, W6: nonsense in the listing costs the messages it is about, and no other.
func TestNonsenseInTheListing(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 4)
	w.server.ListingFunc("UIDL", func(c *poptest.Conn, yield func(string) bool) {
		for _, l := range []string{"0 x", "-1 y", "4294967297 z", "1 uid-1", "2 one", "2 two", "4 uid-4", "word"} {
			if !yield(l) {
				return
			}
		}
	})
	w.server.ListingFunc("LIST", func(c *poptest.Conn, yield func(string) bool) {
		for _, l := range []string{"1 0", "4 18446744073709551617", "x"} {
			if !yield(l) {
				return
			}
		}
	})
	w.bad(Protocol, "lines of UIDL that make no sense")
	w.wantMail(append(letters(1, 1), letter(4)))
	w.server.ListingFunc("UIDL", nil)
	w.server.ListingFunc("LIST", nil)
	w.good(2)
	w.wantMail(letters(1, 4))
}

// S6: a listing cut short, or an empty one where STAT says mail, is no empty mailbox.
func TestShortListingIsNoEmptyMailbox(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.good(3)
	w.server.ListingFunc("UIDL", func(*poptest.Conn, func(string) bool) {})
	w.bad(Protocol, "STAT counts 3 messages, but UIDL lists 0")
	for uid, rec := range w.records() {
		if !rec.MissingSince.IsZero() {
			t.Errorf("%s counts as missing", uid)
		}
	}
	w.server.ListingFunc("UIDL", nil)
	w.good(0)
}

// W9: the refusal of one message is its own; the rest is fetched, and it is tried again.
func TestRefusedMessageIsTriedAgain(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.server.Hook("RETR", poptest.WithArg("2", poptest.Send("-ERR cannot read it\r\n")))
	r := w.bad(Protocol, "message 2", `server says "cannot read it"`)
	if r.New != 2 || r.Left != 1 || r.Failed != 1 {
		t.Errorf("%+v", r)
	}
	w.server.Hook("RETR", nil)
	w.good(1)
	w.wantMail(letters(1, 3))
}

// W9: behind a reply that makes no sense nothing more is believed.
func TestNothingIsBelievedAfterNonsense(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.server.Hook("RETR", poptest.WithArg("2", poptest.Send("250 fine\r\nSubject: forged\r\n\r\n.\r\n")))
	w.bad(Protocol, "neither +OK nor -ERR")
	w.wantMail(letters(1, 1))
	w.server.Hook("RETR", nil)
	w.good(2)
	w.wantMail(letters(1, 3))
}

// W10, W19, D3: wherever a body is cut or stalls, in clear or under TLS, what came before it is
// delivered, nothing of it is seen, and the next poll goes on.
func TestCutLineDeliversWhatCame(t *testing.T) {
	ca := poptest.NewCA(t)
	for name, end := range map[string]poptest.Action{
		"closed": poptest.Cut, "stalled": poptest.Stall, "TLS without close_notify": poptest.CutTLS,
	} {
		for _, security := range []Security{Cleartext, ImplicitTLS} {
			t.Run(fmt.Sprintf("%s, TLS %v", name, security == ImplicitTLS), func(t *testing.T) {
				o := poptest.Options{}
				if security == ImplicitTLS {
					o.TLS = ca.Config(poptest.Good)
				}
				inBubble(t, o, func(t *testing.T, w *world) {
					if security == ImplicitTLS {
						w.overTLS(ca, security)
					}
					w.add(1, 5)
					w.server.Hook("RETR", poptest.WithArg("3", poptest.After(30, end)))
					for range 2 {
						w.bad(Unreachable, "retrieve")
						w.wantMail(letters(1, 2))
					}
					w.server.Hook("RETR", nil)
					w.good(3)
					w.wantMail(letters(1, 5))
				})
			})
		}
	}
}

// W19: a reset, which may take along what was sent before it, loses nothing either.
func TestResetLine(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 5)
	w.server.Hook("RETR", poptest.WithArg("3", poptest.After(30, poptest.Reset)))
	w.bad(Unreachable, "retrieve")
	w.server.Hook("RETR", nil)
	w.poll()
	w.wantMail(letters(1, 5))
}

// W10: an octet now and then is no progress.
func TestDrippingBodyEnds(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.add(1, 1)
		w.server.Hook("RETR", poptest.Always(poptest.Seq(poptest.Send("+OK\r\n"), poptest.Drip(strings.Repeat("x", 1000), time.Second))))
		w.bad(Unreachable, "no progress within 1m0s")
		w.wantMail(nil)
	})
}

// W10: every wait has an end: each reply, however slowly its line grows, and the session.
func TestEveryWaitEnds(t *testing.T) {
	for _, verb := range []string{poptest.Greeting, "CAPA", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR"} {
		for name, c := range map[string]struct {
			do    poptest.Action
			kind  Kind
			words string
		}{
			"silence": {poptest.Stall, Unreachable, "no answer within 1m0s"},
			"W4 a drip": {
				poptest.Drip("+OK "+strings.Repeat("x", 500), 30*time.Second),
				Protocol, "an answer that does not end within 1m0s",
			},
		} {
			t.Run(verb+", "+name, func(t *testing.T) {
				inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
					w.add(1, 1)
					w.server.Hook(verb, poptest.Always(c.do))
					began := time.Now() // of the bubble
					w.bad(c.kind, c.words)
					if took := time.Since(began); took > 65*time.Second {
						t.Errorf("took %v", took)
					}
				})
			})
		}
	}
	t.Run("session", func(t *testing.T) {
		inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
			w.account.Session = time.Minute
			w.add(1, 3)
			slow := strings.Repeat("line\r\n", 1000)
			w.server.Hook("RETR", poptest.WithArg("2", func(c *poptest.Conn) error {
				if err := poptest.Send("+OK\r\n")(c); err != nil {
					return err
				}
				for {
					if err := poptest.Seq(poptest.Send(slow), poptest.Sleep(time.Second))(c); err != nil {
						return err
					}
				}
			}))
			w.bad(Unreachable, "max_session")
			w.wantMail(letters(1, 1))
		})
	})
}

// W13: a server that knows nothing but RFC 1939 will do.
func TestBareServer(t *testing.T) {
	w := newWorld(t, poptest.Options{Greeting: "+OK"})
	w.add(1, 3)
	bare := poptest.Always(poptest.Send("-ERR\r\n"))
	w.server.Hook("CAPA", bare)
	w.server.Hook("STAT", poptest.Always(poptest.Send("+OK\r\n")))
	w.server.Hook("LIST", bare)
	w.good(3)
	w.good(0)
	w.wantMail(letters(1, 3))
}

// W13: no UIDL at all is an error that says so; nothing is fetched again and again.
func TestNoUIDL(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.server.Hook("UIDL", poptest.Always(poptest.Send("-ERR what?\r\n")))
	w.bad(Protocol, `server says "what?"`, "needs UIDL")
	w.wantMail(nil)
	if !w.last().Quit {
		t.Error("no QUIT, and the line still stands")
	}
}

// W14: strange UIDs never make two messages one.
func TestStrangeUIDs(t *testing.T) {
	for name, uid := range map[string]func(n int) string{
		"repeated":      func(int) string { return "same" },
		"empty":         func(int) string { return "" },
		"8-bit":         func(n int) string { return "u\xff" + string([]byte{0xc0 + byte(n)}) },
		"blanks inside": func(n int) string { return fmt.Sprintf("a b %d", n) },
		"long":          func(n int) string { return strings.Repeat("u", 5000) + fmt.Sprint(n) },
		"a path":        func(n int) string { return fmt.Sprintf("../../%d", n) },
		"control":       func(n int) string { return fmt.Sprintf("\x1b[2J%d", n) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{})
			for n := 1; n <= 3; n++ {
				w.box.Add(uid(n), []byte(letter(n)))
			}
			w.good(3)
			w.good(0)
			w.box.Add(uid(4), []byte(letter(4)))
			w.reopen()
			w.good(1)
			w.wantMail(letters(1, 4))
		})
	}
}

// W14: what cannot be remembered is reported at each poll, and the rest arrives.
func TestUIDThatCannotBeRemembered(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 2)
	w.box.Add("nul\x00nul", []byte(letter(3)))
	for range 2 {
		if r := w.bad(Protocol, "message 3", "NUL"); r.Left != 1 {
			t.Errorf("%d left", r.Left)
		}
		w.wantMail(letters(1, 2))
	}
}

// W14: with keep: false, messages that share a UID are deleted in the session that fetched them.
func TestRepeatedUIDsAreDeletedOnceFetched(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	for n := 1; n <= 3; n++ {
		w.box.Add("same", []byte(letter(n)))
	}
	if r := w.good(3); r.Deleted != 3 {
		t.Errorf("%d deleted", r.Deleted)
	}
	w.box.Add("same", []byte(letter(4)))
	w.good(1)
	w.wantMail(letters(1, 4))
}

// W2, W3: bytes are kept, and a large message takes no more memory than a small one.
func TestLargeMessageStreams(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	const size = 64 << 20
	block := []byte(strings.Repeat("x", 70) + "\r\n")
	w.box.AddFunc("large", size, func(out io.Writer) error {
		for n := 0; n < size; n += len(block) {
			if _, err := out.Write(block); err != nil {
				return err
			}
		}
		return nil
	})
	r := w.good(1)
	if want := int64((size + len(block) - 1) / len(block) * len(block)); r.Bytes != want {
		t.Errorf("%d octets, not %d", r.Bytes, want)
	}
}

// W18: user names and passwords that cannot be sent are refused before connecting.
func TestUnsendablePassword(t *testing.T) {
	for _, user := range []string{"alice\r\nDELE 1", "alice\x00"} {
		w := newWorld(t, poptest.Options{})
		w.account.User = user
		w.bad(Config, "CR, LF and NUL")
		if n := len(w.server.Sessions()); n > 0 {
			t.Errorf("%d connections", n)
		}
	}
}

// A4: the refusals of a log-in are told apart.
func TestLoginRefusals(t *testing.T) {
	for text, kind := range map[string]Kind{
		"wrong":                   Refused,
		"[AUTH] wrong":            Refused,
		"[SYS/PERM] closed":       Refused,
		"[in-use] locked":         Busy,
		"[LOGIN-DELAY] too soon":  Busy,
		"[SYS/TEMP] in trouble":   Busy,
		"[AUTH wrong and unended": Refused,
	} {
		w := newWorld(t, poptest.Options{})
		w.server.Hook("PASS", poptest.Always(poptest.Send("-ERR "+text+"\r\n")))
		w.bad(kind, text)
		if n := len(w.last().Args("PASS")); n != 1 {
			t.Errorf("%s: %d attempts", text, n)
		}
	}
}

// W10: a list of capabilities comes within one wait, or a server could hold a log-in for hours.
func TestSlowCapabilitiesEnd(t *testing.T) {
	inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
		w.server.Hook("CAPA", poptest.Always(poptest.Seq(poptest.Send("+OK\r\n"), poptest.Drip(strings.Repeat(strings.Repeat("X", 5000)+"\r\n", 100), time.Millisecond))))
		began := time.Now() // of the bubble
		w.bad(Unreachable, "ask for capabilities")
		if took := time.Since(began); took > 61*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// A7: the password in a greeting or in the first list of capabilities is shown nowhere.
func TestPasswordBeforeTheLoginIsHidden(t *testing.T) {
	w := newWorld(t, poptest.Options{Greeting: "-ERR hello " + strings.ToUpper(password) + " and " + password})
	r := w.bad(Protocol, "hello")
	if strings.Contains(strings.ToLower(r.Err.Error()), strings.ToLower(password)) {
		t.Errorf("%v", r.Err)
	}
}

// W13: a server that closes the connection at CAPA is asked without it.
func TestServerClosesAtCAPA(t *testing.T) {
	for name, end := range map[string]poptest.Action{"in order": poptest.Cut, "by a reset": poptest.Reset} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{})
			w.server.Hook("CAPA", poptest.Always(end))
			w.add(1, 2)
			w.good(2)
			w.good(0)
			w.wantMail(letters(1, 2))
			if n := len(w.server.Sessions()); n != 4 {
				t.Errorf("%d connections for two polls, want two each", n)
			}
		})
	}
}
