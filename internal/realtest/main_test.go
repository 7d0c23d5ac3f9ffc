package realtest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var long = flag.Bool("long", false, "run for minutes what else runs for seconds")

// built is where the program lies once it is built; TestMain removes it.
var built string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "popsync-realtest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = dir
	flag.Parse()
	flag.Set("test.parallel", "16") // what runs in parallel here mostly waits
	return m.Run()
}

var (
	buildPlain = sync.OnceValues(func() (Popsync, error) { return buildIn("plain", false) })
	buildRace  = sync.OnceValues(func() (Popsync, error) { return buildIn("race", true) })
)

func buildIn(sub string, race bool) (Popsync, error) {
	dir := filepath.Join(built, sub)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	return Build(dir, race)
}

// A rig is a server, popsync, and a folder for popsync's configuration, state and mail.
type rig struct {
	Server
	popsync Popsync
	dir     string
	sent    map[string]Census // by user: all that was put on the server
}

// eachServer runs test against every server that is installed.
func eachServer(t *testing.T, users []string, test func(*testing.T, *rig)) {
	for _, s := range Servers {
		t.Run(s.Name, func(t *testing.T) {
			Need(t, s.Program)
			build := buildPlain
			if underRace {
				build = buildRace
			}
			popsync, err := build()
			if err != nil {
				t.Fatal(err)
			}
			server, err := s.Start(users...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the end of the server's log:\n%s", tail(server.Log(), 20))
				}
				if err := server.Stop(); err != nil {
					t.Error(err)
				}
			})
			test(t, &rig{Server: server, popsync: popsync, dir: t.TempDir(), sent: map[string]Census{}})
		})
	}
}

// users makes n names of them.
func users(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("user%02d", i+1)
	}
	return names
}

// account is that of a user who has a Maildir of the same name.
func (r *rig) account(user, tls string, keep bool) Account {
	a := Account{
		Name: user, User: user, Host: Host(1), Port: r.Port(tls), TLS: tls, Keep: keep,
		Maildir: filepath.Join(r.dir, user),
	}
	if tls != Cleartext {
		a.CA = r.CA()
	}
	return a
}

// put has messages arrive on the server.
func (r *rig) put(t testing.TB, user string, messages ...Message) {
	t.Helper()
	census, err := r.Put(user, messages...)
	if err != nil {
		t.Fatal(err)
	}
	if r.sent[user] == nil {
		r.sent[user] = Census{}
	}
	r.sent[user].Add(census)
}

// start runs a command of popsync for accounts; it ends at the latest with the test.
func (r *rig) start(t testing.TB, command string, accounts ...Account) *Child {
	t.Helper()
	config := filepath.Join(r.dir, accounts[0].Name+".yaml")
	if err := WriteConfig(config, accounts...); err != nil {
		t.Fatal(err)
	}
	child, err := r.popsync.Start(config, command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Stop(5 * time.Second) })
	return child
}

// wait is child.Wait, for no longer than anything here may take.
func wait(t testing.TB, child *Child) (status int) {
	t.Helper()
	const limit = 3 * time.Minute
	select {
	case <-child.Done():
	case <-time.After(limit):
		t.Fatalf("popsync has not ended after %v: %v", limit, child.Stop(5*time.Second))
	}
	return child.Wait()
}

// fetch polls accounts once. All must go well, and nothing be said about it.
func (r *rig) fetch(t testing.TB, accounts ...Account) {
	t.Helper()
	child := r.start(t, "fetch", accounts...)
	if status := wait(t, child); status != 0 {
		t.Fatalf("popsync fetch ends with status %d:\n%s", status, child.Stderr())
	}
	if said := child.Stdout() + child.Stderr(); said != "" {
		t.Errorf("popsync fetch says where nobody looks:\n%s", said)
	}
}

// check wants every message once in each account's Maildir, nothing half done there, and on the
// server what keep says.
func (r *rig) check(t testing.TB, accounts ...Account) {
	t.Helper()
	for _, a := range accounts {
		if err := r.arrived(a); err != nil {
			t.Errorf("%s: Maildir: %v", a.Name, err)
		}
		if n, err := Files(filepath.Join(a.Maildir, "tmp")); n != 0 || err != nil {
			t.Errorf("%s: tmp/ of the Maildir holds %d files (%v)", a.Name, n, err)
		}
		want := Census{}
		if a.Keep {
			want = r.sent[a.User]
		}
		held, err := r.Holds(a.User)
		if err != nil {
			t.Fatal(err)
		}
		if err := held.Compare(want); err != nil {
			t.Errorf("%s: on the server: %v", a.Name, err)
		}
	}
}

// arrived says how the Maildir of a differs from all that was sent.
func (r *rig) arrived(a Account) error {
	census, err := Count(a.Maildir)
	if err != nil {
		return err
	}
	return census.Compare(r.sent[a.User])
}

// eventually waits for done to be true, and fails t after within.
func eventually(t testing.TB, within time.Duration, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > within {
			t.Fatalf("after %v: not yet %s", within, what)
		}
	}
}
