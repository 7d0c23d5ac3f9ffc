package poptest

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// plain is RFC 4616. Nobody may act for somebody else.
func plain(e *exchange) error {
	raw, err := e.first()
	if err != nil {
		return err
	}
	user, good := e.VerifyPlain(raw)
	return e.Decide(user, good)
}

// login is draft-murchison-sasl-login, as everybody has it; an initial response is the name.
func login(e *exchange) error {
	name := e.initial
	if !e.given {
		var err error
		if name, err = e.Challenge([]byte("Username:")); err != nil {
			return err
		}
	}
	e.attempt(func(a *Attempt) { a.User = string(name) })
	password, err := e.Challenge([]byte("Password:"))
	if err != nil {
		return err
	}
	return e.Decide(string(name), e.VerifyPassword(string(name), string(password)))
}

// cramMD5 is RFC 2195. It has no initial response.
func cramMD5(e *exchange) error {
	if e.given {
		return e.Reply("-ERR this mechanism has no initial response")
	}
	challenge := fmt.Sprintf("<%s.%d@poptest.example>", rand.Text(), e.ID)
	raw, err := e.Challenge([]byte(challenge))
	if err != nil {
		return err
	}
	user, good := e.VerifyCRAM(challenge, string(raw))
	return e.Decide(user, good)
}

// external is RFC 4422, appendix A: the client's certificate says who it is, in its subject's common name;
// whoever has one may act for every user.
func external(e *exchange) error {
	raw, err := e.first()
	if err != nil {
		return err
	}
	user := string(raw)
	state := e.TLS()
	if state == nil || len(state.PeerCertificates) == 0 {
		return e.Decide(user, false)
	}
	if user == "" {
		user = state.PeerCertificates[0].Subject.CommonName
	}
	e.attempt(func(a *Attempt) { a.User = user })
	_, there := e.server.lookUp(user)
	return e.Decide(user, there)
}

// apop is RFC 1939, "APOP", for a greeting that has a time stamp.
func apop(c *Conn, arg string) error {
	if c.stamp == "" {
		return c.Reply("-ERR unknown command")
	}
	user, digest := cutLast(arg)
	return c.Decide(user, c.VerifyAPOP(user, digest))
}

// stampOf is the first "<…>" of a greeting, good or not, and empty where there is none.
func stampOf(greeting string) string {
	from := strings.IndexByte(greeting, '<')
	if from < 0 {
		return ""
	}
	to := strings.IndexByte(greeting[from:], '>')
	if to < 0 {
		return ""
	}
	return greeting[from : from+to+1]
}

// Greet is an answer to [Greeting]: line, without its end, whose time stamp, if any, is APOP's from now on.
func Greet(line string) Action {
	return func(c *Conn) error {
		c.stamp = stampOf(line)
		return c.Reply("%s", line)
	}
}
