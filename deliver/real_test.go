package deliver_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"popsync/deliver"
)

// D6, D7 with the agents that people use. POPSYNC_REAL=require makes a missing one a failure.

func TestProcmail(t *testing.T) {
	program := realAgent(t, "procmail")
	dir := t.TempDir()
	rc := filepath.Join(dir, "procmailrc")
	writeFile(t, rc, fmt.Sprintf("MAILDIR=%[1]s\nDEFAULT=%[1]s/inbox\nLOGFILE=%[1]s/log\n:0\n* ^Subject: no such user\n{\n EXITCODE=67\n HOST\n}\n", dir))
	target := realMDA(t, dir, program, "-f", "{sender}", rc)
	message := "From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n"
	if err := handOver(t, target, message); err != nil {
		t.Fatal(err)
	}
	inbox := readFile(t, filepath.Join(dir, "inbox"))
	if !strings.HasPrefix(inbox, "From a@example.org ") || !strings.Contains(inbox, strings.ReplaceAll(message, "\r\n", "\n")) {
		t.Errorf("procmail wrote %q", inbox)
	}
	refused := handOver(t, target, "From: a@example.org\r\nSubject: no such user\r\n\r\n")
	wantKind(t, refused, deliver.Refused)
}

func TestMaildrop(t *testing.T) {
	program := realAgent(t, "maildrop")
	dir := t.TempDir()
	filter := filepath.Join(dir, "filter")
	writeFile(t, filter, fmt.Sprintf("if (/^Subject: later/)\n{\n EXITCODE=75\n exit\n}\nto %q\n", filepath.Join(dir, "inbox")))
	target := realMDA(t, dir, program, filter)
	message := "From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n"
	if err := handOver(t, target, message); err != nil {
		t.Fatal(err)
	}
	if inbox := readFile(t, filepath.Join(dir, "inbox")); !strings.Contains(inbox, strings.ReplaceAll(message, "\r\n", "\n")) {
		t.Errorf("maildrop wrote %q", inbox)
	}
	wantKind(t, handOver(t, target, "Subject: later\r\n\r\n"), deliver.Later)
}

func realAgent(t *testing.T, name string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	if err == nil {
		return program
	}
	if os.Getenv("POPSYNC_REAL") == "require" {
		t.Fatal(err)
	}
	t.Skipf("%v; POPSYNC_REAL=require makes this a failure", err)
	return ""
}

func realMDA(t *testing.T, dir string, argv ...string) deliver.Target {
	t.Helper()
	t.Setenv("HOME", dir)
	target := deliver.NewMDA(deliver.MDAOptions{
		Argv:    argv,
		Spool:   filepath.Join(dir, "spool"),
		Timeout: 20 * time.Second,
		Account: "work",
		Owner:   deliver.NewOwner(state),
	})
	if err := target.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return target
}

func handOver(t *testing.T, target deliver.Target, message string) error {
	t.Helper()
	st, err := target.Stage(t.Context(), "uid", strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	batch := []deliver.Staged{st}
	if err := target.Sync(t.Context(), batch)[0]; err != nil {
		t.Fatal(err)
	}
	return target.Publish(t.Context(), batch)[0]
}

func wantKind(t *testing.T, err error, kind deliver.Kind) {
	t.Helper()
	if e, ok := err.(*deliver.Error); !ok || e.Kind != kind {
		t.Errorf("error %#v, want the kind %d", err, kind)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
