package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"popsync/internal/crash/disk"
	"popsync/internal/crash/strace"
	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// patienceWithServers is in how many sessions popsync deletes a message before it lets it be.
const patienceWithServers = 3

// A player carries a schedule out.
type player struct {
	*box
	pop    *popServer
	line   *line
	room   *room // nil where nothing may be mounted
	base   string
	tally  tally
	well   bool // the last fetch ended with 0
	forgot int  // sessions in which the server forgot deletions
	halves bool // after a power cut a message may lie in tmp/ and in new/
}

// run carries the schedule out, and looks at the promises after each turn and in the end.
func (s schedule) run(ctx context.Context, t *trial) (found tally, err error) {
	p, err := newPlayer(t)
	if err != nil {
		return tally{}, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for i, turn := range s {
		if err := p.take(ctx, turn); err != nil {
			return p.tally, err
		}
		if p.tally.violations() > 0 {
			p.say("%s, after: %v", p.tally.wrong(), s[:i+1])
			return p.tally, nil
		}
	}
	err = p.finish(ctx, &p.tally)
	if p.tally.violations() > 0 {
		p.say("%s, in the end of: %v", p.tally.wrong(), s)
	}
	return p.tally, err
}

// take takes a turn, and looks at the promises.
func (p *player) take(ctx context.Context, t turn) error {
	p.well = false
	if err := p.do(ctx, t); err != nil {
		return err
	}
	seen, err := p.evidence()
	if p.well {
		p.tally.add(seen.atRest())
	} else {
		p.tally.add(seen.atAnyMoment())
	}
	return err
}

func newPlayer(t *trial) (_ *player, err error) {
	p := &player{base: filepath.Join(t.dir, "room")}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.pop, err = startPop(poptest.Options{Chunk: page, Pause: time.Millisecond}, ""); err != nil {
		return nil, err
	}
	if p.line, err = openLine(p.pop.port); err != nil {
		return nil, err
	}
	if p.room, err = mountRoom(p.base, roomy); err != nil {
		if _, ok := errors.AsType[cannot](err); !ok {
			return nil, err
		}
		p.room = nil
	}
	dir := filepath.Join(p.base, "disk")
	p.box = newBoxIn(dir, t, p.pop, "alice")
	p.account.Port = p.line.port()
	return p, errors.Join(os.MkdirAll(dir, 0o700), p.put(nil))
}

func (p *player) close() error {
	if p.line != nil {
		p.line.close()
	}
	if p.pop != nil {
		p.pop.Close()
	}
	if p.room != nil {
		return p.room.unmount()
	}
	return nil
}

// do does one turn.
func (p *player) do(ctx context.Context, s turn) error {
	switch s.kind {
	case arrives:
		p.tally.messages += s.messages()
		return p.put(p.compose(s.messages()))
	case isLeft:
		return p.ends(ctx, "fetches", 0)
	case isKilled:
		_, err := p.killAfter(ctx, &p.tally, s.moment())
		return err
	case isAsked:
		return p.ask(ctx, s.signal(), s.moment())
	case lineIsCut:
		return p.cut(ctx, s.disturbance())
	case diskFills:
		return p.fill(ctx, s.room())
	case powerEnds:
		return p.cutPower(ctx, s)
	case quitIsLost:
		return p.loseQuit(ctx, s.loss())
	case twoAtOnce:
		return p.two(ctx)
	case readerCame:
		return p.meddle(&p.tally, s.percent(), func() habit { return p.fitting(s.habit()) })
	case keepTurns:
		p.keep = !p.keep
	case turnKinds:
	}
	return nil
}

// ends is a fetch that ends by itself, with one of statuses.
func (p *player) ends(ctx context.Context, deed string, statuses ...int) error {
	child, err := p.start()
	if err != nil {
		return err
	}
	return p.over(ctx, child, deed, statuses...)
}

// over waits until a fetch has ended, which it may with one of statuses.
func (p *player) over(ctx context.Context, child *realtest.Child, deed string, statuses ...int) error {
	if err := p.waitFor(ctx, child, patience, &p.tally); err != nil {
		return err
	}
	p.tally.did(deed, 1)
	if !slices.Contains(statuses, child.Wait()) {
		p.failed(&p.tally, ended(child))
		return nil
	}
	p.well = child.Wait() == 0
	p.halves = p.halves && !p.well
	return nil
}

// ask asks a fetch to end.
func (p *player) ask(ctx context.Context, signal syscall.Signal, moment time.Duration) error {
	child, err := p.start()
	if err != nil {
		return err
	}
	select {
	case <-time.After(moment):
	case <-child.Done():
	}
	if err := child.Signal(signal); err != nil {
		return errors.Join(err, child.Stop(grace))
	}
	if err := p.waitFor(ctx, child, slow, &p.tally); err != nil {
		return err
	}
	return p.over(ctx, child, "signals", 0, 128+int(signal), -1) // -1: it had not begun to listen
}

// fitting is a habit that popsync can stand now: of a message that lies in tmp/ too nobody can know
// that a reader took it away from new/.
func (p *player) fitting(h habit) habit {
	if p.halves {
		return marks
	}
	return h
}

func (p *player) cut(ctx context.Context, d disturbance) error {
	p.line.disturb(&d)
	defer p.line.disturb(nil)
	return p.ends(ctx, "cut lines", 0, 69)
}

// fill is a fetch with so much room left.
func (p *player) fill(ctx context.Context, left int64) error {
	if p.room == nil {
		return nil
	}
	if _, err := p.configure(); err != nil { // while there is room
		return err
	}
	used, err := p.room.used()
	if err != nil {
		return err
	}
	if err := p.room.resize(space{used.bytes + left, roomy.inodes}); err != nil {
		return err
	}
	err = p.ends(ctx, "full disks", 0, 74)
	return errors.Join(err, p.room.resize(roomy))
}

func (p *player) loseQuit(ctx context.Context, loss quitLoss) error {
	if loss.forgets {
		if p.forgot++; p.forgot >= patienceWithServers {
			return nil
		}
	}
	p.pop.Hook("QUIT", poptest.Always(loss.action))
	defer p.pop.Hook("QUIT", nil)
	return p.ends(ctx, "lost QUITs", 0, 69)
}

func (p *player) two(ctx context.Context) error {
	config, err := p.configure() // once: it is read while the other one starts
	if err != nil {
		return err
	}
	first, err := p.popsync.Start(config, "fetch")
	if err != nil {
		return err
	}
	second, err := p.popsync.Start(config, "fetch")
	if err != nil {
		return errors.Join(err, first.Stop(grace))
	}
	err = p.over(ctx, first, "fetches beside another", 0)
	return errors.Join(err, p.over(ctx, second, "fetches beside another", 0))
}

// cutPower lets a fetch finish under strace, and puts in the place of what it made what a power
// cut in the middle would have left. All that was there before counts as durable.
func (p *player) cutPower(ctx context.Context, s turn) error {
	if strace.Available() != nil {
		return nil
	}
	st, err := p.story()
	if err != nil {
		return err
	}
	fetch, err := st.record(ctx)
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		p.failed(&p.tally, err)
		return nil
	}
	models, err := st.models(fetch)
	if err != nil {
		return err
	}
	m := models[s.b%len(models)]
	asked, err := m.goTo(s.a * m.Moments() / turnRange)
	if err != nil {
		return err
	}
	p.tally.did("power cuts", 1)
	p.halves = m.renames == disk.Halves
	fetch.restore(asked)
	return st.site.Build(m.Survivor(st.random, disk.Chance(st.random)))
}

// story is the mailbox as one of [power]'s.
func (p *player) story() (*story, error) {
	config, err := p.configure()
	if err != nil {
		return nil, err
	}
	shelf := filepath.Join(p.base, "shelf")
	if err := os.RemoveAll(shelf); err != nil {
		return nil, err
	}
	site, err := disk.NewSite(p.dir, shelf)
	if err != nil {
		return nil, err
	}
	st := &story{
		trial: p.trial, plot: plot{keep: p.keep, accounts: 1}, pop: p.pop, boxes: []*box{p.box},
		root: p.dir, config: config, site: site,
	}
	st.past.begin, err = site.Read()
	return st, err
}
