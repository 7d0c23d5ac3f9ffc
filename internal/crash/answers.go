package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"popsync/internal/poptest"
	"popsync/internal/realtest"
)

// answers ends each answer of a server under TLS after each octet, where the server itself does it: in
// good order with close_notify, without that, by RST, and by a silence. A cut of the line ([lines])
// hits a TLS record, and never looks like the server's own word.
var answers = campaign{
	name: "answers", what: "a server that ends the TLS session after every octet of each answer",
	short: 1, long: 100,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		s, err := newSpeech(e)
		if err != nil {
			return tally{}, err
		}
		return e.each(ctx, min(trials, fleetsFor(len(s.ends))), 2, s.trial)
	},
}

// A speech is what the servers say, and where they end.
type speech struct {
	ca   *poptest.CA
	ends []speechEnd // in the order in which they are tried
}

// A speechEnd is where one server ends.
type speechEnd struct {
	verb  string
	after int // octets of its answer
	how   string
	keep  bool
}

// longest is how many octets of each answer are tried: more than any has.
var longest = map[string]int{
	poptest.Greeting: 30, "CAPA": 75, "USER": 10, "PASS": 20,
	"STAT": 15, "UIDL": 60, "LIST": 45, "RETR": 90, "DELE": 30, "QUIT": 12,
}

// endsOf are the ways in which a server ends.
var endsOf = map[string]poptest.Action{
	"close_notify": poptest.Cut, "FIN alone": poptest.CutTLS, "RST": poptest.Reset, "silence": poptest.Stall,
}

func newSpeech(e *env) (*speech, error) {
	s := &speech{}
	var err error
	if s.ca, err = poptest.MakeCA(e.dir); err != nil {
		return nil, err
	}
	for _, verb := range slices.Sorted(maps.Keys(longest)) {
		for after := range longest[verb] {
			for _, how := range slices.Sorted(maps.Keys(endsOf)) {
				s.ends = append(s.ends, speechEnd{verb, after, how, false}, speechEnd{verb, after, how, true})
			}
		}
	}
	shuffle(e.randomOf(0), s.ends)
	return s, nil
}

func (s *speech) trial(ctx context.Context, t *trial) (tally, error) {
	ends, err := share(s.ends, t.n)
	if err != nil {
		return tally{}, err
	}
	f := &fleet{trial: t}
	var servers []*popServer
	defer func() {
		for _, server := range servers {
			server.Close()
		}
	}()
	for _, end := range ends {
		server, err := s.start(end)
		if err != nil {
			return tally{}, err
		}
		servers = append(servers, server)
		user := fmt.Sprintf("user%02d", len(f.boxes))
		b := newBoxIn(filepath.Join(t.dir, user), t, server, user)
		b.keep, b.account.TLS, b.account.CA = end.keep, realtest.Implicit, server.CA()
		if err := f.join(end.spoil(b, server), smallMail); err != nil {
			return tally{}, err
		}
	}
	return f.run(ctx)
}

// start starts a server that is about to end like that, each time.
func (s *speech) start(end speechEnd) (*popServer, error) {
	server, err := startPop(poptest.Options{TLS: s.ca.Config(poptest.Good)}, s.ca.File)
	if err == nil {
		server.Hook(end.verb, poptest.Always(poptest.After(int64(end.after), endsOf[end.how])))
	}
	return server, err
}

func (end speechEnd) spoil(b *box, server *popServer) *spoilt {
	return &spoilt{
		box: b, deed: end.how, explains: end.explains, mend: func() { server.Hook(end.verb, nil) },
		how: fmt.Sprintf("%s after %d octets of the answer to %s (keep %v)", end.how, end.after, end.verb, end.keep),
	}
}

// explains is [disturbance.explains].
func (end speechEnd) explains(code string) bool {
	return code == "unreachable" || code == "protocol" && end.how == "silence"
}
