package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"popsync/internal/realtest"
)

// A lab is where trials are made: a server with a mailbox for each, and a folder.
type lab struct {
	popsync realtest.Popsync
	server  realtest.Server
	dir     string
	random  *rand.Rand
	next    uint64 // seed of the next message
	pace    pace
	out     io.Writer // is told what goes wrong
}

// A pace says how long a fetch of n messages takes that nobody kills.
type pace struct{ start, each time.Duration }

func (p pace) of(n int) time.Duration { return p.start + time.Duration(n)*p.each }

const (
	patience = time.Minute     // with a fetch that nobody kills
	grace    = 5 * time.Second // that popsync has to end when it is asked to
)

// rehearsals are fetches by which the pace is measured.
const rehearsals = 5

func newLab(ctx context.Context, popsync realtest.Popsync, trials int, seed uint64, out io.Writer) (_ *lab, err error) {
	dir, err := os.MkdirTemp("", "popsync-crash-")
	if err != nil {
		return nil, err
	}
	l := &lab{popsync: popsync, dir: dir, random: rand.New(rand.NewPCG(seed, 0)), out: out}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	var names []string
	for n := range trials {
		names = append(names, trialUser(n))
	}
	for n := range rehearsals {
		names = append(names, rehearsalUser(n))
	}
	if l.server, err = realtest.StartDovecot(names...); err != nil {
		return nil, err
	}
	return l, l.measure(ctx)
}

func trialUser(n int) string     { return fmt.Sprintf("trial%d", n+1) }
func rehearsalUser(n int) string { return fmt.Sprintf("rehearsal%d", n+1) }

// close ends the server and removes the folder.
func (l *lab) close() error {
	var err error
	if l.server != nil {
		err = l.server.Stop()
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// measure sets the pace by fetching a full mailbox, and then nothing, a few times over.
func (l *lab) measure(ctx context.Context) error {
	const n = 80
	var full, empty []time.Duration
	for i := range rehearsals {
		b := l.box(rehearsalUser(i), i%2 == 0)
		if _, err := l.server.Put(b.user, l.compose(n)...); err != nil {
			return err
		}
		for _, took := range []*[]time.Duration{&full, &empty} {
			begun := time.Now()
			if err := b.fetch(ctx); err != nil {
				return fmt.Errorf("before any kill: %w", err)
			}
			*took = append(*took, time.Since(begun))
		}
	}
	l.pace.start = median(empty)
	l.pace.each = max(0, median(full)-l.pace.start) / n
	return nil
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// compose makes n new messages, most of them small.
func (l *lab) compose(n int) []realtest.Message {
	all := make([]realtest.Message, n)
	for i := range all {
		size := 500 + l.random.Int64N(5000)
		if l.random.IntN(20) == 0 {
			size = 300_000
		}
		all[i] = realtest.Message{Seed: l.next, Size: size}
		l.next++
	}
	return all
}

// A box is one user's mail: on the server, and where popsync delivers it.
type box struct {
	*lab
	user    string
	keep    bool
	dir     string
	maildir string
	archive string
}

func (l *lab) box(user string, keep bool) *box {
	dir := filepath.Join(l.dir, user)
	return &box{
		lab: l, user: user, keep: keep, dir: dir,
		maildir: filepath.Join(dir, "Maildir"),
		archive: filepath.Join(dir, "Archive"),
	}
}

// start begins a fetch.
func (b *box) start() (*realtest.Child, error) {
	if err := os.MkdirAll(filepath.Join(b.archive, "cur"), 0o700); err != nil {
		return nil, err
	}
	config := filepath.Join(b.dir, "config.yaml")
	err := realtest.WriteConfig(config, realtest.Account{
		Name: b.user, User: b.user, Host: realtest.Host(1),
		Port: b.server.Port(realtest.Cleartext), TLS: realtest.Cleartext,
		Keep: b.keep, Maildir: b.maildir,
	})
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
	select {
	case <-child.Done():
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("popsync fetch goes on for more than %v", patience), child.Stop(grace))
	case <-ctx.Done():
		return errors.Join(ctx.Err(), child.Stop(grace))
	}
	if status := child.Wait(); status != 0 {
		return fmt.Errorf("popsync fetch ends with status %d: %s", status, child.Stderr())
	}
	return nil
}
