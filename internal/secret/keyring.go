package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/zalando/go-keyring"
	"golang.org/x/sync/singleflight"

	"popsync/internal/shell"
	"popsync/internal/term"
)

// keyringPatience is how long somebody has to unlock the keyring when it asks for that.
const keyringPatience = 2 * time.Minute

// Keyring is what the desktop's keyring (the Secret Service of GNOME, KDE or KeePassXC; the
// Keychain of macOS) has for service and user: its attributes "service" and "username". Its errors
// hints say how to store it, and what to do without a desktop. The wait ends with ctx, or after two
// minutes, though the keyring's question may stay on the screen.
func Keyring(service, user string) Source {
	return desktop.source(service, user, keyringPatience)
}

// desktop is the one keyring that there is: go-keyring has one connection for the whole program,
// and two questions at a time would take each other's answers from it.
var desktop = &desktopKeyring{get: keyring.Get, reachable: func() error { return busReachable(runtime.GOOS) }}

type desktopKeyring struct {
	get       func(service, user string) (string, error) // waits for as long as it likes
	reachable func() error                               // tells in advance that get cannot work

	flight singleflight.Group // a question that was given up is taken up again, not asked twice
	turn   sync.Mutex         // held while get runs
}

func (k *desktopKeyring) source(service, user string, patience time.Duration) Source {
	return func(ctx context.Context) (Value, error) {
		if err := k.reachable(); err != nil {
			return Value{}, behind("keyring: ", err, "")
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		answer := k.flight.DoChan(service+"\x00"+user, func() (any, error) { return k.ask(service, user) })
		select {
		case got := <-answer:
			if got.Err != nil {
				return Value{}, keyringError(got.Err, service, user)
			}
			v, err := firstLine(got.Val.(Value).Reveal())
			return v, behind("keyring: what is stored for "+user+": ", err, store(service, user))
		case <-limited.Done():
			if ctx.Err() != nil {
				return Value{}, fmt.Errorf("keyring: has not answered: %w", ctx.Err())
			}
			return Value{}, hinted("it may be asking for its password on the desktop: unlock it",
				"keyring: has not answered within %s", term.Duration(patience))
		}
	}
}

// ask waits for its turn and for the answer. go-keyring panics where the bus goes away while it
// waits, which must not end the program.
func (k *desktopKeyring) ask(service, user string) (v Value, err error) {
	k.turn.Lock()
	defer k.turn.Unlock()
	defer func() {
		if recover() != nil {
			v, err = Value{}, errors.New("the connection to it was lost")
		}
	}()
	text, err := k.get(service, user)
	return New(text), err
}

// keyringError adds what to do.
func keyringError(err error, service, user string) error {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return hinted(store(service, user), "keyring: nothing is stored for %s", user)
	case strings.HasPrefix(err.Error(), "failed to unlock"): // go-keyring has no type for it
		return hinted("unlock it; where nobody is there to do so use password_command or password_file", "keyring: it is locked and was not unlocked")
	}
	return hinted("a keyring such as gnome-keyring, KWallet or KeePassXC has to run in this session; where there is none use password_command or password_file",
		"keyring: %w", err)
}

// store says how to put the secret where it is looked for.
func store(service, user string) string {
	return "store it: " + storeCommand(runtime.GOOS, service, user)
}

// storeCommand asks for the secret and stores it where go-keyring looks for it: by the attributes
// "service" and "username", in the keyring of the log-in or the default one. (secret-tool takes
// 8 KiB from a pipe and drops the rest in silence, as of libsecret 0.20.)
func storeCommand(goos, service, user string) string {
	if goos == "darwin" {
		return fmt.Sprintf("security add-generic-password -s %s -a %s -w", shell.Quote(service), shell.Quote(user))
	}
	return fmt.Sprintf("secret-tool store --label=%s service %s username %s",
		shell.Quote(service+": "+user), shell.Quote(service), shell.Quote(user))
}

// busReachable refuses to go on where there is no D-Bus session: the D-Bus library would start
// one with dbus-launch, in which no keyring runs and which nobody ends.
func busReachable(goos string) error {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if goos == "darwin" || address != "" && address != "autolaunch:" {
		return nil
	}
	for _, name := range []string{"bus", "dbus-session"} { // where the library looks
		if _, err := os.Stat(fmt.Sprintf("/run/user/%d/%s", os.Getuid(), name)); err == nil {
			return nil
		}
	}
	return hinted("run popsync in the desktop's session; under cron use password_command or password_file",
		"there is no D-Bus session: DBUS_SESSION_BUS_ADDRESS is not set")
}
