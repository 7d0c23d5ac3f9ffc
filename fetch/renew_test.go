package fetch

import (
	"fmt"
	"strings"
	"testing"

	"popsync/internal/poptest"
	"popsync/uidl"
)

// W15: a mailbox that has got new UIDs is not fetched a second time; rebind knows its messages
// again, and mail that came meanwhile arrives.
func TestRenumberedMailbox(t *testing.T) {
	for _, caps := range [][]string{nil, poptest.Capabilities("PIPELINING")} {
		w := newWorld(t, poptest.Options{Capabilities: caps})
		w.add(1, 30)
		w.good(30)
		w.box.Renumber()
		w.add(31, 32)
		for range 2 {
			w.bad(Protocol, "renumbered", "30 of 30", "popsync uidl rebind work")
		}
		w.wantMail(letters(1, 30))

		if r, err := w.poller().Rebind(t.Context(), w.account, Request{DryRun: true}); err != nil || r != (Rebinding{Known: 30, Unknown: 32, Matched: 30}) {
			t.Errorf("dry run: %+v, %v", r, err)
		}
		w.bad(Protocol, "renumbered")
		r, err := w.poller().Rebind(t.Context(), w.account, Request{})
		if err != nil || r != (Rebinding{Known: 30, Unknown: 32, Matched: 30}) {
			t.Errorf("got %+v, %v", r, err)
		}
		if n := strings.Count(w.last().String(), "RETR"); n > 0 {
			t.Errorf("%d RETR", n)
		}
		w.good(2)
		w.good(0)
		w.wantMail(letters(1, 32))
	}
}

// W15: what was only emptied, or holds other mail of the same sizes, is fetched.
func TestOtherMailOfTheSameSizes(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	var want []string
	for day := range 2 {
		w.box.Clear()
		for i := range 25 {
			raw := fmt.Sprintf("Subject: report\r\nMessage-ID: <%d.%02d@example.org>\r\n\r\nall is well\r\n", day, i)
			w.box.Add(fmt.Sprintf("%d-%02d", day, i), []byte(raw))
			want = append(want, raw)
		}
		w.good(25)
	}
	w.wantMail(want)
}

// W15: where TOP is refused, the sizes alone have to do.
func TestRenumberedWithoutTOP(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 30)
	w.good(30)
	w.box.Renumber()
	w.server.Hook("TOP", poptest.Always(poptest.Send("-ERR unknown command\r\n")))
	w.bad(Protocol, "renumbered")
	w.wantMail(letters(1, 30))
}

// W15: with keep: false nothing that was renumbered is deleted.
func TestRenumberedDeletesNothing(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 30)
	w.good(30)
	w.box.Renumber()
	w.account.Keep.Delete = true
	w.bad(Protocol, "renumbered")
	if n := len(w.box.UIDs()); n != 30 {
		t.Errorf("%d messages left on the server", n)
	}
}

// W16: new UIDs at every poll bring one copy, a word, and then no more; new mail still comes.
func TestNewUIDsAtEveryPoll(t *testing.T) {
	w := newWorld(t, poptest.Options{NewUIDs: true})
	w.add(1, 3)
	w.good(3)
	w.good(3)
	if !w.warned("new UIDs") {
		t.Error("nobody was told")
	}
	for range 3 {
		if r := w.bad(Protocol, "new UIDs at every poll"); r.New > 0 {
			t.Errorf("%d copies", r.New)
		}
	}
	w.add(4, 4)
	if r := w.bad(Protocol, "new UIDs at every poll"); r.New != 1 {
		t.Errorf("%d new messages, want the one that is new", r.New)
	}
	w.wantMail(append(letters(1, 4), letters(1, 3)...))
}

// W16 with a large mailbox: after rebind the records follow the UIDs by themselves.
func TestNewUIDsAtEveryPollOfALargeMailbox(t *testing.T) {
	w := newWorld(t, poptest.Options{NewUIDs: true})
	w.add(1, 40)
	w.good(40)
	w.bad(Protocol, "renumbered")
	if _, err := w.poller().Rebind(t.Context(), w.account, Request{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.bad(Protocol, "new UIDs at every poll")
	}
	w.wantMail(letters(1, 40))
}

// W16: one message that comes once more after it was moved away and back is no such server.
func TestOneMessageUnderANewUID(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 1)
	w.good(1)
	w.box.Renumber()
	w.good(1)
	w.good(0)
	w.box.Renumber()
	w.good(1)
}

// warned says whether a warning with words has been told.
func (w *world) warned(words string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == Warned && strings.Contains(e.Text, words) {
			return true
		}
	}
	return false
}

// R4: a deleted message that is listed again is looked at before it is deleted unread: another one
// may lie under its UID, even with its size.
func TestReusedUIDOfTheSameSize(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	first := "Subject: one\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"
	second := strings.Replace(first, "<1@", "<2@", 1)
	w.box.Add("uid", []byte(first))
	w.good(1)
	w.box.Add("uid", []byte(second))
	w.good(1)
	w.good(0)
	w.wantMail([]string{first, second})
	if n := len(w.box.UIDs()); n != 0 {
		t.Errorf("%d messages left on the server", n)
	}
}

// R4: one whose deletion the server forgot is deleted again without a download.
func TestForgottenDeletionIsVerifiedByTOP(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.add(1, 2)
	w.server.Hook("QUIT", poptest.Nth(1, poptest.DeletesNothing))
	w.good(2)
	w.good(0)
	if n := len(w.box.UIDs()); n != 0 {
		t.Errorf("%d messages left on the server", n)
	}
	if talk := w.last().String(); strings.Contains(talk, "RETR") || !strings.Contains(talk, "TOP 1 0") {
		t.Errorf("want TOP and no RETR:\n%s", talk)
	}
	w.wantMail(letters(1, 2))
}

// R7: what is too large by LIST stays, is told once, and is no failure.
func TestTooLargeByLIST(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.MaxMessageSize = 1000
	w.add(1, 2)
	w.box.Add("large", []byte("Subject: large\r\n\r\n"+strings.Repeat("0123456789\r\n", 200)))
	w.add(3, 3)
	for i := range 3 {
		w.events = nil
		r := w.good([]int{3, 0, 0}[i])
		if r.TooLarge != 1 || r.Left != 0 {
			t.Errorf("poll %d: %d too large, %d left", i+1, r.TooLarge, r.Left)
		}
		if told := w.warned("larger than max_message_size"); told != (i == 0) {
			t.Errorf("poll %d: told is %v", i+1, told)
		}
	}
	w.wantMail(letters(1, 3))
	w.account.MaxMessageSize = 0
	w.good(1)
}

// R7: one that outgrows what LIST said is given up soon, told, and not tried again; the others
// come at the next poll.
func TestTooLargeWhileStreaming(t *testing.T) {
	for _, caps := range [][]string{nil, poptest.Capabilities("PIPELINING")} {
		w := newWorld(t, poptest.Options{Capabilities: caps})
		w.account.MaxMessageSize = 64 << 10
		w.add(1, 2)
		w.box.AddFunc("endless", 500, poptest.Endless("0123456789\r\n"))
		w.add(3, 4)
		r := w.bad(Protocol, "retrieve", "message 3", "max_message_size")
		if r.New != 2 {
			t.Errorf("%d new before it", r.New)
		}
		w.good(2)
		w.good(0)
		w.wantMail(letters(1, 4))
		if rec := w.records()["endless"]; rec.State != uidl.Failed || !rec.Told {
			t.Errorf("its record is %+v", rec)
		}
	}
}

// R7: a mailbox larger than max_messages drains over several polls, the oldest first.
func TestMaxMessages(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.MaxMessages = 3
	w.add(1, 8)
	for i, n := range []int{3, 3, 2, 0} {
		if r := w.good(n); r.Left != max(0, 8-3*(i+1)) {
			t.Errorf("poll %d: %d left", i+1, r.Left)
		}
	}
	w.wantMail(letters(1, 8))
}

// W16: without headers to compare, other mail of the same size is fetched each time.
func TestSameSizesAloneKeepNothingBack(t *testing.T) {
	for name, refuse := range map[string]bool{"TOP is refused": true, "there is no header": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{})
			if refuse {
				w.server.Hook("TOP", poptest.Always(poptest.Send("-ERR unknown command\r\n")))
			}
			var want []string
			for i := range 5 {
				raw := fmt.Sprintf("\r\nbody %d\r\n", i)
				if refuse {
					raw = "Subject: a\r\n" + raw
				}
				w.box.Clear()
				w.box.Add(fmt.Sprint("uid-", i), []byte(raw))
				w.good(1)
				want = append(want, raw)
			}
			w.wantMail(want)
		})
	}
}

// R4: a server that forgets deletions and whose TOP is never like its RETR brings no copies.
func TestTOPThatIsNeverLikeRETR(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.server.Hook("QUIT", poptest.Always(poptest.DeletesNothing))
	w.server.Hook("TOP", poptest.Always(poptest.Send("+OK\r\nSubject: another\r\n\r\n.\r\n")))
	w.add(1, 1)
	for range 8 {
		w.poll()
	}
	w.wantMail(letters(1, 1))
}

// R4: alarms have neither Message-ID nor Date. Whether one that is listed again is another one shows
// only when it is looked at whole; it comes once, and nothing is deleted unread.
func TestMessagesWithoutATellingHeader(t *testing.T) {
	alarm := func(n int) string { return fmt.Sprintf("Subject: low battery\r\n\r\nat %02d:00\r\n", n) }
	t.Run("the same UID again", func(t *testing.T) {
		w := newWorld(t, poptest.Options{})
		w.account.Keep.Delete = true
		for n := range 4 {
			w.box.Add("uid", []byte(alarm(n)))
			w.good(1)
		}
		w.good(0)
		w.wantMail([]string{alarm(0), alarm(1), alarm(2), alarm(3)})
	})
	t.Run("a forgotten deletion", func(t *testing.T) {
		w := newWorld(t, poptest.Options{})
		w.account.Keep.Delete = true
		w.server.Hook("QUIT", poptest.Nth(1, poptest.DeletesNothing))
		w.box.Add("uid", []byte(alarm(1)))
		w.good(1)
		w.good(0)
		w.wantMail([]string{alarm(1)})
		if n := len(w.box.UIDs()); n != 0 {
			t.Errorf("%d messages left on the server", n)
		}
	})
}

// W14: two messages that nothing tells apart, and one of them is refused at first: both arrive once.
func TestTwinsOfWhichOneIsRefused(t *testing.T) {
	for _, refused := range []string{"1", "2"} {
		for _, deletes := range []bool{false, true} {
			w := newWorld(t, poptest.Options{})
			w.account.Keep.Delete = deletes
			twin := letter(1)
			w.box.Add("uid", []byte(twin))
			w.box.Add("uid", []byte(twin))
			first := true
			w.server.Hook("RETR", func(c *poptest.Conn, arg string) poptest.Action {
				if arg == refused && first {
					first = false
					return poptest.Send("-ERR not now\r\n")
				}
				return poptest.Default
			})
			w.bad(Protocol, "not now")
			w.good(1)
			w.good(0)
			w.wantMail([]string{twin, twin})
			if n := len(w.box.UIDs()); deletes && n != 0 || !deletes && n != 2 {
				t.Errorf("refused %s, keep %v: %d messages left on the server", refused, !deletes, n)
			}
		}
	}
}

// W14, R7: twins that come one a poll.
func TestTwinsOneAPoll(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.account.MaxMessages = 1
	twin := letter(1)
	w.box.Add("uid", []byte(twin))
	w.box.Add("uid", []byte(twin))
	w.good(1)
	w.good(1)
	w.good(0)
	w.wantMail([]string{twin, twin})
}

// R4: what is recorded as delivered, and was about to be deleted, may have been: its UID is looked at
// before it is deleted, or skipped, the next time.
func TestUIDReusedAfterAnUnrecordedDeletion(t *testing.T) {
	for name, second := range map[string]string{"the same size": letter(2), "without a telling header": "Subject: x\r\n\r\n" + strings.Repeat("x", len(letter(1))-16) + "\r\n"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{})
			w.account.Keep.Delete = true
			w.box.Add("uid", []byte(letter(1)))
			w.server.Hook("QUIT", poptest.Nth(1, poptest.Seq(poptest.After(0, poptest.Cut))))
			w.poll()
			w.box.Clear()
			w.box.Add("uid", []byte(second))
			w.good(1)
			w.good(0)
			w.wantMail([]string{letter(1), second})
		})
	}
}

// W14, R4: a message that was missing and is back is looked at before it is deleted.
func TestMissingAndBackIsLookedAt(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.box.Add("uid", []byte(letter(1)))
	w.good(1)
	w.box.Clear()
	w.good(0)
	w.account.Keep.Delete = true
	w.box.Add("uid", []byte(letter(2)))
	w.good(1)
	w.wantMail(letters(1, 2))
}

// W14: of twins one waits for its turn, and another client deletes one of them: what is left is fetched.
func TestTwinIsDeletedByAnother(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.MaxMessages = 1
	w.box.Add("uid", []byte(letter(1)))
	w.box.Add("uid", []byte(letter(2)))
	w.good(1)
	w.box.Clear()
	w.box.Add("uid", []byte(letter(2)))
	w.good(1)
	w.wantMail(letters(1, 2))
}

// R6, W14: a server that forgets deletions brings no copies without end, shared UIDs and a limit
// notwithstanding.
func TestForgetfulServerWithTwinsAndALimit(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.account.MaxMessages = 1
	w.server.Hook("QUIT", poptest.Always(poptest.DeletesNothing))
	for range 2 {
		w.box.Add("uid", []byte(letter(1)))
	}
	for range 24 {
		w.poll()
	}
	if n := len(w.mail()); n > 2*mostDeletions {
		t.Errorf("%d copies of two messages", n)
	}
}
