package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/urfave/cli/v2"
)

// newTaskOfState is a command about what a state holds, so there has to be one. words are the
// accounts, or mailboxes, that it is about; without any it is about all.
func newTaskOfState(o common, command string, words ...string) (*task, error) {
	t, err := newTask(o, command)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 || t.choose(words) != nil {
		t.chosen = nil // a mailbox that is no account's: whoever holds the state has to know all as we do
	}
	// A link that leads nowhere is an error of opening, which knows more about it.
	if _, err := os.Lstat(t.config.State); errors.Is(err, fs.ErrNotExist) {
		return nil, noState(t.config.State, err)
	}
	return t, nil
}

// noState says that there is none, and how to come by one.
func noState(path string, err error) error {
	hint := "the first fetch creates it; if there was one, see which is used: popsync check -v"
	if info, err := os.Stat(goodCopy(path)); err == nil {
		hint = fmt.Sprintf("popsync uidl repair makes it of the good copy of %s; without that, the next fetch fetches everything again",
			info.ModTime().Format(time.DateOnly))
	}
	return &advised{fmt.Errorf("state %s: is not there yet%w", path, hidden{err}), hint}
}

// goodCopy is where the last good copy of a state lies.
func goodCopy(state string) string { return state + ".good" }

// A hidden error says what kind of error it is, and shows nothing.
type hidden struct{ err error }

func (e hidden) Error() string { return "" }
func (e hidden) Unwrap() error { return e.err }

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "write one JSON document to standard output"}
}

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Usage: "do not ask"}
}
