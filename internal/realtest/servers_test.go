package realtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A trial is a product that runs, popsync, and what was found out.
type trial struct {
	Product
	Server
	popsync Popsync
	dir     string
	row     *row

	mu    sync.Mutex
	sent  map[string]Census // by user: all that was put on the server
	names map[Sum]string    // of what was put there
}

// The users of a trial: one for each part of it, so that none is in another's way.
const (
	keeps     = "user01"
	deletes   = "user02"
	wrong     = "user03"
	talks     = "user04"
	logsIn    = "user05" // and those after it, one for each kind of TLS
	trialists = 8
)

// startTrial starts p.
func startTrial(t *testing.T, p Product) *trial {
	t.Helper()
	build := buildPlain
	if underRace {
		build = buildRace
	}
	popsync, err := build()
	if err != nil {
		t.Fatal(err)
	}
	server, err := p.Start(users(trialists)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", tail(server.Log(), 30))
		}
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if p.Clean == nil {
		p.Clean = asIs
	}
	return &trial{
		Product: p, Server: server, popsync: popsync, dir: t.TempDir(), row: newRow(),
		sent: map[string]Census{}, names: map[Sum]string{},
	}
}

// account is that of user, whose Maildir has the same name.
func (tr *trial) account(user, tls string, keep bool) Account {
	a := Account{
		Name: user, User: user, Host: Host(1), Port: tr.Port(tls), TLS: tls, Keep: keep,
		Maildir: filepath.Join(tr.dir, user),
	}
	if tls != Cleartext {
		a.CA = tr.CA()
	}
	return a
}

// put has messages arrive.
func (tr *trial) put(t testing.TB, user string, messages ...Message) {
	t.Helper()
	census, err := tr.Put(user, messages...)
	if err != nil {
		t.Fatal(err)
	}
	tr.note(user, census, "an ordinary message")
}

// fetch polls a and returns the exit status and what was said.
func (tr *trial) fetch(t testing.TB, a Account) (status int, said string) {
	t.Helper()
	config := filepath.Join(tr.dir, "of "+a.Name, "config.yaml") // with a state of its own
	if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteConfig(config, a); err != nil {
		t.Fatal(err)
	}
	child, err := tr.popsync.Start(config, "fetch")
	if err != nil {
		t.Fatal(err)
	}
	status = wait(t, child)
	return status, child.Stdout() + child.Stderr()
}

// fetchWell polls a, and everything that was ever sent has to be in the Maildir then, once, and
// on the server what keep says.
func (tr *trial) fetchWell(t testing.TB, a Account) {
	t.Helper()
	if status, said := tr.fetch(t, a); status != 0 || said != "" {
		t.Errorf("popsync fetch ends with status %d and says:\n%s", status, said)
	}
	tr.check(t, a)
	held, err := retrieve(tr, a.User)
	if err != nil {
		t.Fatal(err)
	}
	if differs := tr.differ(held, a.User, a.Keep); differs != "" {
		t.Errorf("on the server:\n%s", differs)
	}
}

// check wants everything that was ever sent in the Maildir of a, once.
func (tr *trial) check(t testing.TB, a Account) {
	t.Helper()
	came, err := came(a)
	if err != nil {
		t.Fatal(err)
	}
	if differs := tr.differ(came, a.User, true); differs != "" {
		t.Errorf("in the Maildir:\n%s", differs)
	}
}

// came reads what lies in the Maildir of a.
func came(a Account) (bag, error) {
	all := bag{}
	err := filepath.WalkDir(a.Maildir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{"new", "cur"}, filepath.Base(filepath.Dir(path))) {
			return err
		}
		message, err := os.ReadFile(path)
		all[string(message)]++
		return err
	})
	return all, err
}

// putOdd has all oddities arrive that the server can hold.
func (tr *trial) putOdd(t testing.TB, user string) {
	t.Helper()
	for _, o := range Oddities() {
		if _, cannot := tr.Cannot[o.Name]; cannot {
			continue
		}
		census, err := tr.Put(user, Message{Raw: o.Raw})
		if err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
		tr.note(user, census, o.Name)
	}
}

// note adds what was put on the server.
func (tr *trial) note(user string, census Census, name string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.sent[user] == nil {
		tr.sent[user] = Census{}
	}
	tr.sent[user].Add(census)
	for sum := range census {
		tr.names[sum] = name
	}
}

// differ says how messages differ from all that was ever sent to user, or from none, or returns "".
func (tr *trial) differ(found bag, user string, all bool) string {
	cleaned := bag{}
	for message, n := range found {
		cleaned[string(tr.Clean([]byte(message)))] += n
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	want := Census{}
	if all {
		want = tr.sent[user]
	}
	return cleaned.differ(want, tr.names)
}

// bringsEverythingOnce polls for odd messages, for none, for new ones, and for none again.
// A message's UID is not unique everywhere: W14 of the requirements; W2 is about its bytes.
func (tr *trial) bringsEverythingOnce(t *testing.T, user string, keep bool) {
	a := tr.account(user, tr.TLS[len(tr.TLS)-1], keep)
	tr.putOdd(t, user)
	tr.put(t, user, Messages(1, 20, 3000)...)
	tr.fetchWell(t, a)
	tr.fetchWell(t, a)
	tr.put(t, user, Messages(1000, 3, 3000)...)
	tr.put(t, user, Message{Raw: twins()[0].Raw + "It came later.\n"})
	tr.fetchWell(t, a)
	tr.fetchWell(t, a)
}

// refusesAWrongPassword: A4 of the requirements.
func (tr *trial) refusesAWrongPassword(t *testing.T) {
	a := tr.account(wrong, tr.TLS[0], true)
	a.Password = "wrong word"
	status, said := tr.fetch(t, a)
	if status != 77 {
		t.Errorf("status %d after a wrong password, want 77:\n%s", status, said)
	}
	if !strings.Contains(said, a.Name) {
		t.Errorf("the account is not named:\n%s", said)
	}
}

// logsInBy fetches a message by each way to log in: A1 of the requirements.
func (tr *trial) logsInBy(t *testing.T, l LogIn) {
	user := users(trialists)[slices.Index(users(trialists), logsIn)+slices.Index(everyTLS, l.TLS)]
	a := tr.account(user, l.TLS, true)
	a.Name = l.Auth + "-" + l.TLS
	a.Auth, a.Maildir = l.Auth, filepath.Join(tr.dir, a.Name)
	tr.prepare(t, &a)
	before := len(tr.Log())
	if status, said := tr.fetch(t, a); status != 0 || said != "" {
		t.Fatalf("popsync fetch ends with status %d and says:\n%s", status, said)
	}
	tr.check(t, a)
	if tr.Method == "" {
		return
	}
	method := regexp.MustCompile(strings.ReplaceAll(tr.Method, "USER", user))
	eventually(t, 10*time.Second, "logged", func() bool {
		found := method.FindStringSubmatch(tr.Log()[before:])
		if found != nil {
			tr.row.took[l] = found[1]
		}
		return found != nil
	})
}

// prepare gives a what its way to log in needs besides a password.
func (tr *trial) prepare(t *testing.T, a *Account) {
	switch a.Auth {
	case "external":
		server := tr.Server.(interface{ Certificate(string) (string, string) })
		a.ClientCert, a.ClientKey = server.Certificate(a.User)
	case "xoauth2", "oauthbearer":
		a.Password = tr.Server.(interface{ Token(string) string }).Token(a.User)
	}
}

// talk writes down what the server announces.
func (tr *trial) talk(t *testing.T) {
	for _, kind := range tr.TLS {
		r, err := dialRaw(tr, kind)
		if err != nil {
			t.Fatal(err)
		}
		before := r.capabilities()
		stamp := strings.Contains(r.greeting, "<")
		if err := r.logIn(talks); err != nil {
			t.Fatal(err)
		}
		after := r.capabilities()
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		tr.row.saw(kind, announced{stamp: stamp, before: before, after: after})
	}
}

// Every server that popsync is tried with: each mode and message, and what docs/servers.md says
// of it.
func TestServersTable(t *testing.T) {
	rows := make([]*row, len(Products))
	t.Run("servers", func(t *testing.T) {
		for i, p := range Products {
			t.Run(p.Name, func(t *testing.T) {
				t.Parallel()
				NeedProduct(t, p)
				rows[i] = tryProduct(t, p)
			})
		}
	})
	compareTable(t, rows)
}

// tryProduct goes through all that a row tells.
func tryProduct(t *testing.T, p Product) *row {
	tr := startTrial(t, p)
	version, err := p.Version()
	if err != nil {
		t.Fatal(err)
	}
	tr.row.version = version
	t.Run("announces", tr.talk)
	t.Run("polls", func(t *testing.T) { // both at once, since Courier wants ten seconds between log-ins
		t.Run("keep", func(t *testing.T) {
			t.Parallel()
			defer func() { tr.row.keep = !t.Failed() }()
			tr.bringsEverythingOnce(t, keeps, true)
		})
		t.Run("delete", func(t *testing.T) {
			t.Parallel()
			defer func() { tr.row.delete = !t.Failed() }()
			tr.bringsEverythingOnce(t, deletes, false)
		})
	})
	for i := range p.TLS {
		user := users(trialists)[slices.Index(users(trialists), logsIn)+i]
		tr.put(t, user, Messages(uint64(100*i), 3, 3000)...)
	}
	for _, l := range p.LogIns {
		if t.Run(fmt.Sprintf("auth %s, tls %s", l.Auth, l.TLS), func(t *testing.T) { tr.logsInBy(t, l) }) {
			tr.row.loggedIn(l)
		}
	}
	// Last, since some servers keep an address waiting after it.
	tr.row.refuses = t.Run("wrong password", tr.refusesAWrongPassword)
	return tr.row
}
