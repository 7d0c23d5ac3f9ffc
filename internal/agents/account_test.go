package agents

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// D9: an agent that takes its time and a Maildir that cannot be written stop their own accounts.
func TestOneAgentHoldsUpNobodyElse(t *testing.T) {
	h := newHome(t)
	for _, user := range []string{"slow", "full", "well"} {
		h.server.Mailbox(user).Add("uid-1", []byte("Subject: hello\r\n\r\nworld\r\n"))
	}
	h.program(t, "agent", "#!/bin/sh\nuntil test -e $HOME/go; do sleep 0.05; done\ncat >$HOME/mail/slow\n")
	h.write(t, "full", "a file in the Maildir's place")
	h.configure(t,
		account{name: "slow", user: "slow", deliver: h.agent([]string{"$HOME/agent"}, slack)},
		account{name: "full", user: "full", deliver: fmt.Sprintf("{maildir: %s}", h.path("full"))},
		account{name: "well", user: "well", deliver: fmt.Sprintf("{maildir: %s}", h.path("well"))},
	)
	child := h.start(t)
	for begun := time.Now(); len(h.files(t, "well/new")) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > slack {
			t.Fatal("the agent holds up an account that has none")
		}
	}
	select {
	case <-child.Done():
		t.Error("popsync has not waited for the agent")
	default:
	}
	h.write(t, "go", "")
	status, said := child.Wait(), h.asOnThePage(child.Stderr())
	if want := "full: pop.example.org:110: deliver: /home/alice/full: a file is in the Maildir's place\n"; status != 73 || !strings.HasPrefix(said, want) {
		t.Errorf("status %d, %q; want 73, %q", status, said, want)
	}
	if got := h.files(t, "mail")["slow"]; got != "Subject: hello\n\nworld\n" {
		t.Errorf("the slow agent has got %q", got)
	}
}
