package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"popsync/internal/crash/tracer"
	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// A scene is how a traced fetch begins.
type scene struct {
	keep      bool
	agent     bool // instead of a Maildir
	pipelined bool
	first     bool // there is neither a state nor a Maildir yet
	dovecot   bool // instead of a server in this process
}

// scenes are all of them. Those with Dovecot are few, since it takes its time.
func scenes(dovecot bool) []scene {
	var all []scene
	for i := range 16 {
		all = append(all, scene{keep: i&1 != 0, agent: i&2 != 0, pipelined: i&4 != 0, first: i&8 != 0})
	}
	if dovecot {
		all = append(all, scene{dovecot: true, pipelined: true}, scene{dovecot: true, pipelined: true, agent: true, first: true})
	}
	return all
}

func (s scene) String() string {
	choose := func(yes bool, then, otherwise string) string {
		if yes {
			return then
		}
		return otherwise
	}
	return strings.Join([]string{
		fmt.Sprintf("keep %v", s.keep),
		choose(s.agent, "agent", "Maildir"),
		choose(s.pipelined, "pipelined", "not pipelined"),
		choose(s.first, "first fetch", "later fetch"),
		choose(s.dovecot, "Dovecot", "poptest"),
	}, ", ")
}

// A play is a scene that is set: new messages lie on a server, and a fetch may begin.
type play struct {
	*box
	scene
	close func() // ends what was started for it
}

const (
	earlier = 2 // messages that an earlier fetch has delivered
	fresh   = 3 // messages that are to come
)

// set makes a play for a trial. dovecot is that of the campaign.
func (s scene) set(ctx context.Context, t *trial, dovecot realtest.Server, user string) (*play, error) {
	var err error
	if t.dir, err = filepath.EvalSymlinks(t.dir); err != nil { // as the kernel names its files
		return nil, err
	}
	p := &play{scene: s, close: func() {}}
	var server mailServer = dovecot
	if !s.dovecot {
		pop, err := startPop(s.server(), "")
		if err != nil {
			return nil, err
		}
		server, p.close = pop, pop.Close
	}
	p.box = newBox(t, server, user)
	p.box.keep = s.keep
	if err := p.stock(ctx); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (s scene) server() poptest.Options {
	if s.pipelined {
		return poptest.Options{}
	}
	return poptest.Options{Capabilities: poptest.Capabilities("PIPELINING")}
}

func (p *play) stock(ctx context.Context) error {
	if p.scene.agent {
		agent, err := newAgent(filepath.Join(p.box.dir, "agent"), 0)
		if err != nil {
			return err
		}
		p.box.agent = agent
	}
	if !p.first {
		if err := p.put(p.compose(earlier)); err != nil {
			return err
		}
		if err := p.fetch(ctx); err != nil {
			return fmt.Errorf("before anything was done to popsync: %w", err)
		}
	}
	return p.put(p.compose(fresh))
}

// traced runs a fetch of which decide is asked at each call, and returns what it said too. Agents that it
// leaves behind have ended then.
func (p *play) traced(ctx context.Context, decide func(tracer.Call) tracer.Fate) (o tracer.Outcome, said string, err error) {
	config, err := p.configure()
	if err != nil {
		return o, "", err
	}
	out, err := os.Create(p.output())
	if err != nil {
		return o, "", err
	}
	defer out.Close()
	bounded, stop := context.WithTimeoutCause(ctx, patience, errHangs)
	defer stop()
	o, err = tracer.Run(bounded, tracer.Program{
		Path: string(p.popsync), Args: []string{"fetch", "--config", config}, Dir: p.box.dir,
		Env:    []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.box.dir, "LANG=C.UTF-8"},
		Output: out,
	}, decide)
	if err != nil {
		return o, "", err
	}
	if err := p.rest(ctx, o); err != nil {
		return o, "", err
	}
	output, err := os.ReadFile(out.Name())
	return o, string(output), err
}

// rest waits for agents that a fetch left behind.
func (p *play) rest(ctx context.Context, o tracer.Outcome) error {
	if err := tracer.AwaitEnd(ctx, o.Left); err != nil || p.box.agent == nil {
		return err
	}
	return p.box.agent.rest()
}

// output has what a traced fetch says.
func (p *play) output() string { return filepath.Join(p.box.dir, "output") }

// errHangs is the error of a fetch that is traced and does not end.
var errHangs = fmt.Errorf("popsync goes on for more than %v", patience)

// A point is a call of a play's fetch: the nth of those that look alike. Which thread makes it, and
// what others do meanwhile, may differ from run to run.
type point struct {
	scene
	looks string
	nth   int
}

func (p point) String() string { return fmt.Sprintf("%v: %s, number %d", p.scene, p.looks, p.nth) }

// messageName is that of a file in a Maildir or the spool.
var messageName = regexp.MustCompile(`[0-9]+\.R[0-9a-f]{16}Q[0-9]+_[^/ ]+`)

// number is of a socket, a pipe, a process or a file without a name.
var number = regexp.MustCompile(`(socket:|pipe:|/proc/|#)\[?[0-9]+\]?`)

// looks is a call without what differs from run to run.
func (p *play) looks(c tracer.Call) string {
	c.Path, c.To = p.alike(c.Path), p.alike(c.To)
	return c.String()
}

func (p *play) alike(path string) string {
	if rest, below := strings.CutPrefix(path+"/", p.box.dir+"/"); below {
		path = strings.TrimSuffix("./"+rest, "/")
	}
	return number.ReplaceAllString(messageName.ReplaceAllString(path, "NAME"), "$1*")
}

// points are the calls of a fetch that nobody disturbs, from its first look at its configuration on.
func (p *play) points(ctx context.Context) ([]point, error) {
	var all []point
	seen := map[string]int{}
	outcome, said, err := p.traced(ctx, func(c tracer.Call) tracer.Fate {
		if len(all) > 0 || strings.HasPrefix(c.Path, p.box.dir) {
			looks := p.looks(c)
			seen[looks]++
			all = append(all, point{scene: p.scene, looks: looks, nth: seen[looks]})
		}
		return tracer.Fate{}
	})
	if err != nil {
		return nil, err
	}
	if outcome.Status != 0 || len(all) == 0 {
		return nil, fmt.Errorf("traced and not disturbed, popsync ends with %v behind %d calls: %s", outcome, len(all), said)
	}
	return all, nil
}

// rehearse finds the points of all scenes.
func rehearse(ctx context.Context, e *env, scenes []scene) (all []point, err error) {
	var dovecot realtest.Server
	if slices.ContainsFunc(scenes, func(s scene) bool { return s.dovecot }) {
		if dovecot, err = realtest.StartDovecot(usersFor(scenes)...); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, dovecot.Stop()) }()
	}
	for i, s := range scenes {
		t, err := e.newTrial(rehearsalUser(i))
		if err != nil {
			return nil, err
		}
		points, err := s.rehearse(ctx, t, dovecot)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", s, err)
		}
		if err := t.remove(); err != nil {
			return nil, err
		}
		all = append(all, points...)
	}
	return all, nil
}

func (s scene) rehearse(ctx context.Context, t *trial, dovecot realtest.Server) ([]point, error) {
	p, err := s.set(ctx, t, dovecot, filepath.Base(t.dir))
	if err != nil {
		return nil, err
	}
	defer p.close()
	return p.points(ctx)
}

// A watch waits for a point.
type watch struct {
	*play
	point
	seen int
	met  bool
	call tracer.Call // that was met
}

func (p *play) watch(which point) *watch { return &watch{play: p, point: which} }

// comes says whether this is the call.
func (w *watch) comes(c tracer.Call) bool {
	if w.met || w.play.looks(c) != w.point.looks {
		return false
	}
	w.seen++
	w.met, w.call = w.seen == w.nth, c
	return w.met
}

// mix shuffles what there is to try, so that of those which are alike one comes first, then one more
// of each, and so on. It returns how many kinds there are.
func mix[T any](random *rand.Rand, all []T, like func(T) string) (kinds int) {
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	type ranked struct {
		what T
		rank int
	}
	seen := map[string]int{}
	order := make([]ranked, len(all))
	for i, what := range all {
		seen[like(what)]++
		order[i] = ranked{what, seen[like(what)]}
	}
	slices.SortStableFunc(order, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	for i := range order {
		all[i] = order[i].what
	}
	return len(seen)
}

func usersFor(scenes []scene) []string {
	users := make([]string, len(scenes))
	for i := range scenes {
		users[i] = rehearsalUser(i)
	}
	return users
}
