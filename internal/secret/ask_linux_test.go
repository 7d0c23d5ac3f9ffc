package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const prompt = "work: password of alice@example.org at pop.example.org: "

// A6, A7: asked without an echo, once, and the terminal is as before.
func TestAsk(t *testing.T) {
	for name, c := range map[string]struct{ keys, want, err string }{
		"a password":            {marker + "\r", marker, ""},
		"corrected":             {"hunter2x\x7f ünd Söhneü\x7f\r", marker, ""},
		"a token of 64 KiB":     {strings.Repeat("a", maxSize) + "\r", strings.Repeat("a", maxSize), ""},
		"more than 64 KiB":      {strings.Repeat("a", maxSize+1) + "\r", "", "the secret is longer than 64 KiB"},
		"just Enter":            {"\r", "", "no password is given, and nothing was typed when it was asked for"},
		"Ctrl-D":                {"\x04", "", "no password is given, and the question for it was not answered"},
		"NUL (W18)":             {"hunter2\x00\r", "", "the secret holds a NUL byte, which cannot be sent to a server"},
		"the first line counts": {marker + "\nrm -rf\n", marker, ""},
	} {
		t.Run(name, func(t *testing.T) {
			tty := newTerminal(t)
			a := Asker{Terminal: tty.open}
			before := tty.state(t)
			source := a.Source("work", "alice@example.org", "pop.example.org")
			answer := tty.ask(t.Context(), source)
			questions := 1
			if c.err != "" && c.keys != "\x04" {
				questions = tries
			}
			for range questions {
				tty.await(t, prompt)
				tty.press(t, c.keys)
			}
			got := <-answer
			wantSecret(t, source, c.want, c.err) // nobody is asked again
			if got.Reveal() != c.want || errorText(got.error) != c.err {
				t.Errorf("%.40q, %v, want %.40q, %s", got.Reveal(), got.error, c.want, c.err)
			}
			tty.await(t, "\n")
			if screen := tty.screen(); shows(screen) || strings.Contains(screen, "aa") || shows(errorText(got.error)) {
				t.Errorf("shows %.200q, %v", screen, got.error)
			}
			if diff := cmp.Diff(before, tty.state(t)); diff != "" {
				t.Errorf("the terminal is not as before:\n%s", diff)
			}
		})
	}
}

func TestAnswerIsRemembered(t *testing.T) {
	tty := newTerminal(t)
	a := Asker{Terminal: tty.open}
	source := a.Source("work", "u", "h")
	tty.answer(t, source, "one\r")
	wantSecret(t, source, "one", "")
	wantSecret(t, a.Source("work", "u", "h"), "one", "")
	a.Forget("work")
	answer := tty.ask(t.Context(), source)
	for _, keys := range []string{"\r", "\r", "two\r"} {
		tty.await(t, ": password of")
		tty.await(t, ": ")
		tty.press(t, keys)
	}
	<-answer
	wantSecret(t, source, "two", "")
	tty.answer(t, a.Source("work", "u", "other"), "three\r") // another server's is another one
	if got, want := strings.Count(tty.screen(), "password of"), 5; got != want {
		t.Errorf("asked %d times, want %d", got, want)
	}
}

// What is taken back leaves no terminal without an echo.
func TestQuestionEndsWithTheContext(t *testing.T) {
	tty := newTerminal(t)
	before := tty.state(t)
	a := Asker{Terminal: tty.open}
	ctx, cancel := context.WithCancel(t.Context())
	answer := tty.ask(ctx, a.Source("work", "alice@example.org", "pop.example.org"))
	tty.await(t, prompt)
	tty.press(t, marker)
	cancel()
	got := <-answer
	if !errors.Is(got.error, context.Canceled) || errorText(got.error) != "the question was taken back: context canceled" {
		t.Error(got.error)
	}
	if diff := cmp.Diff(before, tty.state(t)); diff != "" {
		t.Errorf("the terminal is not as before:\n%s", diff)
	}
	tty.answer(t, a.Source("work", "alice@example.org", "pop.example.org"), "x\r") // begins with nothing
	wantSecret(t, a.Source("work", "alice@example.org", "pop.example.org"), "x", "")
}

func TestAccountsAskOneAfterTheOther(t *testing.T) {
	tty := newTerminal(t)
	a := Asker{Terminal: tty.open}
	const accounts = 5
	var all sync.WaitGroup
	for n := range accounts {
		name := fmt.Sprint("account", n)
		for range 2 { // and each of them once only
			all.Go(func() { wantSecret(t, a.Source(name, "u", "h"), "of "+name, "") })
		}
	}
	for n := range accounts {
		tty.await(t, ": password of u at h: ")
		lines := strings.Split(tty.screen(), "\n")
		if len(lines) != n+1 {
			t.Fatalf("%d questions at a time: %q", len(lines)-n, lines)
		}
		name, _, _ := strings.Cut(lines[n], ":")
		tty.press(t, "of "+name+"\r")
		tty.await(t, "\n")
	}
	all.Wait()
}

func TestPromptIsEscaped(t *testing.T) {
	tty := newTerminal(t)
	a := Asker{Terminal: tty.open}
	answer := tty.ask(t.Context(), a.Source("work", "\x1b[2J", "h"))
	tty.await(t, `work: password of \x1b[2J at h: `)
	tty.press(t, "x\r")
	<-answer
}

// Ctrl-C ends the program in good order; in a job in the background and without a terminal nobody
// is asked. Each with the real /dev/tty, in a session of its own.
func TestAskInAProgram(t *testing.T) {
	const role = "POPSYNC_TEST_ASK"
	if os.Getenv(role) != "" {
		askInSession(os.Getenv(role))
		return
	}
	for name, c := range map[string]struct {
		role, keys, want string
		tty              bool
	}{
		"answered":          {"ask", "abc\r", "3 bytes, <nil>", true},
		"Ctrl-C":            {"ask", "abc\x03", "0 bytes, the question was taken back: context canceled", true},
		"in the background": {"job", "", "0 bytes, no password is given, and popsync runs in the background of the terminal", true},
		"no terminal":       {"ask", "", "0 bytes, no password is given, and there is no terminal to ask for it", false},
	} {
		t.Run(name, func(t *testing.T) {
			tty := newTerminal(t)
			before := tty.state(t)
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAskInAProgram$")
			cmd.Env = append(os.Environ(), role+"="+c.role)
			var out strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &out
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if c.tty {
				cmd.Stdin = tty.slave
				cmd.SysProcAttr.Setctty = true
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if c.keys != "" {
				tty.await(t, prompt)
				tty.press(t, c.keys)
			}
			if err := cmd.Wait(); err != nil || !strings.HasPrefix(out.String(), c.want+"\n") {
				t.Errorf("%v\n%s\nwant %s", err, &out, c.want)
			}
			if diff := cmp.Diff(before, tty.state(t)); diff != "" {
				t.Errorf("the terminal is not as before:\n%s", diff)
			}
		})
	}
}

func askInSession(role string) {
	if role == "job" { // starts itself in a group of processes that does not have the terminal
		cmd := exec.Command(os.Args[0], "-test.run=^TestAskInAProgram$")
		cmd.Env = append(os.Environ(), "POPSYNC_TEST_ASK=ask")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		_ = cmd.Run()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var a Asker
	v, err := a.Source("work", "alice@example.org", "pop.example.org")(ctx)
	fmt.Printf("%d bytes, %v\n", len(v.Reveal()), err)
}

// A terminal is a pseudo-terminal: what a program has (slave) and what a person does and sees.
type terminal struct {
	master, slave *os.File

	mu    sync.Mutex
	seen  strings.Builder
	taken int           // of seen, by await
	more  chan struct{} // something was written, or the terminal is gone
}

func newTerminal(t testing.TB) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	tty := &terminal{master: master, more: make(chan struct{}, 1)}
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	controlled := conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err := errors.Join(controlled, err); err != nil {
		t.Fatal(err)
	}
	tty.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var watcher sync.WaitGroup
	watcher.Go(tty.watch)
	t.Cleanup(func() {
		tty.slave.Close()
		master.Close()
		watcher.Wait()
	})
	return tty
}

// open is for an Asker: the program's side, opened anew.
func (tty *terminal) open() (*os.File, error) {
	return os.OpenFile(tty.slave.Name(), os.O_RDWR|syscall.O_NOCTTY, 0)
}

func (tty *terminal) watch() {
	defer close(tty.more)
	buf := make([]byte, 4096)
	for {
		n, err := tty.master.Read(buf)
		tty.mu.Lock()
		tty.seen.Write(buf[:n])
		tty.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case tty.more <- struct{}{}:
		default:
		}
	}
}

// screen is all that was shown.
func (tty *terminal) screen() string {
	tty.mu.Lock()
	defer tty.mu.Unlock()
	return tty.seen.String()
}

// await waits until text was shown behind what was awaited before.
func (tty *terminal) await(t testing.TB, text string) {
	t.Helper()
	for {
		if i := strings.Index(tty.screen()[tty.taken:], text); i >= 0 {
			tty.taken += i + len(text)
			return
		}
		select {
		case _, ok := <-tty.more:
			if !ok {
				t.Fatalf("%q was not shown, but %q", text, tty.screen())
			}
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

func (tty *terminal) press(t testing.TB, keys string) {
	t.Helper()
	if _, err := tty.master.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// state is how the terminal is set.
func (tty *terminal) state(t testing.TB) unix.Termios {
	t.Helper()
	conn, err := tty.slave.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var state *unix.Termios
	if cerr := conn.Control(func(fd uintptr) { state, err = unix.IoctlGetTermios(int(fd), unix.TCGETS) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return *state
}

// given is a source's answer.
type given struct {
	Value
	error
}

func (tty *terminal) ask(ctx context.Context, source Source) <-chan given {
	answer := make(chan given, 1)
	go func() {
		v, err := source(ctx)
		answer <- given{v, err}
	}()
	return answer
}

// answer lets source ask, and answers.
func (tty *terminal) answer(t testing.TB, source Source, keys string) {
	t.Helper()
	answer := tty.ask(t.Context(), source)
	tty.await(t, ": password of")
	tty.await(t, ": ")
	tty.press(t, keys)
	<-answer
}
