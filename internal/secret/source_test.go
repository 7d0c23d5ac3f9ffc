package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestFixed(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"blanks, quotes, per cent and 8-bit stay": {" a\"b'c%d\xff ü ", ""},
		"empty":                 {"", "the secret is empty; write it into the configuration"},
		"carriage return (W18)": {"a\rb", "the secret holds a line end (CR or LF), which cannot be sent to a server"},
		"line feed (W18)":       {"a\n", "the secret holds a line end (CR or LF), which cannot be sent to a server"},
		"NUL (W18)":             {"a\x00", "the secret holds a NUL byte, which cannot be sent to a server"},
	} {
		t.Run(name, func(t *testing.T) {
			wantSecret(t, Fixed(New(c.text)), c.text, c.want)
		})
	}
}

// A6: first line, line end cut.
func TestFirstLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want, err string }{
		"no line end":             {"abc", "abc", ""},
		"LF":                      {"abc\n", "abc", ""},
		"CRLF":                    {"abc\r\n", "abc", ""},
		"more lines":              {"abc\nlogin: a\n", "abc", ""},
		"blanks belong to it":     {" abc \n", " abc ", ""},
		"nothing":                 {"", "", "the secret is empty"},
		"the first line is empty": {"\nabc\n", "", "the secret is empty"},
		"CR within":               {"a\rb\n", "", "the secret holds a line end (CR or LF), which cannot be sent to a server"},
		"NUL within":              {"a\x00b\n", "", "the secret holds a NUL byte, which cannot be sent to a server"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := firstLine(c.text)
			if got.Reveal() != c.want || errorText(err) != c.err {
				t.Errorf("got %q, %v, want %q, %s", got.Reveal(), err, c.want, c.err)
			}
		})
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("POPSYNC_TEST_SECRET", marker+"\n")
	wantSecret(t, Env("POPSYNC_TEST_SECRET"), marker, "")
	t.Setenv("POPSYNC_TEST_SECRET", "")
	wantSecret(t, Env("POPSYNC_TEST_SECRET"), "", "environment variable POPSYNC_TEST_SECRET: the secret is empty; its first line is to be the password")
	os.Unsetenv("POPSYNC_TEST_SECRET")
	wantSecret(t, Env("POPSYNC_TEST_SECRET"), "",
		"environment variable POPSYNC_TEST_SECRET is not set; export it where popsync is started; systemd and cron give none of those of the shell")
}

// C3: what lets others read a secret is refused with the command that mends it.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pw")
	wantSecret(t, File(path), "", "secret file "+path+": file does not exist; make it, for yourself alone: mode 0600")
	write(t, path, marker+"\r\nmore\n", 0o600)
	wantSecret(t, File(path), marker, "")
	chmod(t, path, 0o604)
	wantSecret(t, File(path), "", "secret file "+path+" holds a secret and its mode 0604 lets others at it; close it: chmod 600 "+path)
	write(t, path, "\n", 0o600)
	wantSecret(t, File(path), "", "secret file "+path+": the secret is empty; its first line is to be the password")
	wantSecret(t, File(filepath.Dir(path)), "", "secret file "+filepath.Dir(path)+" is not a regular file; see what it is: ls -l "+filepath.Dir(path))
}

func TestFileIsSeenAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pw")
	source := File(path)
	for _, text := range []string{"old", "new"} {
		write(t, path, text, 0o600)
		wantSecret(t, source, text, "")
	}
}

func TestNamedPipeDoesNotHang(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	wantSecret(t, File(path), "", "secret file "+path+" is not a regular file; see what it is: ls -l "+path)
}

func TestCredential(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	wantSecret(t, Credential("mail"), "", "credential mail: $CREDENTIALS_DIRECTORY is not set; "+
		"run popsync as a systemd service with LoadCredential=mail:FILE")
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	wantSecret(t, Credential("mail"), "",
		"credential mail: secret file "+dir+"/mail: file does not exist; add LoadCredential=mail:FILE to the service")
	write(t, filepath.Join(dir, "mail"), marker, 0o440)
	wantSecret(t, Credential("mail"), marker, "")
	wantSecret(t, Credential("../mail"), "", "credential ../mail: the name is no plain file name; write the name of LoadCredential=NAME:FILE")
}

func TestCommand(t *testing.T) {
	failed := errors.New("exit status 1")
	const byHand = "; run it by hand: it has to print the password as its first line"
	for name, c := range map[string]struct {
		stdout, stderr string
		err            error
		want, wantErr  string
	}{
		"first line":          {"abc\nuser: a\n", "", nil, "abc", ""},
		"warnings do no harm": {"abc\n", "gpg: warning\n", nil, "abc", ""},
		"prints nothing":      {"", "", nil, "", "command pass: the secret is empty" + byHand},
		"says why": {
			"", "\nError: mail/work is not in the store.\nmore\n", failed, "",
			`command pass: exit status 1; it says "Error: mail/work is not in the store."` + byHand,
		},
		"silent failure":                  {"", "", failed, "", "command pass: exit status 1" + byHand},
		"an exit status counts":           {"abc\n", "", failed, "", "command pass: exit status 1" + byHand},
		"repeats the secret in its error": {"abc\n", "abc is wrong", failed, "", `command pass: exit status 1; it says "[redacted] is wrong"` + byHand},
		"says too much": {
			"", strings.Repeat("ü", 200), failed, "",
			`command pass: exit status 1; it says "` + strings.Repeat("ü", 100) + `…"` + byHand,
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(context.Context, []string) ([]byte, []byte, error) {
				return []byte(c.stdout), []byte(c.stderr), c.err
			}
			wantSecret(t, Command([]string{"pass", "show", "hidden"}, time.Second, run), c.want, c.wantErr)
		})
	}
}

// A6: a hanging command is an error with its standard error shown.
func TestCommandThatHangsIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		run := func(ctx context.Context, _ []string) ([]byte, []byte, error) {
			<-ctx.Done()
			return nil, []byte("gpg: waiting for a pin\n"), errors.New("signal: killed")
		}
		wantSecret(t, Command([]string{"pass"}, 30*time.Second, run), "", "command pass: has not ended within 30 s "+
			`and was stopped; it says "gpg: waiting for a pin"; run it by hand to see what it waits for; timeout is how long it may take`)
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestCommandWithoutProgram(t *testing.T) {
	wantSecret(t, Command(nil, time.Second, nil), "", "command: no program is named; write a program and its arguments")
}

// wantSecret asks source and compares the secret and the text of the error.
func wantSecret(t testing.TB, source Source, want, wantErr string) {
	t.Helper()
	got, err := source(t.Context())
	if wantErr != "" {
		want = ""
	}
	if got.Reveal() != want || errorText(err) != wantErr {
		t.Errorf("got  %q, %v\nwant %q, %s", got.Reveal(), err, want, wantErr)
	}
	if err != nil && shows(err.Error()) {
		t.Errorf("the error shows the secret: %v", err)
	}
}

// errorText is an error in full, but for the advice that many of them share.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	if is[*NotGivenError](err) {
		return err.Error()
	}
	return strings.TrimSuffix(OneLine(err), "; see that it is the password, and nothing else")
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func write(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	chmod(t, path, mode)
}

func chmod(t testing.TB, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
