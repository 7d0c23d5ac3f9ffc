package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"popsync/internal/realtest"
)

// places ends the connection of large sessions with Dovecot at every kind of place: within a status
// line, a listing, a header, a body, a stuffed dot and the last one, between messages, in QUIT's
// answer; in what popsync sends, and anywhere under TLS.
var places = campaign{
	name: "places", what: "a connection that is cut or stalls at every kind of place of a large session, with Dovecot",
	needs: []string{"dovecot"},
	short: 1, long: 30,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		m, err := newMap(ctx, e, trials)
		if err != nil {
			return tally{}, err
		}
		total, err := e.each(ctx, trials, 1, m.trial)
		return total, errors.Join(err, m.server.Stop())
	},
}

// crew is how many boxes a trial of large sessions has.
const crew = 32

// largeMail is what lies in each mailbox.
var largeMail = slices.Concat(
	realtest.Messages(1, 40, 3000), realtest.Messages(100, 2, 300_000), realtest.Messages(200, 20, 500),
)

// A sessionMap knows the places of each variant's session: the same for all mailboxes, since they are alike.
type sessionMap struct {
	*env
	server realtest.Server
	places map[variant]map[string][]int64 // by kind
	sent   map[variant]int64              // octets to the server
}

func newMap(ctx context.Context, e *env, trials int) (*sessionMap, error) {
	var users []string
	for i := range variants {
		users = append(users, rehearsalUser(i))
	}
	for n := range max(trials, e.only) {
		for i := range crew {
			users = append(users, crewUser(n+1, i))
		}
	}
	server, err := realtest.StartDovecot(users...)
	if err != nil {
		return nil, err
	}
	m := &sessionMap{env: e, server: server, places: map[variant]map[string][]int64{}, sent: map[variant]int64{}}
	for i, v := range variants {
		if err := m.draw(ctx, v, rehearsalUser(i)); err != nil {
			return nil, errors.Join(err, server.Stop())
		}
	}
	return m, nil
}

func crewUser(trial, i int) string { return fmt.Sprintf("trial%d-%d", trial, i) }

// draw looks at an undisturbed session.
func (m *sessionMap) draw(ctx context.Context, v variant, user string) error {
	t, err := m.newTrial(user)
	if err != nil {
		return err
	}
	f := &largeFleet{fleet: fleet{trial: t}}
	defer f.close()
	l, err := f.add(m.server, user, v, disturbance{})
	if err != nil {
		return err
	}
	l.disturb(nil)
	l.recording()
	if err := f.rehearse(ctx); err != nil {
		return err
	}
	commands, answers := l.recorded(toServer), l.recorded(toClient)
	m.sent[v] = int64(len(commands))
	m.places[v] = map[string][]int64{"in ciphertext": everywhere(len(answers))}
	if !v.tls {
		m.places[v], err = findPlaces(commands, answers)
	}
	return errors.Join(err, t.remove())
}

func everywhere(n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func (m *sessionMap) trial(ctx context.Context, t *trial) (tally, error) {
	f := &largeFleet{fleet: fleet{trial: t}}
	defer f.close()
	for i := range crew {
		v := variants[t.random.IntN(len(variants))]
		kind, d := m.choose(t, v)
		if _, err := f.add(m.server, crewUser(t.n, i), v, d); err != nil {
			return tally{}, err
		}
		f.boxes[i].deed = kind
	}
	return f.run(ctx)
}

// choose draws a kind of place, and one of that kind.
func (m *sessionMap) choose(t *trial, v variant) (kind string, d disturbance) {
	kinds := slices.Sorted(maps.Keys(m.places[v]))
	d.ending = ending(t.random.IntN(int(endings)))
	n := t.random.IntN(len(kinds) + 1)
	if n == len(kinds) {
		d.direction, d.after = toServer, t.random.Int64N(m.sent[v]+1)
		return "in the commands", d
	}
	all := m.places[v][kinds[n]]
	d.after = all[t.random.IntN(len(all))]
	return kinds[n], d
}

// A largeFleet fetches from Dovecot.
type largeFleet struct {
	fleet
	lines []*line
}

func (f *largeFleet) add(server realtest.Server, user string, v variant, d disturbance) (*line, error) {
	kind := realtest.Cleartext
	if v.tls {
		kind = realtest.Implicit
	}
	l, err := openLine(server.Port(kind))
	if err != nil {
		return nil, err
	}
	f.lines = append(f.lines, l)
	b := newBoxIn(filepath.Join(f.dir, user), f.trial, server, user)
	b.keep, b.account.TLS = v.keep, kind
	if v.tls {
		b.account.CA = server.CA()
	}
	if !v.pipelining {
		b.account.Pipelining = "never"
	}
	return l, f.join(disturb(b, l, d, v), largeMail)
}

func (f *largeFleet) close() {
	for _, l := range f.lines {
		l.close()
	}
}

// findPlaces sorts the octets of a session's answers by the kind of place that lies before each.
func findPlaces(commands, answers []byte) (map[string][]int64, error) {
	r := &answerReader{rest: answers, found: map[string][]int64{}}
	r.status("in a status line") // the greeting
	for command := range strings.Lines(string(commands)) {
		verb, arg, _ := strings.Cut(strings.TrimSpace(command), " ")
		switch {
		case verb == "QUIT":
			r.status("in QUIT's answer")
		case verb == "RETR":
			r.status("in a status line")
			r.message()
		case verb == "CAPA", verb == "UIDL" && arg == "", verb == "LIST" && arg == "":
			r.status("in a status line")
			r.lines("in a listing")
		default:
			r.status("in a status line")
		}
	}
	if len(r.rest) > 0 || r.broken {
		return nil, fmt.Errorf("the answers of a session are not understood; %d octets are left", len(r.rest))
	}
	return r.found, nil
}

// An answerReader goes through answers line by line.
type answerReader struct {
	rest   []byte
	at     int64
	found  map[string][]int64
	broken bool // it ended too early
}

// line is the next one, with its end, and where it begins.
func (r *answerReader) line() (line []byte, at int64) {
	end := bytes.IndexByte(r.rest, '\n') + 1
	if end == 0 {
		r.broken = true
		return []byte(".\r\n"), r.at
	}
	line, at = r.rest[:end], r.at
	r.rest, r.at = r.rest[end:], r.at+int64(end)
	return line, at
}

// within notes all places inside of a line.
func (r *answerReader) within(kind string, line []byte, at int64) {
	for i := 1; i < len(line); i++ {
		r.found[kind] = append(r.found[kind], at+int64(i))
	}
}

func (r *answerReader) status(kind string) {
	line, at := r.line()
	r.within(kind, line, at)
}

// lines reads to the dot.
func (r *answerReader) lines(kind string) {
	for {
		line, at := r.line()
		if string(line) == ".\r\n" {
			r.within("at the last dot", line, at)
			return
		}
		r.within(kind, line, at)
	}
}

// message reads a body to its dot.
func (r *answerReader) message() {
	kind := "in a header"
	for {
		line, at := r.line()
		switch {
		case string(line) == ".\r\n":
			r.within("at the last dot", line, at)
			r.found["between messages"] = append(r.found["between messages"], r.at)
			return
		case line[0] == '.':
			r.found["in a stuffed dot"] = append(r.found["in a stuffed dot"], at+1)
		case string(line) == "\r\n":
			kind = "in a body"
		}
		r.within(kind, line, at)
	}
}
