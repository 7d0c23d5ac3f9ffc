package uidl_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"popsync/uidl"
)

// The test binary is its own child: what it does there is in the environment.
const (
	roleVariable = "UIDL_TEST_ROLE" // commit, upkeep, hold
	pathVariable = "UIDL_TEST_STATE"
)

// child opens the state and says so with an empty line. As "commit" it then commits numbered
// records from two goroutines, until it is killed, and prints the number of each that is durable. As
// "upkeep" it rewrites and copies the state meanwhile.
func child(role string) {
	db, err := uidl.Open(context.Background(), os.Getenv(pathVariable), uidl.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println()
	if role == "upkeep" {
		go upkeepForEver(db)
	}
	if role != "hold" {
		for _, user := range []string{"alice", "bob"} {
			go commitForEver(db, user)
		}
	}
	select {}
}

func commitForEver(db *uidl.DB, user string) {
	ctx := context.Background()
	m := mailbox
	m.User = user
	b, err := db.Box(ctx, m, user)
	for i := 0; err == nil; i++ {
		err = b.Commit(ctx, uidl.Change{Update: []uidl.Entry{entry(strconv.Itoa(i)), entry("twin of " + strconv.Itoa(i))}})
		if err == nil {
			fmt.Println(user, i) // one write: the lines of the two do not mix
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func upkeepForEver(db *uidl.DB) {
	for now := time.Unix(1_800_000_000, 0); ; now = now.Add(24 * time.Hour) {
		_, _, err := db.Compact(context.Background())
		if err == nil {
			_, err = db.KeepGood(context.Background(), now)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// start runs the child in a role and returns its output, from behind the empty line.
func start(t *testing.T, role, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child did not open the state")
	}
	return cmd, lines
}

// S1: what was acknowledged is there after a kill, both records of a commit or none, and the next
// run goes on with the same file. A good copy is sound.
func TestKilledKeepsWhatWasAcknowledged(t *testing.T) {
	for _, role := range []string{"commit", "upkeep"} {
		t.Run(role, func(t *testing.T) { killedKeepsWhatWasAcknowledged(t, role) })
	}
}

func killedKeepsWhatWasAcknowledged(t *testing.T, role string) {
	path := filepath.Join(t.TempDir(), "state.db")
	durable := map[string]int{}
	for round := range 8 {
		cmd, lines := start(t, role, path)
		time.AfterFunc(time.Duration(5+13*round)*time.Millisecond, func() { cmd.Process.Kill() })
		for lines.Scan() {
			user, number, _ := strings.Cut(lines.Text(), " ")
			if n, err := strconv.Atoi(number); err == nil {
				durable[user] = max(durable[user], n+1)
			}
		}
		cmd.Wait()
		db := open(t, path)
		for user, n := range durable {
			haveAll(t, db, user, n)
		}
		db.Close()
		if report, err := uidl.Verify(t.Context(), path+".good", uidl.Options{}); err == nil && len(report.Faults) > 0 {
			t.Errorf("the good copy: %v", report.Faults)
		}
	}
	if len(durable) != 2 {
		t.Errorf("the children committed too little: %v", durable)
	}
}

func haveAll(t *testing.T, db *uidl.DB, user string, n int) {
	t.Helper()
	m := mailbox
	m.User = user
	entries, err := box(t, db, m).Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, e := range entries {
		have[e.UID] = true
	}
	for i := range n {
		if uid := strconv.Itoa(i); !have[uid] || !have["twin of "+uid] {
			t.Fatalf("%s: record %d of %d is missing", user, i, n)
		}
	}
	if len(entries)%2 != 0 {
		t.Fatalf("%s: half a commit, %d records", user, len(entries))
	}
}

// S5: the holder is named, and its death needs nobody's hand.
func TestHolderIsNamedAndMayDie(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	cmd, _ := start(t, "hold", path)
	_, err := uidl.Open(t.Context(), path, uidl.Options{Wait: 100 * time.Millisecond})
	held, ok := errors.AsType[*uidl.HeldError](err)
	if !ok || held.PID != cmd.Process.Pid || !strings.Contains(err.Error(), path) {
		t.Fatalf("%v; want pid %d", err, cmd.Process.Pid)
	}
	time.AfterFunc(20*time.Millisecond, func() { cmd.Process.Kill() })
	open(t, path)
}
