package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// agents kills fetches into an agent (an MDA), alone or together with the agent that runs. The agent is
// in a bad mood now and then, and refuses, dies by a signal, hangs or floods. In some trials a message is
// set aside when it has been refused once or twice. In the end the agent is in a good mood.
var agents = campaign{
	name: "agents", what: "SIGKILL of fetches into a delivery program that fails in every way",
	short: 3, long: 400,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		return e.each(ctx, trials, 2, agentTrial)
	},
}

func agentTrial(ctx context.Context, t *trial) (tally, error) {
	server, err := startPop(poptest.Options{}, "")
	if err != nil {
		return tally{}, err
	}
	defer server.Close()
	h := &handed{box: newBox(t, server, "alice")}
	h.keep, h.account.MDATimeout = t.random.IntN(2) == 0, 3*time.Second
	h.account.MaxAttempts = t.random.IntN(3) // 0: as many as popsync likes
	if h.agent, err = newAgent(filepath.Join(t.dir, "agent"), t.random.IntN(3)*15); err != nil {
		return tally{}, err
	}
	for range 2 + t.random.IntN(5) {
		if err := h.round(ctx); err != nil {
			return tally{}, err
		}
	}
	h.agent.moods = 0
	if err := h.agent.rest(); err != nil {
		return tally{}, err
	}
	h.account.MDATimeout = patience
	err = h.finish(ctx, &h.tally)
	aside, e := realtest.Files(h.quarantine("new"))
	h.tally.did("set aside", aside)
	return h.tally, errors.Join(err, e)
}

// A handed box's mail goes to an agent.
type handed struct {
	*box
	tally tally
}

// round is a fetch of new mail that is killed, or not.
func (h *handed) round(ctx context.Context) error {
	n := 1 + h.random.IntN(12)
	h.tally.messages += n
	if err := h.put(h.compose(n)); err != nil {
		return err
	}
	if h.random.IntN(4) == 0 {
		return h.undisturbed(ctx)
	}
	if err := h.kill(ctx, &h.tally, time.Duration(50+15*n)*time.Millisecond); err != nil {
		return err
	}
	if h.random.IntN(2) == 0 {
		return h.agent.kill()
	}
	return nil
}

// undisturbed is a fetch that ends by itself: as well as the agent's mood lets it.
func (h *handed) undisturbed(ctx context.Context) error {
	child, err := h.start()
	if err != nil {
		return err
	}
	if err := h.waitFor(ctx, child, patience, &h.tally); err != nil {
		return err
	}
	h.tally.did(fmt.Sprintf("told %d", child.Wait()), 1)
	switch child.Wait() {
	case 0, 73, 75:
	default:
		h.failed(&h.tally, ended(child))
	}
	return nil
}
