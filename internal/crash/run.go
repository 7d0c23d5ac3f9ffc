package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"popsync/internal/realtest"
)

const (
	patience = time.Minute     // with a fetch that nobody disturbs
	grace    = 5 * time.Second // that popsync has to end when it is asked to
)

// start begins a fetch.
func (b *box) start() (*realtest.Child, error) {
	config, err := b.configure()
	if err != nil {
		return nil, err
	}
	return b.popsync.Start(config, "fetch")
}

// fetch lets a fetch finish. Its error says why popsync failed.
func (b *box) fetch(ctx context.Context) error {
	child, err := b.start()
	if err != nil {
		return err
	}
	if err := await(ctx, child, patience); err != nil {
		return err
	}
	if child.Wait() != 0 {
		return ended(child)
	}
	return nil
}

// await returns once the child is over. One that takes longer than it may is ended: an error.
func await(ctx context.Context, child *realtest.Child, most time.Duration) error {
	select {
	case <-child.Done():
		return nil
	case <-time.After(most):
		return errors.Join(fmt.Errorf("popsync goes on for more than %v", most), child.Stop(grace))
	case <-ctx.Done():
		return errors.Join(ctx.Err(), child.Stop(grace))
	}
}

// waitFor waits for a child. That it does not end is a violation.
func (b *box) waitFor(ctx context.Context, child *realtest.Child, most time.Duration, t *tally) error {
	err := await(ctx, child, most)
	if err != nil && ctx.Err() == nil {
		b.failed(t, err)
		return nil
	}
	return err
}

// ended says how a child ended.
func ended(child *realtest.Child) error {
	return fmt.Errorf("popsync ends with status %d: %s", child.Wait(), child.Stderr())
}

// mustFetch is a fetch that nobody disturbs: anything but success is a violation.
func (b *box) mustFetch(ctx context.Context, t *tally) error {
	err := b.fetch(ctx)
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		b.failed(t, err)
	}
	return nil
}

func (b *box) failed(t *tally, err error) {
	t.failed++
	b.say("%v", err)
}

// kill is a fetch that is killed at a moment of those that it may take, or was faster.
func (b *box) kill(ctx context.Context, t *tally, takes time.Duration) error {
	_, err := b.killAfter(ctx, t, time.Duration(b.random.Int64N(int64(takes))))
	return err
}

// killAfter is a fetch that is killed then, or was faster.
func (b *box) killAfter(ctx context.Context, t *tally, moment time.Duration) (*realtest.Child, error) {
	child, err := b.start()
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(moment):
	case <-child.Done():
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), child.Stop(grace))
	}
	if err := child.Signal(syscall.SIGKILL); err != nil {
		return nil, err
	}
	if child.Wait() == -1 {
		t.did("kills", 1)
		b.kills++
	}
	return child, nil
}

// finish is a fetch that nobody disturbs, and a look at all promises behind it.
func (b *box) finish(ctx context.Context, t *tally) error {
	if err := b.mustFetch(ctx, t); err != nil {
		return err
	}
	seen, err := b.evidence()
	t.add(seen.inTheEnd())
	return err
}
