package realtest

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// P2 and P4 of the requirements: mail arrives in accounts with intervals of their own, SIGTERM
// comes in the middle of a fetch, and after a restart every message is there once.
func TestRunEndsInOrderAndGoesOn(t *testing.T) {
	t.Parallel() // it mostly waits
	rounds := 2
	if *long {
		rounds = 20
	}
	names := users(3)
	eachServer(t, names, func(t *testing.T, r *rig) {
		relay := r.relay(t)
		var accounts []Account
		for i, user := range names {
			a := r.account(user, Cleartext, i != 1)
			a.Port, a.Interval = relay.Port(), time.Duration(i+1)*time.Second
			accounts = append(accounts, a)
		}
		seed := uint64(0)
		put := func(user string, n int) {
			r.put(t, user, Messages(seed, n, 3000)...)
			seed += uint64(n)
		}
		allThere := func() bool {
			for _, a := range accounts {
				if r.arrived(a) != nil {
					return false
				}
			}
			return true
		}

		for range rounds {
			child := r.start(t, "run", accounts...)
			for range 20 {
				put(names[rand.IntN(len(names))], 1+rand.IntN(3))
				time.Sleep(200 * time.Millisecond)
			}
			eventually(t, 20*time.Second, "all mail there", allThere)

			r.terminateWhileBusy(t, child, relay, func() { put(names[rand.IntN(len(names))], 1000) })
			if allThere() {
				t.Error("SIGTERM came too late: all mail is there")
			}
		}

		child := r.start(t, "run", accounts...)
		eventually(t, 20*time.Second, "all mail there after a restart", allThere)
		time.Sleep(4 * time.Second) // another poll of each
		terminate(t, child)
		r.check(t, accounts...)
		endWithQuit(t, relay)
	})
}

// terminateWhileBusy ends child by SIGTERM while it fetches, over a slow line, what fill puts on
// the server.
func (r *rig) terminateWhileBusy(t *testing.T, child *Child, relay *Relay, fill func()) {
	t.Helper()
	relay.Pace(2 * time.Millisecond)
	defer relay.Pace(0)
	before := relay.Count("RETR")
	fill()
	eventually(t, 20*time.Second, "in the middle of a fetch", func() bool { return relay.Count("RETR") > before+20 })
	terminate(t, child)
}

// terminate sends SIGTERM to `popsync run`.
func terminate(t *testing.T, child *Child) {
	t.Helper()
	begun := time.Now()
	if err := child.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	status := wait(t, child)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("ended %v after SIGTERM", took)
	}
	if status != 0 {
		t.Errorf("status %d after SIGTERM, want 0:\n%s", status, child.Stderr())
	}
}

// endWithQuit wants QUIT at the end of every session but those that were cut in their log-in.
func endWithQuit(t *testing.T, relay *Relay) {
	t.Helper()
	for i, sent := range relay.Sessions() {
		loggedIn := slices.Contains(sent, "STAT") || slices.Contains(sent, "UIDL")
		if loggedIn && sent[len(sent)-1] != "QUIT" {
			t.Errorf("session %d ends with %v, not with QUIT", i+1, sent[max(0, len(sent)-10):])
		}
	}
}
