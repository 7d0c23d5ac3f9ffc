package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"popsync/internal/poptest"
	"popsync/internal/secret/secrettest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"popsync": main})
}

// TestScripts runs testdata/*.txtar, one file a verb. The number of a requirement stands above
// each case.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("LANG", "C.UTF-8")
			e.Values[serversKey] = map[string]*server{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server":    serverCmd,
			"provider":  providerCmd,
			"mail":      mailCmd,
			"box":       boxCmd,
			"renumber":  renumberCmd,
			"nosecret":  noSecretCmd,
			"answer":    answerCmd,
			"sessions":  sessionsCmd,
			"config":    configCmd,
			"flip":      flipCmd,
			"status":    statusCmd,
			"await":     awaitCmd,
			"listed":    listedCmd,
			"late":      lateCmd,
			"term":      termCmd,
			"signal":    signalCmd,
			"delivered": deliveredCmd,
			"json":      jsonCmd,
			"bigmail":   bigmailCmd,
			"tmpfs":     tmpfsCmd,
			"remount":   remountCmd,
			"person":    personCmd,
		},
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Geteuid() == 0 && runtime.GOOS == "linux", nil
		},
	})
}

const serversKey = "servers"

// password is that of all mailboxes here. What tests print is searched for it (make test LOG=...).
const password = "Pw7-never-to-be-shown"

type server struct {
	*poptest.Server
	listed int // see listedCmd
}

// serverCmd: server NAME [tls|starttls|CERTIFICATE-KIND] starts a POP3 server. NAME_PORT is its
// port, NAME_CA the file of its CA.
func serverCmd(ts *testscript.TestScript, neg bool, args []string) {
	var o poptest.Options
	if len(args) > 1 {
		dir := ts.MkAbs(args[0] + ".ca")
		ts.Check(os.Mkdir(dir, 0o700))
		ca, err := poptest.MakeCA(dir)
		ts.Check(err)
		kind := poptest.Good
		switch args[1] {
		case "tls":
		case "starttls":
			o.STLS = true
		default:
			kind = poptest.Kind(args[1])
		}
		o.TLS = ca.Config(kind)
		ts.Setenv(args[0]+"_CA", ca.File)
	}
	s, err := poptest.Start(o)
	ts.Check(err)
	ts.Defer(s.Close)
	ts.Setenv(args[0]+"_PORT", strconv.Itoa(s.Port))
	ts.Value(serversKey).(map[string]*server)[args[0]] = &server{Server: s}
}

func serverNamed(ts *testscript.TestScript, name string) *server {
	s := ts.Value(serversKey).(map[string]*server)[name]
	if s == nil {
		ts.Fatalf("no server %s", name)
	}
	return s
}

// mailCmd: mail SERVER USER [UID TEXT] has a message arrive; without one only the mailbox is there.
func mailCmd(ts *testscript.TestScript, neg bool, args []string) {
	box := serverNamed(ts, args[0]).Mailbox(args[1])
	box.SetPassword(password)
	if len(args) > 2 {
		box.Add(args[2], []byte("Subject: "+args[3]+"\r\n\r\n"+args[3]+"\r\n"))
	}
}

// boxCmd: box SERVER USER N has a mailbox with N messages, each of another size.
func boxCmd(ts *testscript.TestScript, neg bool, args []string) {
	box := serverNamed(ts, args[0]).Mailbox(args[1])
	box.SetPassword(password)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	for i := range n {
		box.Add(fmt.Sprint("uid-", i), fmt.Appendf(nil, "Subject: %d\r\nMessage-ID: <%d@example.org>\r\n\r\n%s\r\n", i, i, strings.Repeat("x", i)))
	}
}

// renumberCmd: renumber SERVER USER gives all messages of a mailbox new UIDs.
func renumberCmd(ts *testscript.TestScript, neg bool, args []string) {
	serverNamed(ts, args[0]).Mailbox(args[1]).Renumber()
}

// noSecretCmd: nosecret [FILE...] wants no secret in files, or in what the last program has said.
func noSecretCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		args = []string{"stdout", "stderr"}
	}
	for _, file := range args {
		if found := secrettest.Find(ts.ReadFile(file), secrettest.Mark); found != "" {
			ts.Fatalf("%s shows %q", file, found)
		}
	}
}

// answerCmd: answer SERVER VERB TEXT answers a command in another way; \e is ESC, \n a
// line's end. "stall" never answers.
func answerCmd(ts *testscript.TestScript, neg bool, args []string) {
	action := poptest.Send(strings.NewReplacer(`\e`, "\x1b", `\n`, "\r\n").Replace(args[2]) + "\r\n")
	switch args[2] {
	case "stall":
		action = poptest.Stall
	case "default":
		action = poptest.Default
	}
	serverNamed(ts, args[0]).Hook(args[1], poptest.Always(action))
}

// sessionsCmd: sessions SERVER N wants as many connections so far.
func sessionsCmd(ts *testscript.TestScript, neg bool, args []string) {
	if n := len(serverNamed(ts, args[0]).Sessions()); strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d sessions, want %s", n, args[1])
	}
}

// configCmd: config FILE... puts the environment's values into files, and closes them to others.
func configCmd(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
		ts.Check(os.Chmod(ts.MkAbs(file), 0o600))
	}
}

// statusCmd: status N PROGRAM ARGUMENT... runs a program that has to end so.
func statusCmd(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if got := exitStatus(err); strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d (%v), want %s", got, err, args[0])
	}
}

func exitStatus(err error) int {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// signalCmd: signal SERVER VERB SIGNAL,... N PROGRAM ARGUMENT... sends the signals once the server
// has read VERB, and wants the program to end within 5 s and with status N, -1 for death by a
// signal. Its output is in the files stdout.txt and stderr.txt.
func signalCmd(ts *testscript.TestScript, neg bool, args []string) {
	s, verb := serverNamed(ts, args[0]), args[1]
	path, err := exec.LookPath(args[4])
	if p := filepath.Join(filepath.Dir(os.Args[0]), args[4]); err != nil && exists(p) {
		path = p
	}
	before := len(s.Sessions())
	cmd := exec.Command(path, args[5:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"HOME=" + cmd.Dir, "PATH=" + ts.Getenv("PATH"), "LANG=C.UTF-8"}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if !within(10*time.Second, func() bool { return asked(s.Sessions()[before:], verb) }) {
		_ = cmd.Process.Kill()
		ts.Fatalf("no %s within 10 s; %s", verb, stderr.String())
	}
	for i, name := range strings.Split(args[2], ",") {
		if i > 0 {
			time.Sleep(2 * once)
		}
		ts.Check(cmd.Process.Signal(map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[name]))
	}
	select {
	case err := <-ended:
		if got := exitStatus(err); strconv.Itoa(got) != args[3] {
			ts.Fatalf("exit status %d (%v), want %s; %s", got, err, args[3], stderr.String())
		}
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		ts.Fatalf("still there 5 s after SIG%s; %s", args[2], stderr.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), []byte(stdout.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), []byte(stderr.String()), 0o600))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func within(d time.Duration, holds func() bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

func asked(sessions []poptest.Session, verb string) bool {
	return slices.ContainsFunc(sessions, func(s poptest.Session) bool { return slices.Contains(s.Verbs(), verb) })
}

// deliveredCmd: delivered MAILDIR N wants N messages in new/ and nothing in tmp/.
func deliveredCmd(ts *testscript.TestScript, neg bool, args []string) {
	count := func(sub string) int {
		entries, err := os.ReadDir(filepath.Join(ts.MkAbs(args[0]), sub))
		ts.Check(err)
		return len(entries)
	}
	if n := count("new"); strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d messages in new, want %s", n, args[1])
	}
	if n := count("tmp"); n != 0 {
		ts.Fatalf("%d files are left in tmp", n)
	}
}

// jsonCmd: json [PATH VALUE]... wants exactly one document on standard output; PATH is a.b.0.c.
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	var doc any
	ts.Check(d.Decode(&doc))
	if err := d.Decode(new(any)); err != io.EOF {
		ts.Fatalf("more than one document on standard output")
	}
	for i := 0; i+1 < len(args); i += 2 {
		if got := fmt.Sprint(at(doc, args[i])); got != args[i+1] {
			ts.Fatalf("%s is %q, want %q", args[i], got, args[i+1])
		}
	}
}

func at(doc any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(d) {
				return nil
			}
			doc = d[i]
		default:
			return nil
		}
	}
	return doc
}

// bigmailCmd: bigmail SERVER USER UID SIZE has a message of at least SIZE octets arrive.
func bigmailCmd(ts *testscript.TestScript, neg bool, args []string) {
	size, err := strconv.Atoi(args[3])
	ts.Check(err)
	text := "Subject: big\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", size/72+1)
	serverNamed(ts, args[0]).Mailbox(args[1]).Add(args[2], []byte(text))
}

// tmpfsCmd: tmpfs DIR SIZE mounts a file system of that size.
func tmpfsCmd(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(mountTmpfs(dir, args[1], false))
	ts.Defer(func() { ts.Check(unmount(dir)) })
}

// remountCmd: remount DIR SIZE gives it another size.
func remountCmd(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(mountTmpfs(ts.MkAbs(args[0]), args[1], true))
}
