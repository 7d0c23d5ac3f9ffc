package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sh(script string) Command { return Command{Argv: []string{"/bin/sh", "-c", script}} }

func TestOutputIsKeptUpToItsBound(t *testing.T) {
	c := sh(`printf 0123456789; echo oops >&2`)
	for _, tt := range []struct {
		keep      int
		want      string
		truncated bool
	}{
		{0, "", true},
		{9, "012345678", true},
		{10, "0123456789", false},
		{1000, "0123456789", false},
	} {
		c.Stdout = tt.keep
		res, err := c.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if string(res.Stdout) != tt.want || res.Truncated != tt.truncated {
			t.Errorf("%d octets kept: %q, truncated %v; want %q, %v", tt.keep, res.Stdout, res.Truncated, tt.want, tt.truncated)
		}
		if string(res.Stderr) != "oops\n" {
			t.Errorf("stderr %q", res.Stderr)
		}
	}
}

func TestStdin(t *testing.T) {
	res, err := Command{Argv: []string{"cat"}, Stdout: 10}.Run(t.Context())
	if err != nil || len(res.Stdout) != 0 {
		t.Errorf("without a file: %q, %v; want nothing", res.Stdout, err)
	}
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, []byte("a\x00b"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	res, err = Command{Argv: []string{"cat"}, Stdin: f, Stdout: 10}.Run(t.Context())
	if err != nil || string(res.Stdout) != "a\x00b" {
		t.Errorf("with a file: %q, %v", res.Stdout, err)
	}
}

func TestFailureIsDescribed(t *testing.T) {
	for _, tt := range []struct {
		name, script, want string
		status             int
		signal             syscall.Signal
	}{
		{"sysexits name", "exit 67", "/bin/sh: exit status 67 (no such user)", 67, 0},
		{"plain status", "exit 3", "/bin/sh: exit status 3", 3, 0},
		{"first line of stderr", `printf '\n  why\nmore\n' >&2; exit 75`, "/bin/sh: exit status 75 (temporary failure): why", 75, 0},
		{"signal", "kill -KILL $$", "/bin/sh: died by signal 9 (killed)", -1, syscall.SIGKILL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sh(tt.script).Run(t.Context())
			e, ok := errors.AsType[*ExitError](err)
			if !ok || e.Error() != tt.want || e.Status != tt.status || e.Signal != tt.signal {
				t.Errorf("error %#v %v, want %s", e, err, tt.want)
			}
		})
	}
}

func TestProgramThatCannotStart(t *testing.T) {
	notExecutable := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(notExecutable, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		argv []string
		want error
	}{
		{"no file", []string{"/no/such/program"}, fs.ErrNotExist},
		{"not in PATH", []string{"popsync-no-such-program"}, nil},
		{"not executable", []string{notExecutable}, fs.ErrPermission},
		{"nothing", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Command{Argv: tt.argv}.Run(t.Context())
			e, ok := errors.AsType[*StartError](err)
			if !ok || e.Temporary() || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want a StartError with %v", err, tt.want)
			}
		})
	}
}

// D8: an agent that hangs is ended after its time.
func TestTimeout(t *testing.T) {
	c := sh("sleep 100")
	c.Timeout = 50 * time.Millisecond
	_, err := within(t, 2*time.Second, c)
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("error %v, want %v", err, ErrTimeout)
	}
}

// D8: one that ignores SIGTERM gets SIGKILL.
func TestSIGTERMIgnored(t *testing.T) {
	c := sh("trap '' TERM; while :; do sleep 1; done")
	c.Timeout = 50 * time.Millisecond
	_, err := within(t, grace+2*time.Second, c)
	e, ok := errors.AsType[*ExitError](err)
	if !ok || !errors.Is(err, ErrTimeout) || e.Signal != syscall.SIGKILL || e.Status != -1 {
		t.Errorf("error %#v, want %v by SIGKILL", err, ErrTimeout)
	}
}

func TestStoppedChildHearsSIGTERM(t *testing.T) {
	c := sh("kill -STOP $$")
	c.Timeout = 100 * time.Millisecond
	if _, err := within(t, 2*time.Second, c); !errors.Is(err, ErrTimeout) {
		t.Errorf("error %v, want %v", err, ErrTimeout)
	}
}

// What SIGTERM finds in its last step may finish it.
func TestSuccessAfterSIGTERMIsSuccess(t *testing.T) {
	c := sh("trap 'exit 0' TERM; while :; do sleep 0.01; done")
	c.Timeout = 100 * time.Millisecond
	if _, err := within(t, 2*time.Second, c); err != nil {
		t.Errorf("error %v, want none", err)
	}
}

func TestEndOfContext(t *testing.T) {
	why := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	defer stop.Stop()
	_, err := sh("sleep 100").Run(ctx)
	if !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
	if _, err := sh("exit 0").Run(ctx); !errors.Is(err, why) {
		t.Errorf("begun after the end: %v, want %v", err, why)
	}
}

// D8: a flood of output takes neither memory nor for ever.
func TestFlood(t *testing.T) {
	for _, script := range []string{"exec cat /dev/zero", "exec cat /dev/zero >&2"} {
		c := sh(script)
		c.Stdout = 100
		res, err := within(t, 20*time.Second, c)
		if !errors.Is(err, ErrFlood) {
			t.Errorf("%s: error %v, want %v", script, err, ErrFlood)
		}
		if len(res.Stdout) > 100 || len(res.Stderr) > keptStderr {
			t.Errorf("%s: kept %d and %d octets", script, len(res.Stdout), len(res.Stderr))
		}
	}
}

func TestMuchOutputIsNoFlood(t *testing.T) {
	if _, err := sh("head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2").Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// D8: children that outlive the agent are given the grace, then killed. The first holds the pipe, the
// second does not, the third left the group and cannot be found, but does not hold us up.
func TestLeftOverChildren(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		killed       bool
	}{
		{"holding the pipe", `sleep 100 & echo $!; exit 0`, true},
		{"holding nothing", `sleep 100 </dev/null >/dev/null 2>&1 & echo $!; exit 0`, true},
		{"ignoring SIGTERM", `(trap '' TERM; exec sleep 100) & echo $!; exit 0`, true},
		{"in a session of its own", `setsid sleep 6 & echo $!; sleep 0.2; exit 0`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := sh(tt.script)
			c.Stdout = 100
			res, err := within(t, grace+2*time.Second, c)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(res.Stdout)))
			if err != nil {
				t.Fatal(err)
			}
			if tt.killed && alive(pid) {
				t.Errorf("child %d is still there", pid)
			}
		})
	}
}

func TestShortLivedChildIsLeftToFinish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "done")
	if _, err := within(t, grace+2*time.Second, sh(`(sleep 0.3; : > '`+path+`') >/dev/null 2>&1 & exit 0`)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the child did not finish: %v", err)
	}
}

// A program that may ask on the terminal stays in our process group, or the terminal stops it; it is
// ended at its timeout like any other.
func TestAskingChildStaysInOurGroup(t *testing.T) {
	for _, asks := range []bool{false, true} {
		c := sh(`cut -d ' ' -f 5 /proc/self/stat`) // its process group, and the shell's
		c.Stdout, c.Asks = 100, asks
		res, err := within(t, grace+2*time.Second, c)
		if err != nil {
			t.Fatal(err)
		}
		group, err := strconv.Atoi(strings.TrimSpace(string(res.Stdout)))
		if err != nil {
			t.Fatal(err)
		}
		if ours := group == syscall.Getpgrp(); ours != asks {
			t.Errorf("asks %v: group %d, and ours is %d", asks, group, syscall.Getpgrp())
		}
	}
	c := sh(`exec sleep 100`)
	c.Asks, c.Timeout = true, 50*time.Millisecond
	if _, err := within(t, grace+2*time.Second, c); !errors.Is(err, ErrTimeout) {
		t.Errorf("%v", err)
	}
}

func TestBaseEnvHasNoSecrets(t *testing.T) {
	t.Setenv("WORK_PASSWORD", "secret")
	t.Setenv("LC_TIME", "C")
	c := sh("env")
	c.Stdout = 1 << 16
	res, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Split(string(res.Stdout), "\n")
	if slices.Contains(env, "WORK_PASSWORD=secret") {
		t.Error("the child sees WORK_PASSWORD")
	}
	if !slices.Contains(env, "LC_TIME=C") {
		t.Error("the child does not see LC_TIME")
	}
}

// within runs c and fails where that takes longer than limit.
func within(t testing.TB, limit time.Duration, c Command) (Result, error) {
	t.Helper()
	begin := time.Now()
	res, err := c.Run(t.Context())
	if took := time.Since(begin); took > limit {
		t.Errorf("took %v, want at most %v", took, limit)
	}
	return res, err
}

// alive reports whether pid runs; a zombie that init has not met yet does not.
func alive(pid int) bool {
	for range 100 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

func BenchmarkRun(b *testing.B) {
	c := Command{Argv: []string{"/bin/true"}}
	for b.Loop() {
		if _, err := c.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
