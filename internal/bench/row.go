package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"popsync/internal/realtest"
)

// A row is a workload that is being measured: its server, and its contenders.
type row struct {
	*ground
	workload
	dir    string
	server realtest.Server
	relay  *relay // nil on loopback
	sent   map[string]realtest.Census
	lanes  []*lane
	paper  []result // contenders that are calculated
}

// A lane is a contender in a row.
type lane struct {
	contender
	errand  errand
	run     run
	want    map[string]realtest.Census // by user, what is to arrive if all is new
	samples []sample
	slow    bool  // it makes fewer runs
	err     error // what went wrong; it runs no more
}

// measure is one row of the table. An error is of the benchmark itself: that of a contender is in
// its result.
func (g *ground) measure(ctx context.Context, w workload) (_ []result, err error) {
	r := &row{ground: g, workload: w, dir: filepath.Join(g.dir, w.name), sent: map[string]realtest.Census{}}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.discard(r.dir)) }()
	if r.server, err = realtest.StartDovecot(w.users()...); err != nil {
		return nil, err
	}
	g.atEnd(r.server.Stop) // which removes its mail
	if w.rtt > 0 {
		if r.relay, err = startRelay(r.server.Port(r.line()), w.rtt, w.noPipe); err != nil {
			return nil, err
		}
		defer r.relay.close()
	}
	if err := r.fill(); err != nil {
		return nil, err
	}
	if w.waits != nil {
		if err := r.calculate(); err != nil {
			return nil, err
		}
	}
	r.lineUp()
	err = r.rounds(ctx)
	return r.results(), err
}

// lineUp makes the lanes of all that take part.
func (r *row) lineUp() {
	names := r.who
	if r.all {
		names = slices.Concat(names, r.others)
	}
	for _, name := range names {
		if r.absent[name] != "" || !r.takes(name) {
			continue
		}
		c := contenderOf(name)
		r.lanes = append(r.lanes, &lane{contender: c, errand: r.errand(c), want: r.expected(c)})
	}
}

func (r *row) errand(c contender) errand {
	e := errand{
		dir: filepath.Join(r.dir, c.name), bin: r.bin(), users: r.users(), port: r.port(),
		tls: r.line(), ca: filepath.Join(r.dir, "ca.pem"), remove: r.remove,
	}
	if r.workload.agent || c.agentOnly {
		e.agent = filepath.Join(r.bin(), "agent")
	}
	return e
}

// fill puts the mail on the server, and copies the certificate to where all may read it.
func (r *row) fill() error {
	ca, err := os.ReadFile(r.server.CA())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.dir, "ca.pem"), ca, 0o644); err != nil {
		return err
	}
	for n, user := range r.users() {
		if r.sent[user], err = r.server.Put(user, r.mail(n)...); err != nil {
			return err
		}
		if err := r.settle(user, false); err != nil {
			return err
		}
	}
	return nil
}

// settle logs in once, in which a server takes stock of what is new in a mailbox; that is no
// contender's to pay for. With remove the mailbox is empty then.
func (r *row) settle(user string, remove bool) error {
	w, n, err := logIn(r.server.Port(realtest.Cleartext), user, "")
	if err != nil {
		return fmt.Errorf("log in as %s: %w", user, err)
	}
	defer w.conn.Close()
	if !remove {
		n = 0
	}
	w.send(numbered("DELE", n) + "QUIT\r\n")
	return errors.Join(w.answers(n+1), w.sent())
}

// refill makes the mailboxes what they were before messages were deleted.
func (r *row) refill() error {
	for n, user := range r.users() {
		if err := r.settle(user, true); err != nil {
			return err
		}
		if _, err := r.server.Put(user, r.mail(n)...); err != nil {
			return err
		}
		if err := r.settle(user, false); err != nil {
			return err
		}
	}
	return nil
}

func (r *row) results() []result {
	var all []result
	for _, l := range r.lanes {
		one := result{Row: r.name, Contender: l.name, Accounts: r.accounts, Samples: l.samples}
		if l.err != nil {
			one.Err = l.err.Error()
		}
		all = append(all, one)
	}
	return append(all, r.paper...)
}

func (r *row) say(format string, args ...any) {
	fmt.Fprintf(r.progress, "%s: %s\n", r.name, fmt.Sprintf(format, args...))
}
