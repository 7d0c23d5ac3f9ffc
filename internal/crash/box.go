package main

import (
	"maps"
	"os"
	"path/filepath"

	"popsync/internal/realtest"
)

// A mailServer is where a trial's mail arrives: Dovecot, or one of this process that misbehaves to order.
type mailServer interface {
	Port(tls string) int
	CA() string
	Put(user string, messages ...realtest.Message) (realtest.Census, error)
	Holds(user string) (realtest.Census, error)
}

// A box is one user's mail: on the server, and where popsync delivers it.
type box struct {
	*trial
	dir     string // of this box
	server  mailServer
	user    string
	account realtest.Account
	keep    bool
	maildir string
	archive string          // where a mail reader files mail
	agent   *agent          // gets the mail instead of the Maildir
	deleted realtest.Census // by the mail reader; they were had
	sent    realtest.Census // all that arrived on the server
	kills   int             // fetches that were killed
	freed   realtest.Census // what was on the server while keep was false
}

// newBox is the only one of a trial.
func newBox(t *trial, server mailServer, user string) *box { return newBoxIn(t.dir, t, server, user) }

// newBoxIn is one of several, in a folder of its own.
func newBoxIn(dir string, t *trial, server mailServer, user string) *box {
	return &box{
		trial: t, dir: dir, server: server, user: user, keep: true,
		maildir: filepath.Join(dir, "Maildir"),
		archive: filepath.Join(dir, "Archive"),
		deleted: realtest.Census{}, sent: realtest.Census{},
		account: realtest.Account{
			Name: user, User: user, Host: realtest.Host(1), Port: server.Port(realtest.Cleartext), TLS: realtest.Cleartext,
		},
	}
}

// put has messages arrive on the server.
func (b *box) put(messages []realtest.Message) error {
	arrived, err := b.server.Put(b.user, messages...)
	b.sent.Add(arrived)
	return err
}

// configure writes popsync's configuration, and is its path.
func (b *box) configure() (string, error) {
	if err := b.furnish(); err != nil {
		return "", err
	}
	config := filepath.Join(b.dir, "config.yaml")
	return config, realtest.WriteConfig(config, b.configured())
}

// furnish makes the folders that are to be there before popsync runs.
func (b *box) furnish() error { return os.MkdirAll(filepath.Join(b.archive, "cur"), 0o700) }

// configured is the account as it is now.
func (b *box) configured() realtest.Account {
	if !b.keep {
		b.freed = maps.Clone(b.sent)
	}
	a := b.account
	a.Keep, a.Maildir = b.keep, b.maildir
	if b.agent != nil {
		a.MDA = b.agent.argv()
	}
	return a
}

// folders are where delivered mail may be, wherever the reader put it.
func (b *box) folders() []string {
	return []string{
		filepath.Join(b.maildir, "new"),
		filepath.Join(b.maildir, "cur"),
		filepath.Join(b.archive, "cur"),
	}
}

// had is what was delivered.
func (b *box) had() (realtest.Census, error) {
	had := realtest.Census{}
	had.Add(b.deleted)
	for _, dir := range b.folders() {
		found, err := realtest.CountFolder(dir)
		if err != nil {
			return nil, err
		}
		had.Add(found)
	}
	if b.agent == nil {
		return had, nil
	}
	for _, dir := range []string{b.agent.takes(), b.quarantine("new")} {
		found, err := realtest.CountFolder(dir)
		if err != nil {
			return nil, err
		}
		had.Add(found)
	}
	return had, nil
}

// staged is how many files lie in tmp/, or where they wait for an agent or the quarantine.
func (b *box) staged() (int, error) {
	if b.agent == nil {
		return realtest.Files(filepath.Join(b.maildir, "tmp"))
	}
	waiting, err := realtest.Files(b.spool())
	if err != nil {
		return 0, err
	}
	moving, err := realtest.Files(b.quarantine("tmp"))
	return waiting + moving, err
}

// state is the folder of popsync's state, and spool that of what agents are handed.
func (b *box) state() string { return filepath.Join(b.dir, "state") }
func (b *box) spool() string { return filepath.Join(b.state(), "spool") }

// quarantine is a folder of the Maildir for what the agent has refused too often.
func (b *box) quarantine(sub string) string {
	return filepath.Join(b.state(), "quarantine", b.account.Name, sub)
}

// evidence is what there is to see now.
func (b *box) evidence() (e evidence, err error) {
	e = evidence{sent: b.sent, keep: b.keep, freed: b.freed}
	// What is not there any more was delivered before: looked at in this order, nothing seems lost.
	if e.held, err = b.server.Holds(b.user); err != nil {
		return e, err
	}
	if e.had, err = b.had(); err != nil {
		return e, err
	}
	if b.agent != nil {
		e.window = b.kills
		if e.aside, err = realtest.CountFolder(b.quarantine("new")); err != nil {
			return e, err
		}
	}
	e.left, err = b.staged()
	return e, err
}
