package main

import (
	"context"
	"fmt"
	"path/filepath"

	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// lines ends the connection of a small session at every octet: of what the server sends and of what
// popsync sends, in clear and under TLS, pipelined and not, with either keep, by FIN, by RST, and by a
// silence. A trial is a fleet in which each box has a place of its own.
var lines = campaign{
	name: "lines", what: "a connection that is cut or stalls at every octet of a small session",
	short: 2, long: 400,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		w, err := newWire(ctx, e)
		if err != nil {
			return tally{}, err
		}
		return e.each(ctx, min(trials, fleetsFor(len(w.places))), 2, w.trial)
	},
}

// fleetsFor is how many fleets it takes to try out n things.
func fleetsFor(n int) int { return (n + fleetSize - 1) / fleetSize }

// share is what the fleet of a trial tries out of all.
func share[E any](all []E, trial int) ([]E, error) {
	first := (trial - 1) * fleetSize
	if first >= len(all) {
		return nil, fmt.Errorf("there are %d trials", fleetsFor(len(all)))
	}
	return all[first:min(len(all), first+fleetSize)], nil
}

// A wire is where the small sessions are.
type wire struct {
	*env
	ca     *poptest.CA
	places []place // in the order in which they are tried
}

// A variant is a kind of session.
type variant struct{ tls, pipelining, keep bool }

func (v variant) String() string {
	return fmt.Sprintf("TLS %v, pipelining %v, keep %v", v.tls, v.pipelining, v.keep)
}

// variants are all kinds in clear; under TLS, where a session is long, two that differ in everything.
var variants = []variant{
	{pipelining: false, keep: false},
	{pipelining: false, keep: true},
	{pipelining: true, keep: false},
	{pipelining: true, keep: true},
	{tls: true, pipelining: false, keep: true},
	{tls: true, pipelining: true, keep: false},
}

// A place is where a session of a variant is disturbed.
type place struct {
	variant
	disturbance
}

// newWire finds out how long the sessions are, and with that the places.
func newWire(ctx context.Context, e *env) (*wire, error) {
	w := &wire{env: e}
	var err error
	if w.ca, err = poptest.MakeCA(e.dir); err != nil {
		return nil, err
	}
	for _, v := range variants {
		lengths, err := w.measure(ctx, v)
		if err != nil {
			return nil, err
		}
		for way, length := range lengths {
			for after := range length + 1 {
				for end := range endings {
					w.places = append(w.places, place{v, disturbance{direction(way), int64(after), end}})
				}
			}
		}
	}
	shuffle(e.randomOf(0), w.places)
	return w, nil
}

// measure is how many octets an undisturbed session has, by direction. A hand-shake is not always
// as long: it is rounded up, so that the places stay the same.
func (w *wire) measure(ctx context.Context, v variant) (lengths [2]int, err error) {
	t, err := w.newTrial("rehearsal")
	if err != nil {
		return lengths, err
	}
	f, err := w.fleet(t, []place{{variant: v}})
	if err != nil {
		return lengths, err
	}
	defer f.close()
	l := f.lines[0]
	l.disturb(nil)
	l.recording()
	if err := f.rehearse(ctx); err != nil {
		return lengths, err
	}
	for way := range lengths {
		lengths[way] = len(l.recorded(direction(way)))
		if v.tls {
			lengths[way] = (lengths[way] + 15) / 16 * 16
		}
	}
	return lengths, t.remove()
}

// rehearse is a fetch of a fleet before anything is done to it.
func (f *fleet) rehearse(ctx context.Context) error {
	if err := f.finish(ctx); err != nil {
		return err
	}
	if f.tally.violations() > 0 {
		return fmt.Errorf("before any disturbance: %s", f.tally.wrong())
	}
	return nil
}

func (w *wire) trial(ctx context.Context, t *trial) (tally, error) {
	places, err := share(w.places, t.n)
	if err != nil {
		return tally{}, err
	}
	f, err := w.fleet(t, places)
	if err != nil {
		return tally{}, err
	}
	defer f.close()
	return f.run(ctx)
}

// A wiredFleet has a line for each of its boxes, which lead to servers that the boxes share.
type wiredFleet struct {
	fleet
	servers map[variant]*popServer
	lines   []*line
}

func (w *wire) fleet(t *trial, places []place) (*wiredFleet, error) {
	f := &wiredFleet{fleet: fleet{trial: t}, servers: map[variant]*popServer{}}
	for _, p := range places {
		if err := f.add(p, w.ca); err != nil {
			f.close()
			return nil, err
		}
	}
	return f, nil
}

// smallMail has every kind of place in few octets.
var smallMail = []realtest.Message{
	{Raw: "Message-ID: <1@example.org>\nSubject: one\n\nx\n.\n..\n.x\n"},
	{Raw: "Message-ID: <2@example.org>\nSubject: two\n\n"},
}

// add has a box join whose line ends at p.
func (f *wiredFleet) add(p place, ca *poptest.CA) error {
	server, err := f.server(p.variant, ca)
	if err != nil {
		return err
	}
	l, err := openLine(server.port)
	if err != nil {
		return err
	}
	f.lines = append(f.lines, l)
	user := fmt.Sprintf("user%02d", len(f.boxes))
	b := newBoxIn(filepath.Join(f.dir, user), f.trial, server, user)
	b.keep = p.keep
	if p.tls {
		b.account.TLS, b.account.CA = realtest.Implicit, server.CA()
	}
	return f.join(disturb(b, l, p.disturbance, p.variant), smallMail)
}

// disturb is b on a line that ends as d says.
func disturb(b *box, l *line, d disturbance, v variant) *spoilt {
	b.account.Port = l.port()
	l.disturb(&d)
	return &spoilt{
		box: b, how: fmt.Sprintf("%v (%v)", d, v), deed: fmt.Sprintf("%v %v", d.ending, d.direction),
		explains: d.explains, mend: func() { l.disturb(nil) },
	}
}

// server is the one for sessions of a variant.
func (f *wiredFleet) server(v variant, ca *poptest.CA) (*popServer, error) {
	if s := f.servers[v]; s != nil {
		return s, nil
	}
	o := poptest.Options{}
	if v.tls {
		o.TLS = ca.Config(poptest.Good)
	}
	if !v.pipelining {
		o.Capabilities = poptest.Capabilities("PIPELINING")
	}
	s, err := startPop(o, ca.File)
	if err == nil {
		f.servers[v] = s
	}
	return s, err
}

func (f *wiredFleet) close() {
	for _, l := range f.lines {
		l.close()
	}
	for _, s := range f.servers {
		s.Close()
	}
}
