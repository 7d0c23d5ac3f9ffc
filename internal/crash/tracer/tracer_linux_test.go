//go:build amd64 || arm64

package tracer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Started with a task, this test is the program that is traced.
const task = "POPSYNC_TRACER_TASK"

var tasks = map[string]func() error{
	"save": func() error {
		f, err := os.Create("file")
		if err != nil {
			return err
		}
		_, err = f.WriteString("0123456789")
		return errors.Join(err, f.Sync(), f.Close(), os.Rename("file", "renamed"))
	},
	"crowd": func() error {
		var crowd sync.WaitGroup
		for n := range 8 {
			crowd.Go(func() {
				for m := range 50 {
					os.Mkdir(fmt.Sprintf("%d.%d", n, m), 0o700)
				}
			})
		}
		crowd.Wait()
		return nil
	},
	"child":   func() error { return exec.Command("/bin/sh", "-c", "echo done >file").Run() },
	"forever": func() error { time.Sleep(time.Hour); return nil },
	"orphan":  func() error { return exec.Command("/bin/sh", "-c", "echo $$ >pid; exec sleep 1000").Run() },
}

func TestMain(m *testing.M) {
	if do := tasks[os.Getenv(task)]; do != nil {
		if err := do(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A stage is where a task is traced.
type stage struct {
	t   testing.TB
	dir string
}

func newStage(t testing.TB) stage {
	t.Helper()
	if err := Available(); err != nil {
		t.Skip(err)
	}
	return stage{t, t.TempDir()}
}

// run returns how the task ended and what it said.
func (s stage) run(name string, decide func(Call) Fate) (Outcome, string) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer stop()
	out, err := os.Create(filepath.Join(s.t.TempDir(), "output"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	outcome, err := Run(ctx, s.program(name, out), decide)
	if err != nil {
		s.t.Fatal(err)
	}
	said, err := os.ReadFile(out.Name())
	if err != nil {
		s.t.Fatal(err)
	}
	return outcome, string(said)
}

func (s stage) program(name string, out *os.File) Program {
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	return Program{Path: self, Dir: s.dir, Env: []string{task + "=" + name}, Output: out}
}

// files are the names and contents of the stage's files.
func (s stage) files() string {
	s.t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, e.Name()+"="+string(content))
	}
	return strings.Join(all, " ")
}

// on gives the fate to the calls of that name on files of the stage.
func (s stage) on(name string, fate Fate) func(Call) Fate {
	return func(c Call) Fate {
		if c.Name == name && strings.HasPrefix(c.Path, s.dir) {
			return fate
		}
		return Fate{}
	}
}

func TestFates(t *testing.T) {
	const killed = "killed by signal 9 (killed)"
	tests := []struct {
		name    string
		call    string
		fate    Fate
		outcome string // status 0 by default
		said    string
		files   string
	}{
		{name: "let be", call: "write", files: "renamed=0123456789"},
		{name: "killed before it opens", call: "openat", fate: Fate{Kill: Before}, outcome: killed},
		{name: "killed after it opens", call: "openat", fate: Fate{Kill: After}, outcome: killed, files: "file="},
		{name: "killed before it writes", call: "write", fate: Fate{Kill: Before}, outcome: killed, files: "file="},
		{name: "killed after it writes", call: "write", fate: Fate{Kill: After}, outcome: killed, files: "file=0123456789"},
		{name: "killed within a write", call: "write", fate: Fate{Cut: 4, Kill: After}, outcome: killed, files: "file=0123"},
		{name: "killed before it renames", call: "renameat", fate: Fate{Kill: Before}, outcome: killed, files: "file=0123456789"},
		{name: "killed after it renames", call: "renameat", fate: Fate{Kill: After}, outcome: killed, files: "renamed=0123456789"},
		{name: "writes go on where they were cut", call: "write", fate: Fate{Cut: 3}, files: "renamed=0123456789"},
		{name: "a full disk", call: "write", fate: Fate{Fail: syscall.ENOSPC}, outcome: "status 1", said: "no space left on device", files: "renamed="},
		{name: "a sync that fails", call: "fsync", fate: Fate{Fail: syscall.EIO}, outcome: "status 1", said: "sync file: input/output error", files: "renamed=0123456789"},
		{name: "a rename that is said to have failed", call: "renameat", fate: Fate{Fail: syscall.EIO, Done: true}, outcome: "status 1", said: "input/output error", files: "renamed=0123456789"},
		{name: "a file that cannot be made", call: "openat", fate: Fate{Fail: syscall.EMFILE}, outcome: "status 1", said: "too many open files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t)
			outcome, said := s.run("save", s.on(tt.call, tt.fate))
			if want := cmp.Or(tt.outcome, "status 0"); outcome.String() != want || !strings.Contains(said, tt.said) {
				t.Errorf("%v, says %q; want %v, %q", outcome, said, want, tt.said)
			}
			if files := s.files(); files != tt.files {
				t.Errorf("files %q, want %q", files, tt.files)
			}
		})
	}
}

func TestCallsAreDescribed(t *testing.T) {
	s := newStage(t)
	var calls []string
	s.run("save", func(c Call) Fate {
		switch c.Name {
		case "write", "fsync", "renameat":
			calls = append(calls, strings.ReplaceAll(fmt.Sprint(c, " ", c.Length), s.dir, "."))
		}
		return Fate{}
	})
	want := "write ./file 10; fsync ./file 0; renameat ./file ./renamed 0"
	if got := strings.Join(calls, "; "); got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// Whatever threads the calls are made by, the one that is chosen is the one that is hit.
func TestCallsOfAllThreadsAreOneSequence(t *testing.T) {
	s := newStage(t)
	made := 0
	outcome, _ := s.run("crowd", func(c Call) Fate {
		if c.Name != "mkdirat" {
			return Fate{}
		}
		if made++; made < 200 {
			return Fate{}
		}
		return Fate{Kill: Before}
	})
	if outcome.Signal != syscall.SIGKILL {
		t.Error(outcome)
	}
	entries, err := os.ReadDir(s.dir)
	if n := len(entries); err != nil || n > 199 || n < 199-7 { // calls of seven other threads are on their way
		t.Errorf("%d folders, %v", n, err)
	}
}

func TestChildIsFollowedToItsExecve(t *testing.T) {
	s := newStage(t)
	var execs int
	outcome, said := s.run("child", func(c Call) Fate {
		if c.Name == "execve" && c.Forked && c.Path == "/bin/sh" {
			execs++
		}
		return Fate{}
	})
	if outcome.Status != 0 || execs != 1 || s.files() != "file=done\n" {
		t.Errorf("%v, %d times execve, says %q, files %q", outcome, execs, said, s.files())
	}
	outcome, said = s.run("child", func(c Call) Fate {
		if c.Name == "execve" && c.Forked {
			return Fate{Fail: syscall.ENOMEM}
		}
		return Fate{}
	})
	if outcome.Status != 1 || !strings.Contains(said, "fork/exec /bin/sh: cannot allocate memory") {
		t.Errorf("%v, says %q", outcome, said)
	}
}

func TestKillHitsChildrenWhereItShould(t *testing.T) {
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprint(all), func(t *testing.T) {
			s := newStage(t)
			pid := filepath.Join(s.dir, "pid")
			begun := false
			outcome, _ := s.run("orphan", func(c Call) Fate {
				begun = begun || c.Forked && c.Name == "execve"
				if !begun || c.Name != "waitid" { // one is made at the start, to see what the kernel can do
					return Fate{}
				}
				for read, _ := os.ReadFile(pid); len(read) == 0; read, _ = os.ReadFile(pid) {
					time.Sleep(time.Millisecond)
				}
				return Fate{Kill: Before, All: all}
			})
			var child int
			if n, err := fmt.Sscan(s.files()[len("pid="):], &child); n != 1 {
				t.Fatal(err)
			}
			if all {
				s.awaitEnd(child)
				return
			}
			if !slices.Contains(outcome.Left, child) {
				t.Errorf("%d is not among those that are left, %v", child, outcome.Left)
			}
			if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
				t.Errorf("the child is gone: %v", err)
			}
			s.awaitEnd(outcome.Left...)
		})
	}
}

func (s stage) awaitEnd(children ...int) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer stop()
	if err := AwaitEnd(ctx, children); err != nil {
		s.t.Errorf("%v go on: %v", children, err)
	}
}

func TestEndOfContextKills(t *testing.T) {
	s := newStage(t)
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	outcome, err := Run(ctx, s.program("forever", nil), func(Call) Fate { return Fate{} })
	if !errors.Is(err, context.DeadlineExceeded) || outcome.Signal != syscall.SIGKILL {
		t.Errorf("%v, %v", outcome, err)
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	newStage(t)
	_, err := Run(t.Context(), Program{Path: "/not/there"}, nil)
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// The thread that traces may have children of somebody else, who waits for them.
func TestForeignChildIsLeftAlone(t *testing.T) {
	s := newStage(t)
	foreign := exec.Command("/bin/sh", "-c", "exit 3")
	if err := foreign.Start(); err != nil {
		t.Fatal(err)
	}
	s.run("save", func(Call) Fate { return Fate{} })
	err := foreign.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 {
		t.Error(err)
	}
}
