package agents

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

const (
	timeout = time.Second     // of an agent that takes longer
	grace   = 3 * time.Second // from SIGTERM, or from the agent's end, to SIGKILL
)

// A home is where an agent is tried: a user's folder, popsync in it, and a server with mail.
type home struct {
	dir     string
	popsync realtest.Popsync
	server  *poptest.Server
	mails   []string // as they lie on the server
}

func newHome(t testing.TB, mails ...string) *home {
	t.Helper()
	popsync, err := build()
	if err != nil {
		t.Fatal(err)
	}
	h := &home{dir: t.TempDir(), popsync: popsync, server: poptest.New(t, poptest.Options{}), mails: mails}
	for i, mail := range mails {
		h.server.Mailbox("alice").Add(fmt.Sprint("uid-", i+1), []byte(mail))
	}
	if err := os.Mkdir(h.path("mail"), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

// expand puts the home in place of $HOME, for those who take another one from the list of users.
func (h *home) expand(text string) string { return strings.ReplaceAll(text, "$HOME", h.dir) }

// program writes an executable file. Meanwhile no other test may start a process, which would
// inherit the file open for writing: it could not be run.
func (h *home) program(t testing.TB, name, content string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(h.path(name), []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
}

func (h *home) write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(h.path(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// agent is the value of deliver that has argv take the mail; $HOME in it is the home.
func (h *home) agent(argv []string, patience time.Duration) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = fmt.Sprintf("%q", h.expand(arg))
	}
	return fmt.Sprintf("{mda: [%s], timeout: %v, max_attempts: %d}", strings.Join(quoted, ", "), patience, attempts)
}

// An account is one of the configuration.
type account struct {
	name, user string
	keep       bool
	deliver    string // the key's value
}

func (h *home) configure(t testing.TB, accounts ...account) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "state: %s\ndefaults: {host: 127.0.0.1, port: %d, tls: none, password: %s}\naccounts:\n",
		h.path("state/state.db"), h.server.Port, poptest.Password)
	for _, a := range accounts {
		fmt.Fprintf(&b, "  - {name: %s, username: %s, keep: %v, deliver: %s}\n", a.name, a.user, a.keep, a.deliver)
	}
	h.write(t, "config.yaml", b.String())
}

// A poll is one run of `popsync fetch`.
type poll struct {
	status    int
	said      []string // the lines of standard error
	took      time.Duration
	retrieved int // messages
}

func (h *home) fetch(t testing.TB) poll {
	t.Helper()
	before := len(h.server.Sessions())
	begun := time.Now()
	child := h.start(t)
	p := poll{status: child.Wait(), took: time.Since(begun)}
	if said := child.Stdout(); said != "" {
		t.Errorf("popsync fetch writes to standard output where nobody looks: %q", said)
	}
	p.said = strings.Split(strings.TrimSuffix(h.asOnThePage(child.Stderr()), "\n"), "\n")
	for _, session := range h.server.Sessions()[before:] {
		for _, verb := range session.Verbs() {
			if verb == "RETR" {
				p.retrieved++
			}
		}
	}
	return p
}

// start starts `popsync fetch`; it ends at the latest with the test.
func (h *home) start(t testing.TB) *realtest.Child {
	t.Helper()
	child, err := h.popsync.Start(h.path("config.yaml"), "fetch")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Stop(5 * time.Second) })
	return child
}

// asOnThePage puts what is the same everywhere in place of what is chosen anew in each run.
func (h *home) asOnThePage(text string) string {
	text = strings.ReplaceAll(text, h.dir, "/home/alice")
	text = strings.ReplaceAll(text, h.server.Addr(), "pop.example.org:110")
	return fileName.ReplaceAllString(text, "NAME")
}

// fileName is what popsync calls a file in a Maildir.
var fileName = regexp.MustCompile(`[0-9]+\.R[0-9a-f]+Q[0-9]+_s[0-9a-f]+I[0-9a-f]+\.[^ ,:]+`)

// files are the contents of the files in a folder by their names, none if it is not there.
func (h *home) files(t testing.TB, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(h.path(folder))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(h.path(folder), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		contents[e.Name()] = string(content)
	}
	return contents
}

// processes are those whose $HOME is this home, popsync and all that came of it. A process that has
// ended and that nobody has waited for has no environment any more.
func (h *home) processes(t testing.TB) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skipf("what an agent leaves running cannot be seen here: %v", err)
	}
	var pids []int
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscan(e.Name(), &pid); err != nil {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		for variable := range bytes.SplitSeq(environ, []byte{0}) {
			if string(variable) == "HOME="+h.dir {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// leftRunning tells whether processes live on, and ends them. One that was just killed may take a moment.
func (h *home) leftRunning(t testing.TB) bool {
	t.Helper()
	for range 200 {
		if len(h.processes(t)) == 0 {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, pid := range h.processes(t) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	return true
}
