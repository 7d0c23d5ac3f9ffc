package realtest

import (
	"testing"
	"time"
)

func TestHugeMessageInLittleMemory(t *testing.T) {
	const (
		size  = 200 << 20
		limit = 64 << 20
	)
	eachServer(t, users(1), func(t *testing.T, r *rig) {
		var err error
		if r.popsync, err = buildPlain(); err != nil { // the race detector needs memory of its own
			t.Fatal(err)
		}
		a := r.account(users(1)[0], Implicit, true)
		r.put(t, a.User, Message{Seed: 1, Size: size})
		child := r.start(t, "fetch", a)
		peak := watchMemory(child)
		if status := wait(t, child); status != 0 {
			t.Fatalf("popsync fetch ends with status %d:\n%s", status, child.Stderr())
		}
		r.check(t, a)
		switch used := <-peak; {
		case used == 0:
			t.Log("how much memory a process has had is not known here")
		case used > limit:
			t.Errorf("%d MiB of memory for a message of %d MiB; more than %d", used>>20, size>>20, limit>>20)
		default:
			t.Logf("%d MiB of memory", used>>20)
		}
	})
}

// watchMemory says, once child is over, the most memory that it was seen to have had.
func watchMemory(child *Child) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		var most int64
		for {
			if now, err := child.PeakMemory(); err == nil {
				most = now
			}
			select {
			case <-child.Done():
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return peak
}

// S7 of the requirements.
func TestKeptMailboxCostsOneListing(t *testing.T) {
	const kept = 20_000
	eachServer(t, users(1), func(t *testing.T, r *rig) {
		relay := r.relay(t)
		a := r.account(users(1)[0], Cleartext, true)
		a.Port = relay.Port()
		r.put(t, a.User, Messages(1, kept, 400)...)
		r.fetch(t, a)
		r.check(t, a)

		r.put(t, a.User, Messages(1e6, 10, 400)...)
		before := relay.counts()
		r.fetch(t, a)
		r.check(t, a)
		spent := relay.since(before)
		for name, want := range map[string]int{"log-in": 1, "UIDL": 1, "RETR": 10, "TOP": 0, "DELE": 0, "QUIT": 1} {
			if spent[name] != want {
				t.Errorf("%d × %s for ten new messages among %d, want %d", spent[name], name, kept, want)
			}
		}
	})
}

// relay puts a relay before the server's port without TLS.
func (r *rig) relay(t testing.TB) *Relay {
	t.Helper()
	relay, err := StartRelay(r.Port(Cleartext))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.Close)
	return relay
}

func (r *Relay) counts() map[string]int {
	counts := map[string]int{"log-in": r.logins()}
	for verb := range verbs {
		counts[verb] = r.Count(verb)
	}
	return counts
}

func (r *Relay) since(before map[string]int) map[string]int {
	counts := r.counts()
	for name := range counts {
		counts[name] -= before[name]
	}
	return counts
}

func (r *Relay) logins() int { return r.Count("PASS", "APOP", "AUTH") }
