package realtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestEveryMessageArrivesOnce(t *testing.T) {
	names := users(6)
	eachServer(t, names, func(t *testing.T, r *rig) {
		var accounts []Account
		for _, keep := range []bool{true, false} {
			for _, tls := range []string{Cleartext, StartTLS, Implicit} {
				accounts = append(accounts, r.account(names[len(accounts)], tls, keep))
			}
		}
		for _, a := range accounts {
			t.Run(fmt.Sprintf("tls %s, keep %v", a.TLS, a.Keep), func(t *testing.T) { r.threePolls(t, a, 2000) })
		}
	})
}

// threePolls polls a for n messages, for none, and for five more.
func (r *rig) threePolls(t *testing.T, a Account, n int) {
	r.put(t, a.User, Messages(1, n, 3000)...)
	for _, more := range []int{0, 0, 5} {
		r.put(t, a.User, Messages(1e6, more, 3000)...)
		r.fetch(t, a)
		r.check(t, a)
	}
}

func TestTenAccountsAtOnce(t *testing.T) {
	names := users(10)
	eachServer(t, names, func(t *testing.T, r *rig) {
		var accounts []Account
		for i, user := range names {
			a := r.account(user, []string{Cleartext, StartTLS, Implicit}[i%3], i%2 == 0)
			r.put(t, user, Messages(uint64(i)*1000, 200, 3000)...)
			accounts = append(accounts, a)
		}
		r.fetch(t, accounts...)
		r.check(t, accounts...)
		for i, user := range names {
			r.put(t, user, Messages(1e6+uint64(i)*1000, 5, 3000)...)
		}
		r.fetch(t, accounts...)
		r.check(t, accounts...)
	})
}

// Agents of Debian deliver into a Maildir, so that their mail can be compared as well.
func TestAgentsGetEveryMessageOnce(t *testing.T) {
	agents := []struct {
		program string
		rule    string // of its configuration; %s is the Maildir
		tls     string
		keep    bool
	}{
		{"procmail", "LOGFILE=/dev/null\nMAILDIR=%[1]s\nDEFAULT=%[1]s/\n", Implicit, true},
		{"maildrop", "to \"%s\"\n", StartTLS, false},
	}
	names := users(len(agents))
	eachServer(t, names, func(t *testing.T, r *rig) {
		for i, agent := range agents {
			t.Run(agent.program, func(t *testing.T) {
				a := r.account(names[i], agent.tls, agent.keep)
				rules := filepath.Join(r.dir, agent.program+"rc")
				if err := os.WriteFile(rules, fmt.Appendf(nil, agent.rule, a.Maildir), 0o600); err != nil {
					t.Fatal(err)
				}
				for _, sub := range []string{"tmp", "new", "cur"} {
					if err := os.MkdirAll(filepath.Join(a.Maildir, sub), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				a.MDA = []string{Need(t, agent.program), rules}
				r.threePolls(t, a, 2000)
			})
		}
	})
}
