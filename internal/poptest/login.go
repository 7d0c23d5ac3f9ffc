package poptest

import (
	"crypto/tls"
	"slices"
	"strings"
)

// Capabilities is the list that a server has by default, without those that are named.
func Capabilities(without ...string) []string {
	all := []string{"TOP", "UIDL", "USER", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"}
	return slices.DeleteFunc(all, func(capability string) bool { return slices.Contains(without, capability) })
}

func accept(c *Conn, _ string) error {
	if c.server.opts.TLS == nil || c.server.opts.STLS {
		return nil
	}
	return StartTLS(c)
}

func greet(c *Conn, _ string) error {
	return c.Reply("%s", c.server.opts.Greeting)
}

func capa(c *Conn, _ string) error {
	if err := c.Reply("+OK capabilities follow"); err != nil {
		return err
	}
	return c.listing("CAPA", func(yield func(string) bool) {
		for _, capability := range c.capabilities() {
			if !yield(capability) {
				return
			}
		}
	})
}

func (c *Conn) capabilities() []string {
	if c.state() == transaction {
		return c.server.opts.CapabilitiesAfter
	}
	all := slices.Clip(c.server.opts.Capabilities)
	if c.server.opts.WrapsUTF8 {
		all = append(all, "UTF8 USER")
	}
	if mechanisms := c.mechanisms(); len(mechanisms) > 0 {
		all = append(all, "SASL "+strings.Join(mechanisms, " "))
	}
	if c.offersTLS() {
		all = append(all, "STLS")
	}
	return all
}

func (c *Conn) offersTLS() bool {
	return c.server.opts.TLS != nil && c.server.opts.STLS && c.TLS() == nil
}

func stls(c *Conn, _ string) error {
	if !c.offersTLS() {
		return c.Reply("-ERR no TLS here")
	}
	if err := c.Reply("+OK begin TLS"); err != nil {
		return err
	}
	return StartTLS(c)
}

// StartTLS sends what there is and shakes hands; it is the second half of the usual answer to STLS, and
// the usual one to [Accept] where TLS is implicit. It has no meaning anywhere else.
func StartTLS(c *Conn) error {
	if err := c.out.flush(); err != nil {
		return err
	}
	over := tls.Server(c.raw, c.server.opts.TLS)
	err := over.Handshake()
	c.log.secured(over.ConnectionState(), err)
	if err != nil {
		return err
	}
	c.conn, c.out.conn, c.named, c.claimed, c.utf8 = over, over, "", "", false
	return nil
}

// serverConfig is config with or without session tickets.
func serverConfig(config *tls.Config, tickets bool) *tls.Config {
	if config == nil {
		return nil
	}
	config = config.Clone()
	config.SessionTicketsDisabled = !tickets
	return config
}

// utf8 is the command of RFC 6856.
func utf8(c *Conn, _ string) error {
	announced := slices.ContainsFunc(c.capabilities(), func(capability string) bool {
		name, _, _ := strings.Cut(capability, " ")
		return strings.EqualFold(name, "UTF8")
	})
	if !announced {
		return c.Reply("-ERR unknown command")
	}
	c.utf8 = true
	c.log.update(func(s *Session) { s.UTF8 = true })
	return c.Reply("+OK")
}

// user takes every name, so that it does not tell which ones there are.
func user(c *Conn, name string) error {
	if name == "" {
		return c.Reply("-ERR a name is needed")
	}
	c.named = name
	return c.Reply("+OK")
}

func pass(c *Conn, password string) error {
	if c.named == "" {
		return c.Reply("-ERR USER first")
	}
	name := c.named
	c.named = ""
	return c.Decide(name, c.VerifyPassword(name, password))
}

// LogIn takes the session into the TRANSACTION state as user, whose mailbox is made where there is none,
// with a snapshot of the mailbox. It sends nothing, so that a hook of AUTH, APOP or PASS can check who it
// is in its own way, call this, and reply. It is false where [Options.Exclusive] forbids the session.
func (c *Conn) LogIn(user string) bool {
	box, ok := c.server.lookUp(user)
	if !ok {
		box = c.server.Mailbox(user)
	}
	if c.server.opts.Exclusive && !box.lock(c) {
		return false
	}
	c.user, c.box, c.msgs = user, box, c.snapshot(user, box)
	c.log.update(func(s *Session) { s.User = user })
	c.attempt(func(a *Attempt) { a.User, a.OK = user, true })
	return true
}

// snapshot is what the session sees of box.
func (c *Conn) snapshot(user string, box *Mailbox) []*Message {
	opts := &c.server.opts
	switch {
	case !opts.Popped:
		return box.window(opts.Window, false)
	case strings.HasPrefix(user, "recent:"):
		return box.Messages()
	}
	return box.window(opts.Window, true)
}
