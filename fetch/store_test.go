package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"popsync/deliver"
	"popsync/internal/poptest"
	"popsync/uidl"
)

// A countingStore counts the commits that write something.
type countingStore struct {
	store
	commits int
}

func (c *countingStore) Commit(ctx context.Context, change uidl.Change) error {
	if len(change.Intend)+len(change.Confirm)+len(change.Abandon)+len(change.Update)+len(change.Forget) > 0 || change.Poll != nil {
		c.commits++
	}
	return c.store.Commit(ctx, change)
}

// A failingStore fails from the n-th commit on, as a database does whose disk is full. Whether
// the failed commit is durable is not known: it is, where late is set.
type failingStore struct {
	store
	good int
	late bool
	err  error
}

func (f *failingStore) Commit(ctx context.Context, change uidl.Change) error {
	if f.err != nil {
		return f.err
	}
	if f.good--; f.good >= 0 {
		return f.store.Commit(ctx, change)
	}
	if f.late {
		if err := f.store.Commit(ctx, change); err != nil {
			return err
		}
	}
	f.err = syscall.ENOSPC
	return f.err
}

// S4, S1: whichever commit fails, whether it became durable or not, nothing is lost, nothing
// comes twice, and nothing is deleted on the server that is not recorded.
func TestFailingCommits(t *testing.T) {
	for n := range 4 {
		for _, late := range []bool{false, true} {
			w := newWorld(t, poptest.Options{})
			w.account.Keep.Delete = true
			w.add(1, 6)
			r := w.pollWith(func(s store) store { return &failingStore{store: s, good: n, late: late} })
			if r.Err != nil && r.Err.Kind != InputOutput {
				t.Errorf("commit %d: %v", n, r.Err)
			}
			for _, uid := range []string{"uid-1", "uid-6"} {
				if !slices.Contains(w.box.UIDs(), uid) && w.records()[uid].State == uidl.Unknown {
					t.Errorf("commit %d: %s was deleted and is not recorded", n, uid)
				}
			}
			w.reopen()
			if r := w.poll(); r.Err != nil {
				t.Errorf("commit %d: %v", n, r.Err)
			}
			w.wantMail(letters(1, 6))
			if left := w.box.UIDs(); len(left) > 0 {
				t.Errorf("commit %d: %v stay on the server", n, left)
			}
		}
	}
}

var errKilled = errors.New("killed")

// S2: between a crash and the next start a reader moves, marks or deletes what was delivered and
// not recorded: still not twice, still not lost.
func TestReaderBetweenCrashAndRestart(t *testing.T) {
	for name, read := range map[string]func(t *testing.T, maildir, file string){
		"leaves it": func(*testing.T, string, string) {},
		"marks it as read": func(t *testing.T, maildir, file string) {
			rename(t, file, filepath.Join(maildir, "cur", filepath.Base(file)+":2,S"))
		},
		"deletes it": func(t *testing.T, _, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{})
			w.add(1, 3)
			w.pollWith(func(s store) store { return &onlyIntents{s} }) // dies when the deliveries are to be recorded
			delivered, _ := filepath.Glob(filepath.Join(w.maildirPath(), "new", "*"))
			if len(delivered) == 0 {
				t.Fatal("nothing was delivered")
			}
			before := w.mail()
			for _, file := range delivered {
				read(t, w.maildirPath(), file)
			}
			w.reopen()
			if r := w.poll(); r.Err != nil {
				t.Fatal(r.Err)
			}
			if name == "deletes it" {
				for _, m := range w.mail() {
					if slices.Contains(before, m) {
						t.Errorf("comes again: %q", m)
					}
				}
				return
			}
			w.wantMail(letters(1, 3))
		})
	}
}

// onlyIntents is a store that dies after the first commit with intents in it.
type onlyIntents struct{ store }

func (o *onlyIntents) Commit(ctx context.Context, change uidl.Change) error {
	if len(change.Confirm) > 0 || change.Poll != nil {
		return errKilled
	}
	return o.store.Commit(ctx, change)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// An intent is settled where it was staged, though the account delivers elsewhere now.
func TestIntentOfAnEarlierConfiguration(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.pollWith(func(s store) store { return &onlyIntents{s} })
	w.reopen()
	elsewhere := filepath.Join(t.TempDir(), "Maildir")
	w.account.Target = deliver.NewMaildir(deliver.MaildirOptions{Path: elsewhere, Owner: w.owner})
	if r := w.poll(); r.Err != nil {
		t.Fatal(r.Err)
	}
	there, _ := filepath.Glob(filepath.Join(elsewhere, "new", "*"))
	if n := len(w.mail()) + len(there); n != 3 {
		t.Errorf("%d messages in both, not 3", n)
	}
}

// S1: a crash while intents are settled hands one message over again at most, and not all that
// were settled before it.
func TestCrashWhileSettlingAnAgentsIntents(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	log := filepath.Join(t.TempDir(), "log")
	agent := script(t, "grep Subject >>"+log)
	w.account.Target = w.agent(agent)
	w.add(1, 10)
	w.pollWith(func(s store) store { return &onlyIntents{s} }) // dies with the first delivery
	for range 3 {
		w.reopen()
		w.account.Target = w.agent(agent)
		w.pollWith(func(s store) store { return &mortal{store: s, commits: 2} })
	}
	w.reopen()
	w.account.Target = w.agent(agent)
	if r := w.poll(); r.Err != nil {
		t.Fatal(r.Err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	const kills = 4
	if n := strings.Count(string(text), "Subject"); n < 10 || n > 10+kills {
		t.Errorf("the agent had %d messages for 10, after %d kills", n, kills)
	}
	for n := range 10 {
		if !strings.Contains(string(text), fmt.Sprintf("letter %d\n", n+1)) {
			t.Errorf("letter %d is lost", n+1)
		}
	}
}

// mortal is a store that dies after some commits that write something.
type mortal struct {
	store
	commits int
}

func (m *mortal) Commit(ctx context.Context, change uidl.Change) error {
	if len(change.Intend)+len(change.Confirm)+len(change.Abandon) > 0 {
		if m.commits--; m.commits < 0 {
			return errKilled
		}
	}
	return m.store.Commit(ctx, change)
}

// pollWith is a poll whose store is another one's shell.
func (w *world) pollWith(shell func(store) store) Result {
	w.Helper()
	box, err := w.db.Box(w.Context(), w.account.Mailbox(), w.account.Name)
	if err != nil {
		w.Fatal(err)
	}
	s := &session{
		account: w.account, records: shell(box), owner: w.owner, leftovers: new(leftovers),
		intentNames: w.db.IntentNames, now: time.Now, tell: func(Event) {}, entering: func() {}, dialer: w.dialer,
	}
	return s.poll(w.Context())
}

// D7, S1: while the state cannot be written, no agent is handed the same message at each poll.
func TestAgentRestsWhileTheStateFails(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	log := filepath.Join(t.TempDir(), "log")
	agent := script(t, "grep Subject >>"+log)
	w.account.Target = w.agent(agent)
	w.add(1, 3)
	w.pollWith(func(s store) store { return &onlyIntents{s} })
	runs := func() int {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "Subject")
	}
	before := runs()
	for range 3 {
		r := w.pollWith(func(s store) store { return &failingStore{store: s} })
		if r.Err == nil || !r.StateBroken {
			t.Errorf("%+v", r)
		}
	}
	if n := runs(); n != before {
		t.Errorf("the agent ran %d times more", n-before)
	}
}

// S3: what cannot be read of the last polls is not written over: pauses after refused log-ins would
// be forgotten, and there would be nothing left to repair.
func TestUnreadablePollIsNotWrittenOver(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 1)
	counted := new(countingStore)
	r := w.pollWith(func(s store) store {
		counted.store = s
		return blindStore{counted}
	})
	if r.Err == nil || r.Err.Kind != CannotWrite || counted.commits > 0 || len(w.server.Sessions()) > 0 {
		t.Errorf("%v, %d commits, %d sessions", r.Err, counted.commits, len(w.server.Sessions()))
	}
	if r.StateBroken {
		t.Error("damage of one mailbox is taken for the state's")
	}
}

type blindStore struct{ store }

func (blindStore) Poll(context.Context) (uidl.Poll, error) {
	return uidl.Poll{}, &uidl.DamageError{Path: "state.db", Mailbox: &uidl.Mailbox{}, Err: errors.New("the checksum is wrong")}
}

// A state that was taken away, or cannot be written, may be another one when it is opened again.
func TestUnusableStates(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"damaged as a whole": {&uidl.DamageError{Err: errors.New("it was removed")}, true},
		"unwritten":          {&uidl.WriteError{Err: errors.New("no space")}, true},
		"one mailbox":        {&uidl.DamageError{Mailbox: &uidl.Mailbox{}, Err: errors.New("tally")}, false},
		"the network":        {errors.New("connection refused"), false},
	} {
		if got := unusable(&Error{Err: c.err}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Where messages come one at a time, those of a moment share what it costs to make them durable.
func TestSlowMessagesShareTransactions(t *testing.T) {
	inBubble(t, poptest.Options{Capabilities: poptest.Capabilities("PIPELINING")}, func(t *testing.T, w *world) {
		w.add(1, 30)
		w.server.Hook("RETR", poptest.Late(50*time.Millisecond))
		counted := new(countingStore)
		r := w.pollWith(func(s store) store {
			counted.store = s
			return counted
		})
		if r.Err != nil || r.New != 30 {
			t.Fatalf("%d new: %v", r.New, r.Err)
		}
		if counted.commits > 8 { // one for five messages, each time, and the last
			t.Errorf("%d commits", counted.commits)
		}
		w.wantMail(letters(1, 30))
	})
}
