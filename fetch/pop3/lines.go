package pop3

// readLines calls each for every line of a multi-line reply up to its closing dot
// (RFC 1939, section 3), with at most keep octets of each. A reply of more than most octets is
// given up. A long reply may take as long as it makes progress; another one has to come within
// one wait.
func (c *Client) readLines(command string, long bool, keep int, most int64, each func(line) error) error {
	c.c.await(long)
	defer func() { c.c.bulk.sure = 0 }()
	var size int64
	for {
		l, err := c.c.readLine(keep)
		if err != nil {
			return c.fail(err)
		}
		if string(l.text) == "." && !l.cut {
			return nil
		}
		if size += int64(len(l.text)) + 2; size > most {
			return c.fail(protocolErrorf("%s: a list without end: given up after %d octets", command, most))
		}
		if len(l.text) > 0 && l.text[0] == '.' {
			l.text = l.text[1:]
		}
		if err := each(l); err != nil {
			return c.fail(err)
		}
	}
}
