package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"popsync/deliver"
	"popsync/fetch/mechanism"
	"popsync/internal/poptest"
	"popsync/internal/secret"
	"popsync/internal/secret/secrettest"
	"popsync/uidl"
)

// A world is one account with everything around it: a server that misbehaves to order, a state
// and a Maildir on disk.
type world struct {
	testing.TB
	server   *poptest.Server
	box      *poptest.Mailbox
	state    string
	db       *uidl.DB
	owner    deliver.Owner // of the present run
	account  Account
	secrets  []string // that the account has had
	dry      bool
	untraced bool
	dialer   dialer
	salt     func() string
	history  time.Duration

	mu     sync.Mutex
	events []Event
	traced strings.Builder
}

// password is that of the world's mailboxes: nothing else looks like it.
const password = "Pw7-never-to-be-shown"

// newWorld has an account over TLS-less loopback; options of the server may change that.
func newWorld(t testing.TB, o poptest.Options) *world {
	t.Helper()
	return worldOf(t, poptest.New(t, o))
}

// inBubble runs test in a world whose time is virtual and whose connections are pipes: waits are
// exact and take no time.
func inBubble(t *testing.T, o poptest.Options, test func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := worldOf(t, poptest.NewPipe(t, o))
		w.dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
			return loopback{w.server.Pipe()}, nil
		}
		w.account.Server = Server{Host: "localhost", Port: 110, Security: Cleartext}
		w.account.Timeout = time.Minute
		w.account.Session = 30 * time.Minute
		test(t, w)
	})
}

// mailbox is user's on server, with the password that accounts have here.
func mailbox(server *poptest.Server, user string) *poptest.Mailbox {
	box := server.Mailbox(user)
	box.SetPassword(password)
	return box
}

// A loopback connection says that it does not leave this machine.
type loopback struct{ net.Conn }

func (loopback) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 110} }

func worldOf(t testing.TB, server *poptest.Server) *world {
	t.Helper()
	w := &world{TB: t, server: server, state: filepath.Join(t.TempDir(), "state.db")}
	w.box = mailbox(w.server, "alice")
	w.salt = func() string { return "0123456789abcdef" }
	w.account = Account{
		Name: "work", User: "alice", Timeout: time.Second, Session: time.Minute, Interval: time.Minute,
		Server: Server{Host: w.server.Host, Port: w.server.Port, Security: Cleartext},
		Auth:   mechanism.Auto,
	}
	w.setPassword(password)
	w.open()
	t.Cleanup(func() { w.db.Close() })
	t.Cleanup(w.noSecret)
	return w
}

// open opens the state, as a new run of the program does.
func (w *world) open() {
	w.Helper()
	db, err := uidl.Open(w.Context(), w.state, uidl.Options{History: w.history})
	if err != nil {
		w.Fatal(err)
	}
	w.db, w.owner = db, deliver.NewOwner(db.ID())
	w.account.Target = w.maildir()
}

func (w *world) reopen() {
	w.Helper()
	if err := w.db.Close(); err != nil {
		w.Fatal(err)
	}
	w.open()
}

func (w *world) maildirPath() string { return filepath.Join(filepath.Dir(w.state), "Maildir") }

func (w *world) maildir() *deliver.Maildir {
	return deliver.NewMaildir(deliver.MaildirOptions{Path: w.maildirPath(), Owner: w.owner})
}

func (w *world) poller() *Poller {
	p := &Poller{Store: w.db, Owner: w.owner, Notify: w.notice, Trace: w.trace, dialer: w.dialer, salt: w.salt}
	if w.untraced {
		p.Trace = nil
	}
	return p
}

// setPassword changes what the account says, not what the server takes.
func (w *world) setPassword(text string) {
	w.secrets = append(w.secrets, text)
	w.account.Password = func(context.Context) (secret.Value, error) { return secret.New(text), nil }
}

func (w *world) trace(account, line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintln(&w.traced, account, line)
}

// noSecret is asked of every test here (A7): nothing that is told, traced or recorded holds the
// password, or a form of it that a log-in sends.
func (w *world) noSecret() {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.traced.String()
	for _, e := range w.events {
		text += fmt.Sprintf("%+v", e)
		if e.Result != nil {
			text += fmt.Sprintf("%+v %v", *e.Result, e.Result.Err)
		}
	}
	state, _ := os.ReadFile(w.state)
	for _, s := range w.secrets {
		if found := secrettest.Find(text+string(state), s); found != "" {
			w.Errorf("a secret is shown: %q", found)
		}
	}
}

func (w *world) notice(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *world) poll() Result {
	w.Helper()
	return w.poller().Fetch(w.Context(), []Account{w.account}, Request{DryRun: w.dry})[0]
}

// letter is a small message that says its number.
func letter(n int) string {
	return fmt.Sprintf("From: sender%d@example.net\r\nMessage-ID: <%d@example.net>\r\nSubject: letter %d\r\n\r\n.dot\r\nbody %d\r\n", n, n, n, n)
}

// add puts letters from..to on the server.
func (w *world) add(from, to int) {
	for n := from; n <= to; n++ {
		w.box.Add(fmt.Sprintf("uid-%d", n), []byte(letter(n)))
	}
}

func letters(from, to int) []string {
	var all []string
	for n := from; n <= to; n++ {
		all = append(all, letter(n))
	}
	return all
}

// mail is all that lies in the Maildir, with CRLF line ends, sorted.
func (w *world) mail() []string {
	w.Helper()
	var all []string
	for _, sub := range []string{"new", "cur"} {
		files, _ := filepath.Glob(filepath.Join(w.maildirPath(), sub, "*"))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				w.Fatal(err)
			}
			all = append(all, string(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))))
		}
	}
	slices.Sort(all)
	return all
}

// wantMail says whether exactly these messages lie in the Maildir, each once, and nothing is left
// in tmp/.
func (w *world) wantMail(want []string) {
	w.Helper()
	got := w.mail()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Errorf("%d messages in the Maildir, not %d:\n%.2000q\nwant\n%.2000q", len(got), len(want), got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(w.maildirPath(), "tmp", "*")); len(left) > 0 {
		w.Errorf("left in tmp/: %q", left)
	}
}

// good is a poll without a failure that brings n new messages.
func (w *world) good(n int) Result {
	w.Helper()
	r := w.poll()
	if r.Err != nil {
		w.Errorf("the poll fails: %v", r.Err)
	}
	if r.New != n {
		w.Errorf("%d new messages, not %d", r.New, n)
	}
	return r
}

// bad is a poll that fails with kind, and whose error has all of words in it.
func (w *world) bad(kind Kind, words ...string) Result {
	w.Helper()
	r := w.poll()
	if r.Err == nil {
		w.Fatalf("the poll does not fail: %+v", r)
	}
	text := r.Err.Error() + "\n" + r.Err.Hint
	if r.Err.Kind != kind {
		w.Errorf("kind %v, not %v: %s", r.Err.Kind, kind, text)
	}
	for _, word := range append(words, "work: "+w.account.Server.String()) {
		if !strings.Contains(text, word) {
			w.Errorf("the error does not say %q: %s", word, text)
		}
	}
	if r.Err.Hint == "" {
		w.Errorf("the error does not say what to do: %s", text)
	}
	return r
}

// last is the last session of the server.
func (w *world) last() poptest.Session {
	w.Helper()
	sessions := w.server.Sessions()
	if len(sessions) == 0 {
		w.Fatal("nobody has connected")
	}
	return sessions[len(sessions)-1]
}

// overTLS makes the account one over TLS with ca's certificates.
func (w *world) overTLS(ca *poptest.CA, security Security) {
	w.account.Server.Host = "localhost"
	w.account.Server.Security = security
	w.account.Server.TLS = &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// records are those of the account.
func (w *world) records() map[string]uidl.Record {
	w.Helper()
	box, err := w.db.Box(w.Context(), w.account.Mailbox(), w.account.Name)
	if err != nil {
		w.Fatal(err)
	}
	entries, err := box.Records(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	all := make(map[string]uidl.Record)
	for _, e := range entries {
		all[e.UID] = e.Record
	}
	return all
}
