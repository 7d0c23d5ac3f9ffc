package secret

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

const keyringUser = "alice@example.org@pop.example.org"

// keyringHas is a keyring with one answer.
func keyringHas(text string, err error) *desktopKeyring {
	return &desktopKeyring{
		get:       func(string, string) (string, error) { return text, err },
		reachable: func() error { return nil },
	}
}

// A6, A7: what the keyring has, and what is to be done where it has nothing.
func TestKeyring(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		err  error
		want string
	}{
		"first line": {marker + "\nuser: a\n", nil, ""},
		"empty":      {"\n", nil, "keyring: what is stored for " + keyringUser + ": the secret is empty; " + store("popsync", keyringUser)},
		"NUL (W18)": {
			marker + "\x00", nil,
			"keyring: what is stored for " + keyringUser + ": the secret holds a NUL byte, which cannot be sent to a server",
		},
		"nothing there": {
			"", keyring.ErrNotFound, "keyring: nothing is stored for " + keyringUser + "; store it: secret-tool store " +
				"--label='popsync: " + keyringUser + "' service popsync username " + keyringUser,
		},
		"locked": {
			"", errors.New("failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'"),
			"keyring: it is locked and was not unlocked; unlock it; where nobody is there to do so use password_command or password_file",
		},
		"no service": {
			"", errors.New("The name org.freedesktop.secrets was not provided by any .service files"),
			"keyring: The name org.freedesktop.secrets was not provided by any .service files; a keyring such as " +
				"gnome-keyring, KWallet or KeePassXC has to run in this session; where there is none use password_command or password_file",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantSecret(t, keyringHas(c.text, c.err).source("popsync", keyringUser, time.Minute), marker, c.want)
		})
	}
}

func TestKeyringGoesThroughTheLibrary(t *testing.T) {
	keyring.MockInit()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	if err := keyring.Set("popsync", keyringUser, marker); err != nil {
		t.Fatal(err)
	}
	wantSecret(t, Keyring("popsync", keyringUser), marker, "")
}

// Under cron nothing is started in search of a keyring.
func TestKeyringWithoutASession(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	if busReachable("linux") == nil {
		t.Skip("this user has a session")
	}
	k := keyringHas(marker, nil)
	k.reachable = desktop.reachable
	for _, address := range []string{"", "autolaunch:"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		wantSecret(t, k.source("popsync", "u", time.Minute), "", "keyring: there is no D-Bus session: "+
			"DBUS_SESSION_BUS_ADDRESS is not set; run popsync in the desktop's session; under cron use password_command or password_file")
	}
	if err := busReachable("darwin"); err != nil {
		t.Errorf("macOS has no D-Bus and needs none: %v", err)
	}
}

// The library waits for ever; the poll does not, and the next one takes up the same question.
func TestKeyringThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked int
		unlocked := make(chan struct{})
		k := keyringHas("", nil)
		k.get = func(string, string) (string, error) {
			asked++
			<-unlocked
			return marker, nil
		}
		source := k.source("popsync", "u", time.Minute)
		start := time.Now()
		wantSecret(t, source, "", "keyring: has not answered within 1 min; "+
			"it may be asking for its password on the desktop: unlock it")
		if took := time.Since(start); took != time.Minute {
			t.Errorf("took %v", took)
		}
		stopped, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if _, err := source(stopped); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped: %v", err)
		}
		time.AfterFunc(time.Second, func() { close(unlocked) })
		wantSecret(t, source, marker, "")
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestKeyringAsksOneQuestionAtATime(t *testing.T) {
	k := keyringHas("", nil)
	var running int // the race detector sees it, too
	k.get = func(_, user string) (string, error) {
		running++
		defer func() { running-- }()
		if running != 1 {
			t.Errorf("%d at a time", running)
		}
		return user, nil
	}
	done := make(chan struct{})
	for _, user := range []string{"a", "b", "c", "d"} {
		go func() {
			wantSecret(t, k.source("popsync", user, time.Minute), user, "")
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
}

func TestKeyringSurvivesALostBus(t *testing.T) {
	k := keyringHas("", nil)
	k.get = func(string, string) (string, error) { panic(marker) }
	wantSecret(t, k.source("popsync", "u", time.Minute), "", "keyring: the connection to it was lost; a keyring such as "+
		"gnome-keyring, KWallet or KeePassXC has to run in this session; where there is none use password_command or password_file")
}

func TestStoreCommand(t *testing.T) {
	const user = "my name@pop.example.org"
	for goos, want := range map[string]string{
		"linux":  "secret-tool store --label='popsync: my name@pop.example.org' service popsync username 'my name@pop.example.org'",
		"darwin": "security add-generic-password -s popsync -a 'my name@pop.example.org' -w",
	} {
		if got := storeCommand(goos, "popsync", user); got != want {
			t.Errorf("%s: %s, want %s", goos, got, want)
		}
	}
}

// A6 with a real keyring in a session of its own: the command of the error stores what is found then.
func TestKeyringOfADesktop(t *testing.T) {
	const role = "POPSYNC_TEST_KEYRING"
	if os.Getenv(role) != "" {
		inSession(t)
		return
	}
	for _, program := range []string{"dbus-run-session", "gnome-keyring-daemon", "secret-tool", "dbus-send"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "dbus-run-session", "--", os.Args[0], "-test.run=^TestKeyringOfADesktop$", "-test.v")
	cmd.Env = append(os.Environ(), role+"=1", "HOME="+home, "XDG_RUNTIME_DIR="+home, "XDG_DATA_HOME="+home, "DISPLAY=", "WAYLAND_DISPLAY=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

func inSession(t *testing.T) {
	run(t, "x", "gnome-keyring-daemon --unlock --components=secrets")
	source := Keyring("popsync", keyringUser)
	_, err := source(t.Context())
	_, command, ok := strings.Cut(errorText(err), "; store it: ")
	if !ok {
		t.Fatal(err)
	}
	run(t, marker, command)
	wantSecret(t, source, marker, "")
	long := strings.Repeat("a", maxSize)
	if err := keyring.Set("popsync", "long", long); err != nil {
		t.Fatal(err)
	}
	if got, err := Keyring("popsync", "long")(t.Context()); err != nil || got.Reveal() != long {
		t.Errorf("of %d bytes are left %d, %v", len(long), len(got.Reveal()), err)
	}
	run(t, "", "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets "+
		"org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login")
	wantSecret(t, source, "", OneLine(keyringError(errors.New("failed to unlock"), "", "")))
}

// run gives command, for sh, its standard input; what it leaves running holds no pipe of ours.
func run(t *testing.T, stdin, command string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Stdin = strings.NewReader(stdin)
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		t.Fatalf("%s: %v\n%s", command, err, text)
	}
}
