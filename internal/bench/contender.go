package main

import (
	"os"
	"path/filepath"
	"strings"

	"popsync/internal/realtest"
)

// A contender is one of those that are compared.
type contender struct {
	name    string
	program string // that has to be installed; "" for what is always there
	family  string // the Debian package, for its version
	note    string // what a reader of the table has to know about it

	// configure writes what the errand takes into its folder.
	configure func(e errand) (run, error)

	// know writes down, as the contender does, that the account's messages were had: to fetch
	// 20,000 takes some minutes. A mistake would show, in messages that arrive again. nil: it fetches them.
	know func(e errand, user string, uids []string) error

	agentOnly bool                    // it delivers to no Maildir: it always gets the agent
	discards  bool                    // it keeps nothing
	makes     func(msg []byte) []byte // what it makes of a message, and cannot be told to leave; nil: it changes nothing
	idle      []int                   // statuses with which it ends where nothing is new, beside 0
}

// A run is how to start a contender.
type run struct {
	argv []string
	env  []string // beside PATH and HOME
}

// An errand is what a contender is to do.
type errand struct {
	dir    string // of this contender alone: configuration, state, mail
	bin    string // the folder of popsync, of this program, and of the agent
	users  []string
	port   int // on 127.0.0.1
	tls    string
	ca     string
	remove bool
	agent  string // the delivery program; "" for a Maildir
}

// host is the server of every errand.
var host = realtest.Host(1)

// file is where a file of the errand's folder lies.
func (e errand) file(name string) string { return filepath.Join(e.dir, name) }

// maildir is the account's. An agent puts its files into new/ of it, so that they are found there too.
func (e errand) maildir(user string) string { return filepath.Join(e.dir, "mail", user) }

// inbox is where new mail of the account is found.
func (e errand) inbox(user string) string { return filepath.Join(e.maildir(user), "new") }

// secure is whether TLS is spoken.
func (e errand) secure() bool { return e.tls == realtest.Implicit }

// write writes a file that is the owner's alone: some contenders want it so.
func (e errand) write(name string, text *strings.Builder) error {
	return os.WriteFile(e.file(name), []byte(text.String()), 0o600)
}

// contenders are all there are.
var contenders = []contender{
	popsync, popsyncWide, mpop, fetchmail, getmail, fdm, floorRead, floorWrite,
}

func contenderOf(name string) contender {
	for _, c := range contenders {
		if c.name == name {
			return c
		}
	}
	panic("no contender is called " + name)
}
