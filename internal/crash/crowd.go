package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// crowd runs many popsync at once on one state: fetches alone, fetches of which some are ended, and ten
// fetches beside a `popsync run`, which may be ended in the middle, by SIGKILL or SIGTERM. Whoever is left
// in peace has to end with 0.
var crowd = campaign{
	name: "crowd", what: "many processes at once on one state, some of which are ended",
	short: 4, long: 400,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		return e.each(ctx, trials, 1, crowdTrial)
	},
}

// A gathering is a state with several accounts, and who works on it.
type gathering struct {
	*trial
	server *popServer
	boxes  []*box
	config string
	tally  tally
}

func crowdTrial(ctx context.Context, t *trial) (tally, error) {
	g, err := newGathering(t)
	if err != nil {
		return tally{}, err
	}
	defer g.server.Close()
	for range 1 + t.random.IntN(3) {
		if err := g.arrive(); err != nil {
			return tally{}, err
		}
		scene := []func(context.Context) error{g.fetches, g.fewer, g.besideRun, g.besideDyingRun}[t.random.IntN(4)]
		if err := scene(ctx); err != nil {
			return tally{}, err
		}
	}
	err = g.finish(ctx)
	return g.tally, err
}

func newGathering(t *trial) (*gathering, error) {
	server, err := startPop(poptest.Options{Chunk: page, Pause: time.Millisecond}, "")
	if err != nil {
		return nil, err
	}
	g := &gathering{trial: t, server: server, config: filepath.Join(t.dir, "config.yaml")}
	var accounts []realtest.Account
	for i := range 1 + t.random.IntN(3) {
		user := fmt.Sprintf("user%d", i)
		b := newBoxIn(filepath.Join(t.dir, user), t, server, user)
		b.keep, b.account.Interval = t.random.IntN(2) == 0, time.Second
		if err := b.furnish(); err != nil {
			server.Close()
			return nil, err
		}
		g.boxes = append(g.boxes, b)
		accounts = append(accounts, b.configured())
	}
	return g, realtest.WriteConfig(g.config, accounts...)
}

// arrive has mail arrive in each mailbox.
func (g *gathering) arrive() error {
	var errs error
	for _, b := range g.boxes {
		n := g.random.IntN(30)
		g.tally.messages += n
		errs = errors.Join(errs, b.put(b.compose(n)))
	}
	return errs
}

// fetches are some at once, which nobody disturbs.
func (g *gathering) fetches(ctx context.Context) error {
	children, err := g.start(2 + g.random.IntN(8))
	return errors.Join(err, g.await(ctx, children))
}

// fewer are fetches of which some are ended, one after the other.
func (g *gathering) fewer(ctx context.Context) error {
	children, err := g.start(3 + g.random.IntN(6))
	for len(children) > 2 && err == nil && g.random.IntN(4) > 0 {
		time.Sleep(time.Duration(g.random.Int64N(int64(50 * time.Millisecond))))
		err = g.end(children[0])
		children = children[1:]
	}
	return errors.Join(err, g.await(ctx, children))
}

// besideRun are ten fetches beside a poller, which ends when it is asked to.
func (g *gathering) besideRun(ctx context.Context) error {
	poller, err := g.startRun()
	if err != nil {
		return err
	}
	children, err := g.start(10)
	err = errors.Join(err, g.await(ctx, children))
	if g.stop(poller); poller.Wait() != 0 {
		g.failed(ended(poller))
	}
	return err
}

// besideDyingRun are ten fetches beside a poller that is ended.
func (g *gathering) besideDyingRun(ctx context.Context) error {
	poller, err := g.startRun()
	if err != nil {
		return err
	}
	children, err := g.start(10)
	time.Sleep(time.Duration(g.random.Int64N(int64(200 * time.Millisecond))))
	return errors.Join(err, g.end(poller), g.await(ctx, children))
}

// startRun starts a poller, and gives it some time, or none.
func (g *gathering) startRun() (*realtest.Child, error) {
	g.tally.did("pollers", 1)
	poller, err := g.popsync.Start(g.config, "run")
	time.Sleep(time.Duration(g.random.Int64N(int64(100 * time.Millisecond))))
	return poller, err
}

// start starts fetches: of all accounts, or of one.
func (g *gathering) start(n int) (children []*realtest.Child, err error) {
	for range n {
		var names []string
		if i := g.random.IntN(2 * len(g.boxes)); i < len(g.boxes) {
			names = []string{g.boxes[i].account.Name}
		}
		child, err := g.popsync.Start(g.config, "fetch", names...)
		if err != nil {
			return children, err
		}
		children = append(children, child)
		g.tally.did("fetches", 1)
	}
	return children, nil
}

// stop asks a child to end, which it does within grace.
func (g *gathering) stop(child *realtest.Child) {
	if err := child.Stop(grace); err != nil {
		g.failed(err)
	}
}

// end kills a child, or asks it to end.
func (g *gathering) end(child *realtest.Child) error {
	if g.random.IntN(3) == 0 {
		g.tally.did("SIGTERM", 1)
		g.stop(child)
		return nil
	}
	err := child.Signal(syscall.SIGKILL)
	if child.Wait() == -1 {
		g.tally.did("SIGKILL", 1)
	}
	return err
}

// await wants each of children to end with 0.
func (g *gathering) await(ctx context.Context, children []*realtest.Child) error {
	errs := make([]error, len(children))
	var waiting sync.WaitGroup
	for i, child := range children {
		waiting.Go(func() { errs[i] = await(ctx, child, patience) })
	}
	waiting.Wait()
	if ctx.Err() != nil {
		return errors.Join(errs...)
	}
	for i, child := range children {
		if errs[i] != nil {
			g.failed(errs[i])
		} else if child.Wait() != 0 {
			g.failed(ended(child))
		}
	}
	return nil
}

func (g *gathering) failed(err error) {
	g.tally.failed++
	g.say("%v", err)
}

// finish is one fetch of all, and a look at all promises.
func (g *gathering) finish(ctx context.Context) error {
	child, err := g.popsync.Start(g.config, "fetch")
	if err != nil {
		return err
	}
	if err := g.await(ctx, []*realtest.Child{child}); err != nil {
		return err
	}
	for _, b := range g.boxes {
		seen, err := b.evidence()
		if err != nil {
			return err
		}
		found := seen.inTheEnd()
		g.tally.add(found)
		if found.violations() > 0 {
			g.say("%s (keep %v): %s", b.user, b.keep, found.wrong())
		}
	}
	return nil
}
