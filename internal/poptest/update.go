package poptest

func dele(c *Conn, arg string) error {
	n, m := c.pick(arg)
	if m == nil {
		return c.Reply("-ERR no such message")
	}
	c.deleted[n] = true
	return c.Reply("+OK message %d deleted", n)
}

func rset(c *Conn, _ string) error {
	clear(c.deleted)
	return c.Reply("+OK")
}

func noop(c *Conn, _ string) error {
	return c.Reply("+OK")
}

// quit enters the UPDATE state: the only place where anything is deleted.
func quit(c *Conn, _ string) error {
	Commit(c)
	if err := c.Reply("+OK bye"); err != nil {
		return err
	}
	return Cut(c)
}

// Commit deletes what the session has marked, takes what it has retrieved out of the window with
// [Options.Popped], and leaves the mailbox to others. It is the first half of
// the usual answer to QUIT; by itself it is what a server does whose answer is lost.
func Commit(c *Conn) error {
	if c.box == nil {
		return nil
	}
	gone, popped := make(map[int64]bool), make(map[int64]bool)
	var uids []string
	for i, m := range c.msgs {
		switch {
		case c.deleted[i+1]:
			gone[m.id] = true
			uids = append(uids, m.UID)
		case c.retrieved[i+1] && c.server.opts.Popped:
			popped[m.id] = true
		}
	}
	c.box.remove(gone)
	c.box.pop(popped)
	c.box.unlock(c)
	c.log.update(func(s *Session) { s.Deleted = append(s.Deleted, uids...) })
	return nil
}
