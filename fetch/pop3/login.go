package pop3

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"strings"
)

// ErrSecret says that a user name or password holds CR, LF or NUL and cannot be sent.
var ErrSecret = errors.New("CR, LF and NUL cannot be part of a user name or password")

// ErrNoStamp says that APOP cannot be done: the greeting had no time stamp.
var ErrNoStamp = errors.New("the server's greeting has no time stamp for APOP")

// Sendable says whether a user name and a password can be sent at all.
func Sendable(user, password string) bool {
	return !strings.ContainsAny(user, "\r\n\x00") && !strings.ContainsAny(password, "\r\n\x00")
}

// Login logs in with USER and PASS (RFC 1939, section 7). Both are sent byte for byte. Where the
// server announces PIPELINING they go out together, and nothing behind them: Courier 1.0 and
// perdition 2.2 lose what comes early there.
func (c *Client) Login(ctx context.Context, user, password string) error {
	defer c.c.until(ctx)()
	if !Sendable(user, password) {
		return ErrSecret
	}
	c.conceal(user, password)
	if err := c.send("USER", user, "USER "+user); err != nil {
		return err
	}
	if !c.capabilities.Pipelining || c.pipelining == Never {
		if _, err := c.ok(); err != nil {
			return err
		}
		if err := c.send("PASS", password, "PASS ****"); err != nil {
			return err
		}
		_, err := c.ok()
		return err
	}
	if err := c.send("PASS", password, "PASS ****"); err != nil {
		return err
	}
	_, refusedUser := c.ok()
	_, refused := c.ok()
	if refusedUser != nil {
		return refusedUser
	}
	c.proven = false // a proxy may take these two together, and the server behind it lose what comes next
	return refused
}

// APOP logs in with a digest of the greeting's time stamp and the password (RFC 1939, section 7).
func (c *Client) APOP(ctx context.Context, user, password string) error {
	defer c.c.until(ctx)()
	switch {
	case !Sendable(user, password):
		return ErrSecret
	case c.stamp == "":
		return ErrNoStamp
	}
	sum := md5.Sum([]byte(c.stamp + password))
	digest := hex.EncodeToString(sum[:])
	c.conceal(user, password)
	c.concealSecret(digest)
	if err := c.send("APOP", user+" "+digest, "APOP "+user+" "+concealed); err != nil {
		return err
	}
	_, err := c.ok()
	c.proven = false // as above
	return err
}

// Stamp is the greeting's time stamp for APOP, "" where there is none that is good: in the form
// <local@domain>, in printable ASCII without blanks. Others would make it easy to find the
// password from the digests (CVE-2007-1558).
func (c *Client) Stamp() string { return c.stamp }

// stampIn is the first time stamp in a greeting's text.
func stampIn(greeting string) string {
	for {
		_, from, found := strings.Cut(greeting, "<")
		if !found {
			return ""
		}
		if inner, _, closed := strings.Cut(from, ">"); closed && isMessageID(inner) {
			return "<" + inner + ">"
		}
		greeting = from
	}
}

// isMessageID says whether s is local@domain.
func isMessageID(s string) bool {
	local, domain, _ := strings.Cut(s, "@")
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '@' }
	return local != "" && domain != "" && !strings.ContainsFunc(local, odd) && !strings.ContainsFunc(domain, odd)
}

// UTF8 tells a server that announces it that raw UTF-8 in mail is welcome (RFC 6856, section 2.1);
// it belongs right before the log-in. Courier 1.0 wraps such mail otherwise. What the server
// answers changes nothing. Where the server announces PIPELINING too, the command goes out with the
// first one of the log-in: Courier 1.0.16 takes UTF8, USER and PASS in one go.
func (c *Client) UTF8(ctx context.Context) error {
	defer c.c.until(ctx)()
	if !c.capabilities.UTF8 {
		return nil
	}
	if err := c.send("UTF8", "", "UTF8"); err != nil {
		return err
	}
	if c.capabilities.Pipelining && c.pipelining != Never {
		c.unanswered[len(c.unanswered)-1].ignored = true
		return nil
	}
	_, err := c.ok()
	return refusalIsFine(err)
}
