package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"popsync/internal/config"
	"popsync/internal/owner"
	"popsync/internal/term"
	"popsync/uidl"
)

const (
	ownerPatience = 5 * time.Second       // with who holds the state and does not listen yet, or any more
	lookAgain     = 20 * time.Millisecond // between two tries for the state
)

// A neighbour is another process that holds the state and serves us.
type neighbour struct {
	conn  *owner.Conn
	hello owner.Hello
}

// errAgain says that the state may be had by now, or another neighbour.
var errAgain = errors.New("the state has changed hands")

// withState has own do what is to be done if the state can be had, or else far, by who has it. Should
// that one go away in the middle, one of the two is called again. A dry run does not create the
// state where there is none yet.
func (t *task) withState(ctx context.Context, dryRun bool, own func(*holder) error, far func(*neighbour) error) error {
	for {
		h, n, err := t.take(ctx, dryRun)
		switch {
		case err != nil:
			return afterSignal(ctx, err)
		case h != nil:
			return own(h)
		}
		err = n.serveUs(ctx, t, far)
		n.conn.Close()
		if !errors.Is(err, errAgain) {
			return err
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return afterSignal(ctx, context.Cause(ctx))
		}
	}
}

// take makes this process the holder of the state, or finds its neighbour.
func (t *task) take(ctx context.Context, dryRun bool) (*holder, *neighbour, error) {
	if _, err := os.Stat(t.config.State); dryRun && errors.Is(err, fs.ErrNotExist) {
		return newHolder(t.config, t.asker, nil), nil, nil
	}
	for end := time.Now().Add(ownerPatience); ; {
		store, err := uidl.Open(ctx, t.config.State, uidl.Options{Wait: time.Nanosecond, History: t.config.History})
		if err == nil {
			h := newHolder(t.config, t.asker, store)
			h.asked = t.chosen
			h.poller.Notify, h.poller.Trace = t.notify, t.trace
			h.serve(ctx, t.command)
			return h, nil, nil
		}
		if !is[*uidl.HeldError](err) {
			return nil, nil, err
		}
		n, dialErr := t.dial(ctx)
		switch {
		case dialErr == nil:
			return nil, n, nil
		case errors.Is(dialErr, owner.ErrNobody), isFailure(dialErr, owner.CodeBusy):
		case ctx.Err() != nil:
			return nil, nil, context.Cause(ctx)
		default:
			return nil, nil, &neighbourError{held: err, err: dialErr}
		}
		if time.Now().After(end) {
			return nil, nil, err
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

func (t *task) dial(ctx context.Context) (*neighbour, error) {
	path, err := socketOf(t.config.State)
	if err != nil {
		return nil, owner.ErrNobody // nobody can listen there
	}
	conn, hello, err := owner.Dial(ctx, path, t.hello())
	if err != nil {
		return nil, err
	}
	return &neighbour{conn, hello}, nil
}

func (t *task) hello() owner.Hello {
	return owner.Hello{Version: thisVersion(), Command: t.command, Config: configName(t.config)}
}

// socketOf is where the process that holds the state listens.
func socketOf(state string) (string, error) {
	return owner.Path(state, os.Getenv("XDG_RUNTIME_DIR"))
}

// serveUs has far ask the neighbour, if it has the same program and the same configuration as we.
func (n *neighbour) serveUs(ctx context.Context, t *task, far func(*neighbour) error) error {
	if n.hello.Ending {
		return n.waitGone(ctx)
	}
	if n.hello.Version != thisVersion() || n.hello.Config != configName(t.config) {
		return n.standAside(ctx, t, errOther)
	}
	err := far(n)
	switch {
	case isFailure(err, codeSettings):
		return n.standAside(ctx, t, errOther)
	case isFailure(err, owner.CodeEnding):
		return n.waitGone(ctx)
	case errors.Is(err, owner.ErrGone):
		return errAgain
	}
	return err
}

// waitGone waits for the neighbour's end.
func (n *neighbour) waitGone(ctx context.Context) error {
	if err := n.conn.WaitGone(ctx); err != nil {
		return afterSignal(ctx, err)
	}
	return errAgain
}

// errOther is why one who holds the state cannot do what we want.
var (
	errOther = errors.New("has another version or other settings")
	errRuns  = errors.New("polls already")
)

// hintBeside says what to do about a run that holds the state.
var hintBeside = map[error]string{
	errOther: "restart that one, so that it reads its configuration anew, or give this one another state",
	errRuns:  "there is nothing to do; to poll at once: popsync fetch",
}

// standAside waits for the end of a neighbour that is no help; of one that does not end by itself
// that is an error.
func (n *neighbour) standAside(ctx context.Context, t *task, why error) error {
	if n.hello.Command == "run" {
		return &neighbourError{
			held: &uidl.HeldError{Path: t.config.State, PID: n.hello.PID},
			err:  fmt.Errorf("popsync run, of %s, %w", n.hello.Config, why),
			hint: hintBeside[why],
		}
	}
	if t.say != nil {
		t.say(fmt.Sprintf("waiting for the end of popsync %s, pid %d", n.hello.Command, n.hello.PID))
	}
	return n.waitGone(ctx)
}

// ask asks the neighbour to do something for t. each is told of the events.
func ask[E any](ctx context.Context, n *neighbour, t *task, do string, query any, each func(E) error) (json.RawMessage, error) {
	answer, err := n.conn.Call(ctx, do, asking{Settings: t.settings(), Query: query}, func(raw json.RawMessage) error {
		var event E
		if err := json.Unmarshal(raw, &event); err != nil {
			return err
		}
		return each(event)
	})
	switch {
	case errors.Is(err, owner.ErrSilent):
		return nil, &neighbourError{held: &uidl.HeldError{Path: t.config.State, PID: n.hello.PID}, err: err}
	case isFailure(err, codeFailed):
		return nil, nearOf(err)
	}
	return answer, err
}

// An asking is what one process wants of another.
type asking struct {
	Settings map[string]string `json:"settings"` // a digest of each account that it is about
	Query    any               `json:"query"`
}

// A neighbourError says that the state is held by one who does not serve us.
type neighbourError struct {
	held error
	err  error
	hint string
}

func (e *neighbourError) Error() string { return e.held.Error() + ": " + e.err.Error() }
func (e *neighbourError) Unwrap() error { return e.held }
func (e *neighbourError) Hint() string {
	if e.hint == "" {
		return "try again when it has ended, or end it"
	}
	return e.hint
}

func isFailure(err error, code string) bool {
	f, ok := errors.AsType[*owner.Failure](err)
	return ok && f.Code == code
}

// configName is the path of a configuration, without links and in ASCII.
func configName(c *config.Config) string {
	path, err := filepath.Abs(c.Path)
	if err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
	}
	return term.Escape(path)
}
