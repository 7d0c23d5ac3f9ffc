package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// counted plays the rounds of a lane whose runs take so long, and is how many of them count.
func counted(t *testing.T, runs int, takes time.Duration, fails int) (l *lane, made int) {
	t.Helper()
	l = &lane{}
	for round := range runs + 1 {
		if !l.takesPart(round) {
			continue
		}
		made++
		var err error
		if round == fails {
			err = errors.New("incomplete")
		}
		l.note(round, sample{Wall: takes}, err)
	}
	return l, made
}

func TestRoundsOfALane(t *testing.T) {
	for _, test := range []struct {
		name          string
		takes         time.Duration
		fails         int
		made, counted int
	}{
		{"the first of a fast one does not count", time.Second, -1, 6, 5},
		{"a slow one runs three times, which all count", long + 1, -1, 3, 3},
		{"one that fails at first runs no more", time.Second, 0, 1, 0},
		{"one that fails later runs no more", time.Second, 2, 3, 1},
	} {
		l, made := counted(t, 5, test.takes, test.fails)
		if made != test.made || len(l.samples) != test.counted || (l.err != nil) != (test.fails >= 0) {
			t.Errorf("%s: %d runs, %d count, %v", test.name, made, len(l.samples), l.err)
		}
	}
}

// yard is a ground with nothing but this program.
func yard(t *testing.T) *ground {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux measures")
	}
	g := &ground{dir: t.TempDir(), owner: owner{os.Getuid(), os.Getgid()}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(g.bin(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, g.self()); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestLaunchMeasures(t *testing.T) {
	g := yard(t)
	const script = `echo "out: $HOME $EXTRA $(pwd)"; echo err >&2; sleep 0.1; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3`
	rep, said, err := g.launch(t.Context(), g.dir, run{argv: []string{"sh", "-c", script}, env: []string{"EXTRA=more"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "out: " + g.dir + " more " + g.dir + "\nerr"; said != want || rep.Status != 3 {
		t.Errorf("it says %q, want %q, and ends with %d", said, want, rep.Status)
	}
	s := rep.Sample
	if s.Wall < 100*time.Millisecond || s.CPU <= 0 || s.CPU > s.Wall || s.Peak < 100_000 {
		t.Errorf("took %+v", s)
	}
	if s.Peak > 5_000_000 {
		t.Errorf("a shell needs %d octets: somebody else is counted", s.Peak)
	}
}

func TestLaunchCountsChildren(t *testing.T) {
	g := yard(t)
	const script = `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; exit 0`
	rep, _, err := g.launch(t.Context(), g.dir, run{argv: []string{"sh", "-c", script}})
	if err != nil || rep.Sample.CPU < 20*time.Millisecond {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestLaunchSaysWhatIsMissing(t *testing.T) {
	g := yard(t)
	rep, said, err := g.launch(t.Context(), g.dir, run{argv: []string{"no-such-program"}})
	if err != nil || rep.Status != 127 || !strings.Contains(said, "no-such-program") {
		t.Errorf("%+v, %q, %v", rep, said, err)
	}
}

func TestAgentsTakeAMessage(t *testing.T) {
	compiled := t.TempDir()
	if _, err := makeAgent(compiled); err != nil {
		t.Fatal(err)
	}
	script := t.TempDir()
	if err := os.WriteFile(filepath.Join(script, "agent"), []byte(agentScript), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{compiled, script} {
		g, to := yard(t), t.TempDir()
		argv := []string{"sh", "-c", `printf 'a\r\n\0b' | "$1" "$2"`, "sh", filepath.Join(dir, "agent"), to}
		rep, said, err := g.launch(t.Context(), g.dir, run{argv: argv})
		if err != nil || rep.Status != 0 {
			t.Fatalf("%+v, %q, %v", rep, said, err)
		}
		entries, err := os.ReadDir(to)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%v, %v", entries, err)
		}
		if msg, err := os.ReadFile(filepath.Join(to, entries[0].Name())); err != nil || string(msg) != "a\r\n\x00b" {
			t.Errorf("%q, %v", msg, err)
		}
	}
}
