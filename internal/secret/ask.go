package secret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"

	"popsync/internal/term"
)

// An Asker asks for secrets on the terminal, one question at a time, and remembers the answers for
// as long as it lives. It is for accounts without a password in the configuration. The zero Asker
// asks on /dev/tty.
type Asker struct {
	Never bool // nobody is to be asked

	// Terminal opens the terminal, in place of /dev/tty; nil for that.
	Terminal func() (*os.File, error)

	once    sync.Once
	turn    chan struct{} // holds a token while somebody is asked
	mu      sync.Mutex
	answers map[asked]Value
}

// asked is what a question is about.
type asked struct{ account, user, server string }

// Source asks for user's password at server when it is needed first. The answer is not shown
// while it is typed. A source that is done with waiting takes its question back and leaves the
// terminal as it was.
func (a *Asker) Source(account, user, server string) Source {
	return func(ctx context.Context) (Value, error) {
		a.once.Do(func() { a.turn = make(chan struct{}, 1) })
		about := asked{account, user, server}
		if v := a.answer(about); !v.IsZero() {
			return v, nil
		}
		if a.Never {
			return Value{}, errNotGiven("nobody is to be asked for it")
		}
		select {
		case a.turn <- struct{}{}:
			defer func() { <-a.turn }()
		case <-ctx.Done():
			return Value{}, fmt.Errorf("password: not asked for yet: %w", ctx.Err())
		}
		if v := a.answer(about); !v.IsZero() { // given while this one waited for its turn
			return v, nil
		}
		v, err := a.ask(ctx, fmt.Sprintf("%s: password of %s at %s: ", account, user, server))
		if err == nil {
			a.remember(about, v)
		}
		return v, err
	}
}

// Forget drops the answer for account, such as one that the server refused: it is asked for anew.
func (a *Asker) Forget(account string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.answers, func(about asked, _ Value) bool { return about.account == account })
}

func (a *Asker) answer(about asked) Value {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answers[about]
}

func (a *Asker) remember(about asked, v Value) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answers == nil {
		a.answers = map[asked]Value{}
	}
	a.answers[about] = v
}

func (a *Asker) ask(ctx context.Context, prompt string) (Value, error) {
	open := a.Terminal
	if open == nil {
		open = openTerminal
	}
	f, err := open()
	if err != nil {
		return Value{}, errNotGiven("there is no terminal to ask for it")
	}
	defer f.Close()
	line, err := question{tty: f}.ask(ctx, term.Escape(prompt))
	if errors.Is(err, errBackground) {
		return Value{}, errNotGiven("popsync runs in the background of the terminal")
	}
	if err != nil {
		return Value{}, fmt.Errorf("password: %w", err)
	}
	if err := check(line); err != nil {
		return Value{}, fmt.Errorf("password: %w", err)
	}
	return New(line), nil
}

// A NotGivenError says that an account has no password, and why nobody was asked for it.
type NotGivenError struct{ why string }

func (e *NotGivenError) Error() string { return "no password is given, and " + e.why }

// Hint says what else there is.
func (e *NotGivenError) Hint() string {
	return "give one in the configuration: password_command, password_file, password_env, password_credential, " +
		"password_keyring, password_netrc or password"
}

func errNotGiven(why string) error { return &NotGivenError{why} }
