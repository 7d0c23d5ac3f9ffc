package poptest

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

func stat(c *Conn, _ string) error {
	count, size := 0, int64(0)
	for _, m := range c.present() {
		count++
		size += m.Size
	}
	return c.Reply("+OK %d %d", count, size)
}

func list(c *Conn, arg string) error {
	return c.tell("LIST", arg, func(m *Message) string { return strconv.FormatInt(m.Size, 10) })
}

func uidl(c *Conn, arg string) error {
	return c.tell("UIDL", arg, func(m *Message) string { return c.uid(m) })
}

// uid is what the session calls m.
func (c *Conn) uid(m *Message) string {
	if c.server.opts.NewUIDs {
		return fmt.Sprintf("%s.session-%d", m.UID, c.ID)
	}
	return m.UID
}

// tell answers LIST and UIDL: for one message, or for all that are not deleted.
func (c *Conn) tell(verb, arg string, value func(*Message) string) error {
	if arg != "" {
		n, m := c.pick(arg)
		if m == nil {
			return c.Reply("-ERR no such message")
		}
		return c.Reply("+OK %d %s", n, value(m))
	}
	if err := c.Reply("+OK listing follows"); err != nil {
		return err
	}
	return c.listing(verb, func(yield func(string) bool) {
		for n, m := range c.present() {
			if !yield(fmt.Sprintf("%d %s", n, value(m))) {
				return
			}
		}
	})
}

// listing sends the lines, or those of the ListingFunc of verb, and the closing dot.
func (c *Conn) listing(verb string, usual iter.Seq[string]) error {
	lines := usual
	if other := c.server.listing(verb); other != nil {
		lines = func(yield func(string) bool) { other(c, yield) }
	}
	var err error
	lines(func(line string) bool {
		err = c.Reply("%s", line)
		return err == nil
	})
	if err != nil {
		return err
	}
	return c.Reply(".")
}

// present is what is in the snapshot and not marked as deleted, by number.
func (c *Conn) present() iter.Seq2[int, *Message] {
	return func(yield func(int, *Message) bool) {
		for i, m := range c.msgs {
			if !c.deleted[i+1] && !yield(i+1, m) {
				return
			}
		}
	}
}

// pick is the message that a command's argument names, nil if there is none.
func (c *Conn) pick(arg string) (int, *Message) {
	n, err := strconv.Atoi(strings.TrimSpace(arg))
	if err != nil || n < 1 || n > len(c.msgs) || c.deleted[n] {
		return 0, nil
	}
	return n, c.msgs[n-1]
}
