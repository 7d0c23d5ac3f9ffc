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

// tries is how often a question is asked that gets no password for an answer.
const tries = 3

// An Asker asks for secrets on the terminal, one question at a time, and remembers the answers for
// as long as it lives, also that there is none. It is for accounts without a password in the
// configuration. The zero Asker asks on /dev/tty.
type Asker struct {
	Never bool // nobody is to be asked

	// Terminal opens the terminal, in place of /dev/tty; nil for that.
	Terminal func() (*os.File, error)

	once    sync.Once
	turn    chan struct{} // holds a token while somebody is asked
	mu      sync.Mutex
	answers map[asked]answer
}

// asked is what a question is about.
type asked struct{ account, user, server string }

// An answer is a secret, or why the person gives none.
type answer struct {
	secret Value
	none   error
}

// Source asks for user's password at server when it is needed first. The answer is not shown
// while it is typed. A source that is done with waiting takes its question back and leaves the
// terminal as it was.
func (a *Asker) Source(account, user, server string) Source {
	return func(ctx context.Context) (Value, error) {
		a.once.Do(func() { a.turn = make(chan struct{}, 1) })
		about := asked{account, user, server}
		if got, ok := a.answer(about); ok {
			return got.secret, got.none
		}
		if a.Never {
			return Value{}, errNotGiven("nobody is to be asked for it")
		}
		select {
		case a.turn <- struct{}{}:
			defer func() { <-a.turn }()
		case <-ctx.Done():
			return Value{}, fmt.Errorf("not asked for yet: %w", ctx.Err())
		}
		if got, ok := a.answer(about); ok { // given while this one waited for its turn
			return got.secret, got.none
		}
		got, err := a.ask(ctx, fmt.Sprintf("%s: password of %s at %s: ", account, user, server))
		if err != nil {
			return Value{}, err
		}
		a.remember(about, got)
		return got.secret, got.none
	}
}

// Forget drops the secret that was given for account, such as one that the server refused: it is
// asked for anew. Who gave none is not asked again.
func (a *Asker) Forget(account string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.answers, func(about asked, got answer) bool { return about.account == account && got.none == nil })
}

func (a *Asker) answer(about asked) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	got, ok := a.answers[about]
	return got, ok
}

func (a *Asker) remember(about asked, got answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answers == nil {
		a.answers = map[asked]answer{}
	}
	a.answers[about] = got
}

// ask asks until there is a password, a few times at most. The error is that of a question that
// could not be put, or was taken back: another time it may be.
func (a *Asker) ask(ctx context.Context, prompt string) (answer, error) {
	open := a.Terminal
	if open == nil {
		open = openTerminal
	}
	f, err := open()
	if err != nil {
		return answer{}, errNotGiven("there is no terminal to ask for it")
	}
	defer f.Close()
	var unfit error
	for range tries {
		line, err := question{tty: f}.ask(ctx, term.Escape(prompt))
		switch {
		case errors.Is(err, errNoAnswer):
			return answer{none: errNotGiven("the question for it was not answered")}, nil
		case errors.Is(err, errBackground):
			return answer{}, errNotGiven("popsync runs in the background of the terminal")
		case err != nil:
			return answer{}, err
		}
		if unfit = check(line); unfit == nil {
			return answer{secret: New(line)}, nil
		}
	}
	if errors.Is(unfit, errEmpty) {
		unfit = errNotGiven("nothing was typed when it was asked for")
	}
	return answer{none: unfit}, nil
}

// A NotGivenError says that an account has no password, and why nobody was asked for it, or what
// came of that.
type NotGivenError struct{ why string }

func (e *NotGivenError) Error() string { return "no password is given, and " + e.why }

// Hint says what else there is.
func (e *NotGivenError) Hint() string {
	return "give one in the configuration: password_command, password_file, password_env, password_credential, " +
		"password_keyring, password_netrc or password"
}

func errNotGiven(why string) error { return &NotGivenError{why} }
