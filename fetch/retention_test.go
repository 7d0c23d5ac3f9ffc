package fetch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"popsync/deliver"
	"popsync/internal/poptest"
	"popsync/uidl"
)

// R1: keep: false deletes what was delivered, and only that.
func TestDeleteWhatWasDelivered(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.add(1, 5)
	w.server.Hook("RETR", poptest.WithArg("2", poptest.Send("-ERR no\r\n")))
	r := w.bad(Protocol, "message 2")
	if r.Deleted != 4 || !slices.Equal(w.box.UIDs(), []string{"uid-2"}) {
		t.Errorf("%d deleted, %v stay", r.Deleted, w.box.UIDs())
	}
	w.server.Hook("RETR", nil)
	w.good(1)
	if len(w.box.UIDs()) > 0 {
		t.Errorf("%v stay", w.box.UIDs())
	}
	w.good(0)
	w.wantMail(letters(1, 5))
}

// W11, R4: a QUIT that is refused, or whose answer is lost, with or without effect: nothing comes
// twice, and what stayed is deleted later without a download.
func TestUncertainQuit(t *testing.T) {
	for name, c := range map[string]struct {
		quit    poptest.Action
		kind    Kind
		deletes bool
	}{
		"refused":              {poptest.Send("-ERR some messages not deleted\r\n"), Protocol, false},
		"lost, without effect": {poptest.Cut, Unreachable, false},
		"lost, with effect":    {poptest.Seq(poptest.Commit, poptest.Cut), Unreachable, true},
		"unanswered":           {poptest.Stall, Unreachable, false},
		"nonsense":             {poptest.Send("\x1b[2J garbage\r\n"), Protocol, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, poptest.Options{}, func(t *testing.T, w *world) {
				w.account.Keep.Delete = true
				w.add(1, 3)
				w.server.Hook("QUIT", poptest.Always(c.quit))
				w.bad(c.kind, "quit")
				w.wantMail(letters(1, 3))
				if gone := len(w.box.UIDs()) == 0; gone != c.deletes {
					t.Fatalf("on the server: %v", w.box.UIDs())
				}
				w.server.Hook("QUIT", nil)
				w.reopen()
				w.good(0)
				if s := w.last(); len(s.Args("RETR")) > 0 || len(w.box.UIDs()) > 0 {
					t.Errorf("%v stay after\n%s", w.box.UIDs(), s)
				}
				w.wantMail(letters(1, 3))
			})
		})
	}
}

// W11: deletions whose QUIT was not answered, and that happened: the UID may be used again.
func TestUIDIsUsedAgainAfterUncertainQuit(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.add(1, 1)
	w.server.Hook("QUIT", poptest.Always(poptest.Seq(poptest.Commit, poptest.Cut)))
	w.bad(Unreachable, "quit")
	w.server.Hook("QUIT", nil)
	w.good(0)
	w.box.Add("uid-1", []byte(letter(2)))
	w.good(1)
	w.wantMail(letters(1, 2))
}

// W14: without PIPELINING, too, the sizes are asked for where only they tell messages apart.
func TestSharedUIDsWithoutPipelining(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: poptest.Capabilities("PIPELINING")})
	w.box.Add("same", []byte(letter(1)))
	w.box.Add("same", []byte(letter(10)))
	w.good(2)
	w.box.Clear()
	w.box.Add("same", []byte(letter(10)))
	w.box.Add("same", []byte(letter(100)))
	w.good(1)
	w.wantMail([]string{letter(1), letter(10), letter(100)})
}

// S6: a UID that popsync deleted is used again for another message, and that one is delivered.
func TestDeletedUIDIsUsedAgain(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.add(1, 1)
	w.good(1)
	w.good(0) // a complete listing without it
	w.box.Add("uid-1", []byte(letter(2)))
	w.good(1)
	w.wantMail(letters(1, 2))
}

// S6: one that vanished by itself is remembered: a window of the mailbox (Gmail) may show it again.
func TestVanishedIsRemembered(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 3)
	w.good(3)
	w.box.Remove("uid-1", "uid-2")
	w.good(0)
	if rec := w.records()["uid-1"]; rec.MissingSince.IsZero() {
		t.Errorf("%+v", rec)
	}
	w.add(1, 1)
	w.box.Add("uid-2", []byte(letter(22))) // another size
	w.good(1)
	w.wantMail(append(letters(1, 3), letter(22)))
}

// R4: a server that forgets deletions is asked again without a download, R6: and not for ever.
func TestForgetfulServer(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.add(1, 2)
	w.server.Hook("QUIT", poptest.Always(poptest.Seq(poptest.Send("+OK\r\n"), poptest.Cut)))
	for n := range 5 {
		w.poll()
		if got, want := len(w.last().Args("DELE")), 2; n < mostDeletions && got != want || n >= mostDeletions && got != 0 {
			t.Errorf("session %d asks for %d deletions", n+1, got)
		}
	}
	w.wantMail(letters(1, 2))
}

// R5: where QUIT makes the server forget what was retrieved, a session with an undelivered
// message ends without it, and due deletions go in a second session without RETR.
func TestQuitThatCommitsRetrieval(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: append(poptest.Capabilities("PIPELINING"), "X-GOOGLE-RICO")})
	w.account.Keep.Delete = true
	refuse := filepath.Join(t.TempDir(), "agent")
	if err := os.WriteFile(refuse, []byte("#!/bin/sh\n! grep -q 'letter 2'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.account.Target = w.agent(refuse)
	w.add(1, 3)
	r := w.bad(CannotWrite, "message 2")
	if r.New != 2 || r.Deleted != 2 {
		t.Errorf("%+v", r)
	}
	sessions := w.server.Sessions()
	if len(sessions) != 2 || sessions[0].Quit || !sessions[1].Quit || len(sessions[1].Args("RETR")) > 0 {
		t.Errorf("sessions:\n%v", sessions)
	}
	if !slices.Equal(w.box.UIDs(), []string{"uid-2"}) {
		t.Errorf("%v stay", w.box.UIDs())
	}
}

// R5: with keep: true and everything delivered, QUIT is sent there too.
func TestQuitCommitsWhatIsDelivered(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: append(poptest.Capabilities("PIPELINING"), "X-GOOGLE-RICO")})
	w.add(1, 3)
	w.good(3)
	if !w.last().Quit {
		t.Error("no QUIT")
	}
}

// S8: a renamed account keeps its records; another user is another mailbox.
func TestRecordsBelongToTheMailbox(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 2)
	w.good(2)
	w.account.Name = "renamed"
	if r := w.poll(); r.Err != nil || r.New != 0 {
		t.Errorf("renamed: %+v", r)
	}
	bob := mailbox(w.server, "bob")
	bob.Add("uid-1", []byte(letter(9)))
	w.account.User = "bob"
	if r := w.poll(); r.Err != nil || r.New != 1 {
		t.Errorf("another user: %+v", r)
	}
}

// A dry run says what would happen, and changes nothing anywhere.
func TestDryRun(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.account.Keep.Delete = true
	w.add(1, 2)
	w.good(2)
	w.add(3, 5)
	w.box.Add("uid-1", []byte(letter(1))) // the server forgot its deletion
	w.dry = true
	r := w.poll()
	if r.Err != nil || r.New != 3 || r.Deleted != 1 {
		t.Errorf("%+v", r)
	}
	for _, verb := range []string{"RETR", "DELE", "TOP"} {
		if len(w.last().Args(verb)) > 0 {
			t.Errorf("%s in a dry run", verb)
		}
	}
	w.wantMail(letters(1, 2))
	w.dry = false
	w.good(3)
}

// R4: what was retrieved only to see whether it is another message is deleted like any other: where
// messages are deleted, and only what popsync itself has delivered.
func TestRetrievedToSeeAndKept(t *testing.T) {
	for name, c := range map[string]struct {
		state  uidl.State
		delete bool
		stays  bool
	}{
		"kept":        {uidl.Delivered, false, true},
		"deleted":     {uidl.Delivered, true, false},
		"quarantined": {uidl.Quarantined, true, true},
		"imported":    {uidl.Imported, true, true},
		"seen":        {uidl.Seen, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, poptest.Options{})
			w.add(1, 3)
			w.good(3)
			box, err := w.db.Box(t.Context(), w.account.Mailbox(), w.account.Name)
			if err != nil {
				t.Fatal(err)
			}
			rec := w.records()["uid-3"]
			rec.State = c.state
			if err := box.Commit(t.Context(), uidl.Change{Update: []uidl.Entry{{Ref: uidl.Ref{UID: "uid-3"}, Record: rec}}}); err != nil {
				t.Fatal(err)
			}
			w.box.Remove("uid-3")
			w.good(0)
			w.account.Keep.Delete = c.delete
			w.box.Add("uid-3", []byte(letter(3)+"a footer\r\n"))
			w.good(0)
			if stays := slices.Contains(w.box.UIDs(), "uid-3"); stays != c.stays {
				t.Errorf("it stays: %v", stays)
			}
			w.good(0)
			if n := len(w.last().Args("RETR")); n > 0 {
				t.Error("it is retrieved again at each poll")
			}
			w.wantMail(letters(1, 3))
		})
	}
}

// A server whose QUIT takes note of what was retrieved hears it also where that was retrieved only to see:
// nothing of it is missing here.
func TestRetrievedToSeeAndQuit(t *testing.T) {
	w := newWorld(t, poptest.Options{Capabilities: append(poptest.Capabilities(), commitsAtQuit)})
	w.add(1, 2)
	w.good(2)
	w.box.Remove("uid-2")
	w.good(0)
	w.box.Add("uid-2", []byte(letter(2)+"a footer\r\n"))
	w.good(0)
	if s := w.last(); len(s.Args("RETR")) != 1 || !s.Quit {
		t.Errorf("session:\n%s", s)
	}
}

// S7: a poll with nothing new writes the time of the poll, in one transaction.
func TestNothingNewIsOneCommit(t *testing.T) {
	w := newWorld(t, poptest.Options{})
	w.add(1, 50)
	w.good(50)
	counted := new(countingStore)
	r := w.pollWith(func(s store) store {
		counted.store = s
		return counted
	})
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	if counted.commits != 1 {
		t.Errorf("%d commits", counted.commits)
	}
}

// agent is a target that hands each message to program.
func (w *world) agent(program string) deliver.Target {
	return deliver.NewMDA(deliver.MDAOptions{
		Argv: []string{program}, Spool: filepath.Join(filepath.Dir(w.state), "spool"),
		Account: w.account.Name, Owner: w.owner,
	})
}

var _ store = (*uidl.Box)(nil)
