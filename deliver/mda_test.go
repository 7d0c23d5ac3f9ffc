package deliver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testMDA is an open MDA whose agent is a shell script.
func testMDA(t testing.TB, script string, args ...string) *MDA {
	t.Helper()
	m := NewMDA(MDAOptions{
		Argv:    append([]string{"/bin/sh", "-c", script, "agent"}, args...),
		Spool:   filepath.Join(t.TempDir(), "spool"),
		Timeout: 10 * time.Second,
		Account: "work",
		Owner:   NewOwner(testState),
	})
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

// handOver takes message through the target and returns the verdict.
func handOver(t testing.TB, m *MDA, message string) (Staged, error) {
	t.Helper()
	batch := mustStage(t, m, message)
	mustSync(t, m, batch)
	return batch[0], m.Publish(t.Context(), batch)[0]
}

// D7, D8: what each end of an agent means. The message stays until it is dropped.
func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		claim, script string
		kind          Kind
		text          string // the error's, "": none
	}{
		{"delivered", "exit 0", 0, ""},
		{"never read", "exec true <&-", 0, ""},
		{"delivered, with noise", "echo note; echo warning >&2", 0, ""},
		{"no such user", "echo 'no alice' >&2; exit 67", Refused, "/bin/sh: exit status 67 (no such user): no alice"},
		{"any other status", "exit 1", Refused, "/bin/sh: exit status 1"},
		{"not found by its shell", "exit 127", Refused, "/bin/sh: exit status 127"},
		{"temporary", "exit 75", Later, "/bin/sh: exit status 75 (temporary failure)"},
		{"a signal", "kill -SEGV $$", Later, "/bin/sh: died by signal 11 (segmentation fault)"},
		{"hanging", "exec sleep 100", Later, "/bin/sh: ended: not finished in time (300ms)"},
		{"deaf and hanging", "trap '' TERM; while :; do sleep 0.1; done", Later, "/bin/sh: ended: not finished in time (300ms)"},
		{"flooding", "exec yes", Later, "/bin/sh: ended: too much output (more than 16 MiB)"},
		{"flooding standard error", "exec yes >&2", Later, "/bin/sh: ended: too much output (more than 16 MiB): y"},
		{"raw standard error", `printf '\033[31mred\n' >&2; exit 65`, Refused, "/bin/sh: exit status 65 (data error): \x1b[31mred"},
		{"leaving a child behind", "sleep 100 & exit 0", 0, ""},
		{"leaving a child behind and failing", "sleep 100 & exit 75", Later, "/bin/sh: exit status 75 (temporary failure)"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			t.Parallel()
			m := testMDA(t, tt.script)
			if strings.Contains(tt.claim, "hanging") {
				m.timeout = 300 * time.Millisecond
			}
			begin := time.Now()
			st, err := handOver(t, m, strings.Repeat("a line of mail\r\n", 10_000))
			if tt.text == "" && err != nil {
				t.Errorf("error %v, want none", err)
			}
			if tt.text != "" {
				wantError(t, err, tt.kind, tt.text, nil)
			}
			if took := time.Since(begin); took > 8*time.Second {
				t.Errorf("took %v", took)
			}
			wantCount(t, m.spool.dir, 1)
			if err := m.Drop([]Staged{st}); err != nil {
				t.Error(err)
			}
			wantCount(t, m.spool.dir, 0)
		})
	}
}

// D8: a program that is not there is found out by Open, and by Publish where it went away later.
func TestMissingAgent(t *testing.T) {
	agent := filepath.Join(t.TempDir(), "agent")
	m := NewMDA(MDAOptions{Argv: []string{agent}, Spool: filepath.Join(t.TempDir(), "spool"), Owner: NewOwner(testState)})
	wantError(t, m.Open(t.Context()), Create, agent+": no such file or directory", fs.ErrNotExist)
	if err := os.WriteFile(agent, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, m.Open(t.Context()), Create, agent+": permission denied", fs.ErrPermission)
	if err := os.Chmod(agent, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(agent); err != nil {
		t.Fatal(err)
	}
	_, err := handOver(t, m, "a")
	wantError(t, err, Create, agent+": no such file or directory", fs.ErrNotExist)
}

// D8: what is there and cannot be run says why.
func TestAgentThatCannotBeRun(t *testing.T) {
	for _, tt := range []struct{ claim, program, text, hint string }{
		{"no such interpreter", "#!/no/such/shell\n", "its interpreter: no such file or directory", "correct the line with #!"},
		{"no program at all", "cat >mail\n", "exec format error", "begin a script with #!"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			m := testMDA(t, "")
			agent := filepath.Join(t.TempDir(), "agent")
			if err := os.WriteFile(agent, []byte(tt.program), 0o700); err != nil {
				t.Fatal(err)
			}
			m.argv = []string{agent}
			if err := m.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := handOver(t, m, "a")
			wantError(t, err, Create, agent+": "+tt.text, nil)
			if e, ok := errors.AsType[*Error](err); !ok || !strings.HasPrefix(e.Hint, tt.hint) {
				t.Errorf("error %v, want the hint %q", err, tt.hint)
			}
		})
	}
}

// P4: the end of the program ends the agent, and the message counts as not delivered.
func TestEndWhileAnAgentRuns(t *testing.T) {
	m := testMDA(t, "exec sleep 100")
	batch := mustStage(t, m, "a")
	mustSync(t, m, batch)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := m.Publish(ctx, batch)[0]
	wantError(t, err, Later, "/bin/sh: ended: context deadline exceeded", context.DeadlineExceeded)
}

// D6
func TestAgentSeesOnlyWhatItShould(t *testing.T) {
	t.Setenv("WORK_PASSWORD", "secret")
	out := filepath.Join(t.TempDir(), "out")
	m := testMDA(t, `(cat; env) >"$1"`, out)
	batch := mustStage(t, m, "one\r\ntwo\rthree\n")
	batch[0].UID = "a\x00b\n\xffc"
	mustSync(t, m, batch)
	mustPublish(t, m, batch)
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	if !strings.HasPrefix(text, "one\ntwo\rthree\n") {
		t.Errorf("the message does not come first, with LF: %q", text)
	}
	for _, want := range []string{"\nPOPSYNC_ACCOUNT=work\n", "\n" + `POPSYNC_UID=a\x00b\x0A\xFFc` + "\n", "\nPATH="} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	if strings.Contains(text, "secret") {
		t.Errorf("a secret is in %q", text)
	}
}

func TestLongUIDIsCut(t *testing.T) {
	if got := escapeEnv(strings.Repeat("\xff", 5000)); len(got) != 1024 || strings.Trim(got, `\xF`) != "" {
		t.Errorf("%d octets: %q", len(got), got)
	}
}

// D6: each placeholder within one argument, and nothing that an agent could misunderstand.
func TestPlaceholders(t *testing.T) {
	const message = "Return-Path: <s@x>\r\nDelivered-To: r@y\r\n\r\nbody\r\n"
	for _, tt := range []struct{ claim, arg, uid, message, want string }{
		{"all", "{account}|{uid}|{sender}|{recipient}|{size}", "u 1", message, "work|u 1|s@x|r@y|43"},
		{"braces", "{{uid}} {{{uid}}} }}", "u", message, "{uid} {u} }"},
		{"an option", "--from={sender}", "", "From: -oX\r\n\r\n", "--from="},
		{"control characters", "<{uid}>", "a\nb", message, "<>"},
		{"too long", "<{uid}>", strings.Repeat("x", 2000), message, "<>"},
		{"a shell's", "{uid}", "$(id); `id` 'x' \"y\" *", message, "$(id); `id` 'x' \"y\" *"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			m := testMDA(t, `printf %s "$2" >"$1"`, out, tt.arg)
			batch := mustStage(t, m, tt.message)
			batch[0].UID = tt.uid
			mustSync(t, m, batch)
			mustPublish(t, m, batch)
			got, err := os.ReadFile(out)
			if diff := cmp.Diff(tt.want, string(got)); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestCheckArgv(t *testing.T) {
	for _, tt := range []struct {
		argv []string
		want string // in the error; "": none
	}{
		{[]string{"/usr/bin/procmail", "-d", "alice"}, ""},
		{[]string{"a", "{account}{uid}{sender}{recipient}{size}", "{{x}}", ""}, ""},
		{nil, "no program"},
		{[]string{""}, "no program"},
		{[]string{"a", "{folder}"}, `argument 1: unknown placeholder "{folder}"`},
		{[]string{"a", "{uid"}, `argument 1: unknown placeholder "{uid"`},
		{[]string{"a", "{}"}, `unknown placeholder "{}"`},
		{[]string{"a", "x}"}, `argument 1: "}" without "{"`},
		{[]string{"{uid}"}, "argument 0: no placeholder"},
		{[]string{"a", "\x00"}, "argument 1: a NUL byte"},
		{[]string{"a", "{b}", "{c}"}, "argument 2: unknown"},
	} {
		err := CheckArgv(tt.argv)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: error %v, want %q", tt.argv, err, tt.want)
		}
	}
}

func TestSpoolIsOurs(t *testing.T) {
	m := testMDA(t, "exit 0")
	wantMode(t, m.spool.dir, 0o700)
	if err := os.Chmod(m.spool.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	err := m.Open(t.Context())
	wantError(t, err, Create, m.spool.dir+": open to other users (mode 0755)", nil)
	if e, _ := errors.AsType[*Error](err); e != nil && !strings.HasPrefix(e.Hint, "chmod 700 ") {
		t.Errorf("hint %q", e.Hint)
	}
	if err := errors.Join(os.Remove(m.spool.dir), os.Symlink(t.TempDir(), m.spool.dir)); err != nil {
		t.Fatal(err)
	}
	wantError(t, m.Open(t.Context()), Create, m.spool.dir+": a symbolic link in a folder's place", nil)
	if os.Geteuid() != 0 {
		return // only root can give a folder away
	}
	if err := errors.Join(os.Remove(m.spool.dir), os.Mkdir(m.spool.dir, 0o700), os.Chown(m.spool.dir, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	wantError(t, m.Open(t.Context()), Create, m.spool.dir+": belongs to user ID 65534", nil)
}

func TestSettleOfAnMDAThatRefuses(t *testing.T) {
	m := testMDA(t, "exit 67")
	batch := mustStage(t, m, "a")
	mustSync(t, m, batch)
	outcome, err := m.Settle(t.Context(), batch[0], time.Hour)
	if outcome != Unsettled {
		t.Errorf("outcome %d, want Unsettled", outcome)
	}
	wantError(t, err, Refused, "/bin/sh: exit status 67 (no such user)", nil)
	wantCount(t, m.spool.dir, 1)
}

func TestSettlingOfAnMDA(t *testing.T) {
	m := testMDA(t, "exit 0")
	batch := mustStage(t, m, "a")
	mustSync(t, m, batch)
	target, err := Settling(m.Location(), NewOwner(testState))
	if err != nil {
		t.Fatal(err)
	}
	if outcome, err := target.Settle(t.Context(), batch[0], time.Hour); err != nil || outcome != Again {
		t.Errorf("outcome %d, %v; want Again", outcome, err)
	}
	wantCount(t, m.spool.dir, 0)
}

// D2
func TestFailedFsyncOfTheSpool(t *testing.T) {
	for _, call := range []string{"fsync", "fsync spool/"} {
		m := testMDA(t, "exit 0")
		m.spool.sys = &faulty{fail: failing(syscall.EIO, call)}
		err := m.Sync(t.Context(), mustStage(t, m, "a"))[0]
		wantError(t, err, IO, m.spool.dir+": input/output error", syscall.EIO)
	}
}
