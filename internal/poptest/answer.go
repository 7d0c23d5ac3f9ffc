package poptest

// The states of a session (RFC 1939, sections 4 and 5) in which a command is allowed.
const (
	authorization = 1 << iota
	transaction
)

// answers holds the usual answer to each command.
var answers = map[string]struct {
	states int
	answer func(c *Conn, arg string) error
}{
	Accept:   {authorization, accept},
	Greeting: {authorization, greet},
	"CAPA":   {authorization | transaction, capa},
	"STLS":   {authorization, stls},
	"UTF8":   {authorization, utf8},
	"USER":   {authorization, user},
	"PASS":   {authorization, pass},
	"APOP":   {authorization, apop},
	"AUTH":   {authorization, auth},
	"STAT":   {transaction, stat},
	"LIST":   {transaction, list},
	"UIDL":   {transaction, uidl},
	"RETR":   {transaction, retr},
	"TOP":    {transaction, top},
	"DELE":   {transaction, dele},
	"RSET":   {transaction, rset},
	"NOOP":   {transaction, noop},
	"QUIT":   {authorization | transaction, quit},
}

// Default answers as usual.
func Default(c *Conn) error {
	usual, ok := answers[c.current.Verb]
	switch {
	case !ok:
		return c.Reply("-ERR unknown command")
	case usual.states&c.state() == 0:
		return c.Reply("-ERR not in this state")
	}
	return usual.answer(c, c.current.Arg)
}

func (c *Conn) state() int {
	if c.box == nil {
		return authorization
	}
	return transaction
}
