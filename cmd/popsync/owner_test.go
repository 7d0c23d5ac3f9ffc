package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"popsync/internal/poptest"
)

// awaitCmd: await FILE waits for a file.
func awaitCmd(ts *testscript.TestScript, neg bool, args []string) {
	if !within(10*time.Second, func() bool { _, err := os.Stat(ts.MkAbs(args[0])); return err == nil }) {
		ts.Fatalf("no %s within 10 s", args[0])
	}
}

// listedCmd: listed SERVER notes how often mailboxes have been listed; listed SERVER N waits until
// they have been N times since.
func listedCmd(ts *testscript.TestScript, neg bool, args []string) {
	s := serverNamed(ts, args[0])
	if len(args) == 1 {
		s.listed = listings(s.Sessions())
		return
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	if !within(10*time.Second, func() bool { return listings(s.Sessions()) >= s.listed+n }) {
		ts.Fatalf("%d listings, not %d", listings(s.Sessions())-s.listed, n)
	}
}

func listings(sessions []poptest.Session) int {
	n := 0
	for _, s := range sessions {
		if slices.Contains(s.Verbs(), "UIDL") {
			n++
		}
	}
	return n
}

// termCmd: term STATE sends SIGTERM to who holds the state. (SIGINT is ignored where a shell has
// started the tests in the background.)
func termCmd(ts *testscript.TestScript, neg bool, args []string) {
	line, _, _ := strings.Cut(ts.ReadFile(args[0]+".lock"), "\n")
	pid, err := strconv.Atoi(line)
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.SIGTERM))
}

// lateCmd: late SERVER VERB MILLISECONDS answers a command later.
func lateCmd(ts *testscript.TestScript, neg bool, args []string) {
	ms, err := strconv.Atoi(args[2])
	ts.Check(err)
	serverNamed(ts, args[0]).Hook(args[1], poptest.Late(time.Duration(ms)*time.Millisecond))
}
