package realtest

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// P1 of the requirements: ten accounts on hosts of their own, one of which never answers and one
// refuses.
func TestHangingHostDelaysNobody(t *testing.T) {
	t.Parallel() // it mostly waits
	const timeout = 15 * time.Second
	names := users(10)
	eachServer(t, names, func(t *testing.T, r *rig) {
		var accounts []Account
		for i, user := range names {
			r.put(t, user, Messages(uint64(i)*1000, 50, 3000)...)
			a := r.account(user, Implicit, i%2 == 0)
			a.Host, a.Timeout = Host(i+1), timeout
			accounts = append(accounts, a)
		}
		hanging := listenSilently(t, accounts[2].Host)
		accounts[2].Port = hanging.port
		refused, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		accounts[6].Port = refused
		healthy := append(append(accounts[:2:2], accounts[3:6]...), accounts[7:]...)

		child := r.start(t, "fetch", accounts...)
		eventually(t, timeout, "all mail of the eight other accounts there", func() bool {
			for _, a := range healthy {
				if r.arrived(a) != nil {
					return false
				}
			}
			return true
		})
		if n := hanging.waiting.Load(); n != 1 {
			t.Errorf("%d connections wait for the silent host once the others' mail is there, want 1", n)
		}
		if status := wait(t, child); status != 69 {
			t.Errorf("status %d, want 69", status)
		}
		r.check(t, healthy...)
		for _, a := range []Account{accounts[2], accounts[6]} {
			if !strings.Contains(child.Stderr(), a.Name+": ") {
				t.Errorf("nothing is said about %s:\n%s", a.Name, child.Stderr())
			}
		}
	})
}

// silence is a listener that takes connections and never says a word.
type silence struct {
	port    int
	waiting atomic.Int64 // connections that are open
}

func listenSilently(t testing.TB, host string) *silence {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &silence{port: l.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.waiting.Add(1)
			go func() {
				defer s.waiting.Add(-1)
				defer conn.Close()
				for buf := make([]byte, 1<<10); err == nil; {
					_, err = conn.Read(buf)
				}
			}()
		}
	}()
	return s
}
