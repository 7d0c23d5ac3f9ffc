package fetch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/deliver"
	"popsync/internal/poptest"
	"popsync/uidl"
)

func (w *world) quarantinePath() string {
	return filepath.Join(filepath.Dir(w.state), "quarantine", w.account.Name)
}

// refusing has the account's agent refuse letter 2, and a quarantine after most verdicts.
func (w *world) refusing(most, status int) {
	w.account.Target = w.agent(script(w.TB, fmt.Sprintf("! grep -q 'letter 2' || { echo bad taste >&2; exit %d; }", status)))
	w.account.MaxAttempts = most
	w.account.Quarantine = deliver.NewQuarantine(deliver.MaildirOptions{Path: w.quarantinePath(), Owner: w.owner})
}

// setAside are the files in a folder of the quarantine, by their content.
func (w *world) setAside(folder string) []string {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(w.quarantinePath(), folder, "*"))
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

// happened is the history of the account, in words.
func (w *world) happened() []string {
	w.Helper()
	box, err := w.db.Box(w.Context(), w.account.Mailbox(), w.account.Name)
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	err = box.History(w.Context(), 0, func(e uidl.Event) error {
		all = append(all, fmt.Sprintf("%s %s %s", e.UID, e.What, e.MessageID))
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// D7: after max_attempts verdicts a message is set aside with the reason; it stays on the server,
// and the rest of the mailbox has gone on.
func TestQuarantineAfterTooManyVerdicts(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.refusing(3, 65)
	w.add(1, 3)
	for n := range 3 {
		r := w.bad(CannotWrite, "message", "bad taste")
		if last := n == 2; (r.Left == 0) != last || (len(w.setAside("new")) == 1) != last {
			t.Fatalf("after poll %d: %+v, set aside %q", n+1, r, w.setAside("new"))
		}
	}
	w.good(0)
	if rec := w.records()["uid-2"]; rec.State != uidl.Quarantined || rec.Attempts != 3 {
		t.Errorf("%+v", rec)
	}
	if got := w.box.UIDs(); !slices.Equal(got, []string{"uid-2"}) {
		t.Errorf("on the server: %v", got)
	}
	if got, want := w.setAside("new"), lf(letter(2)); len(got) != 1 || got[0] != want {
		t.Errorf("set aside %q, want %q", got, want)
	}
	if got := w.setAside("reason"); len(got) != 1 || !contains(got[0], "exit status 65", "bad taste") {
		t.Errorf("reason %q", got)
	}
	if left := append(w.setAside("tmp"), spooled(w)...); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// D7: what an agent wants later, and what it could not do, is no verdict.
func TestLaterIsNoVerdict(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.refusing(2, 75)
	w.add(2, 2)
	for range 4 {
		w.bad(Busy)
	}
	w.refusing(2, 65)
	w.bad(CannotWrite)
	w.refusing(2, 75)
	w.bad(Busy)
	if len(w.setAside("new")) > 0 {
		t.Error("it was set aside after one verdict")
	}
	w.refusing(2, 65)
	w.bad(CannotWrite, "refused 2 times", w.quarantinePath())
}

// D7: a program that is missing behind the agent is no verdict on a message.
func TestMissingProgramIsNoVerdict(t *testing.T) {
	for _, status := range []int{126, 127} {
		w := newWorld(t, poptest.Options{})
		w.refusing(1, status)
		w.add(2, 2)
		for range 2 {
			w.bad(CannotWrite)
		}
		if len(w.setAside("new")) > 0 {
			t.Errorf("status %d: set aside", status)
		}
	}
}

// D7, R5: a message in the quarantine is had: QUIT may take note of it.
func TestQuarantinedIsHadAtQuit(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: append(poptest.Capabilities("PIPELINING"), "X-GOOGLE-RICO")})
	w.refusing(1, 65)
	w.add(1, 3)
	w.bad(CannotWrite)
	if !w.last().Quit {
		t.Error("no QUIT")
	}
}

// D2, D7: a quarantine that cannot be written costs nothing: the message is tried again.
func TestQuarantineThatCannotBeWritten(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.refusing(1, 65)
	w.add(2, 2)
	if err := os.MkdirAll(filepath.Dir(w.quarantinePath()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.quarantinePath(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := w.bad(CannotWrite, "bad taste")
	if r.Left != 1 || w.records()["uid-2"].State != uidl.Failed {
		t.Errorf("%+v, %+v", r, w.records()["uid-2"])
	}
	if err := os.Remove(w.quarantinePath()); err != nil {
		t.Fatal(err)
	}
	w.bad(CannotWrite, "set aside")
	w.good(0)
}

// S1, D7: an intent of the quarantine that a crash left is settled there, once.
func TestSettlesAnInterruptedQuarantine(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.refusing(1, 65)
	w.add(2, 2)
	q := w.account.Quarantine
	if err := q.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := stagedIn(t, q, letter(2))
	box, err := w.db.Box(t.Context(), w.account.Mailbox(), w.account.Name)
	if err != nil {
		t.Fatal(err)
	}
	intent := uidl.Intent{Ref: uidl.Ref{UID: "uid-2"}, Size: 1, Staged: st.Size, Target: q.Location(), Name: st.Name, At: uidl.At(today)}
	if err := box.Commit(t.Context(), uidl.Change{Intend: []uidl.Intent{intent}}); err != nil {
		t.Fatal(err)
	}
	w.good(0)
	if rec := w.records()["uid-2"]; rec.State != uidl.Quarantined {
		t.Errorf("%+v", rec)
	}
	if got := w.setAside("new"); len(got) != 1 {
		t.Errorf("set aside %q", got)
	}
}

// O4: what became of each message stands in the history, with its Message-ID.
func TestHistory(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.reopenWithHistory()
	w.account.Keep.Delete = true
	w.add(1, 2)
	w.good(2)
	w.refusing(2, 65)
	w.box.Add("uid-3", []byte("Subject: letter 2\r\n\r\nno id\r\n"))
	w.bad(CannotWrite)
	w.bad(CannotWrite)
	want := []string{
		"uid-1 delivered <1@example.net>", "uid-2 delivered <2@example.net>", "uid-1 deleted ", "uid-2 deleted ",
		"uid-3 refused ", "uid-3 quarantined ",
	}
	if diff := cmp.Diff(want, w.happened()); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// reopenWithHistory opens the state as one that keeps a history.
func (w *world) reopenWithHistory() {
	w.Helper()
	w.history = 90 * 24 * time.Hour
	w.reopen()
}

// stagedIn stages a message in target, durably.
func stagedIn(t *testing.T, target deliver.Target, text string) deliver.Staged {
	t.Helper()
	st, err := target.Stage(t.Context(), "uid", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Sync(t.Context(), []deliver.Staged{st})[0]; err != nil {
		t.Fatal(err)
	}
	return st
}

func spooled(w *world) []string {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(w.state), "spool", "*"))
	return files
}

func lf(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func contains(text string, words ...string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}
