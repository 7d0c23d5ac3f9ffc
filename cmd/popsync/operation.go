package main

import (
	"context"
	"encoding/json"
	"errors"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/owner"
	"popsync/internal/secret"
	"popsync/uidl"
)

// An operation is what a command asks of the state: a query Q, some events E on the way, and an
// answer A. Whoever holds the state does it, this process or another one; the three pass through
// JSON then, so a UID is []byte in them.
type operation[Q, E, A any] struct {
	name string // the command's: "uidl list"

	lossy bool // events may be left out for one who does not take them, rather than hold up a session
	do    func(ctx context.Context, h *holder, q Q, emit func(E) error) (A, error)
}

// A task is a command on its way to the state.
type task struct {
	common
	command string // as on the command line
	config  *config.Config
	asker   *secret.Asker
	chosen  []config.Account  // that it is about; nil: all
	say     func(text string) // what somebody who waits wants to know; may be nil

	notify func(fetch.Event)          // of every poll of this process, for others too; may be nil
	trace  func(account, line string) // the same
}

func newTask(o common, command string) (*task, error) {
	cfg, _, err := load(o)
	return &task{common: o, command: command, config: cfg, asker: newAsker(o)}, err
}

// choose finds the accounts named, or all that are enabled.
func (t *task) choose(names []string) (err error) {
	t.chosen, err = t.config.Select(names)
	return err
}

// askFirst asks for passwords that nothing gives, before the state is taken: a person may be slow.
func (t *task) askFirst(ctx context.Context) error {
	accounts, _ := accountsOf(t.config, t.chosen, t.asker) // what is wrong with one is its failure, when its turn comes
	if err := askFirst(ctx, t.chosen, accounts); err != nil {
		return afterSignal(ctx, err)
	}
	return nil
}

// perform has op done. each is told of the events; its error ends it all.
func perform[Q, E, A any](ctx context.Context, t *task, op operation[Q, E, A], q Q, each func(E) error) (answer A, err error) {
	own := func(h *holder) error {
		if answer, err = op.do(ctx, h, q, each); err != nil {
			err = afterSignal(ctx, err)
		}
		return both(err, h.close(ctx))
	}
	told := false
	far := func(n *neighbour) error {
		raw, err := ask(ctx, n, t, op.name, q, func(e E) error {
			told = true
			return each(e)
		})
		if told && (errors.Is(err, owner.ErrGone) || isFailure(err, owner.CodeEnding)) { // it would be told again
			return &neighbourError{held: &uidl.HeldError{Path: t.config.State, PID: n.hello.PID}, err: err, hint: "try again"}
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &answer)
	}
	err = t.withState(ctx, false, own, far)
	return answer, err
}
