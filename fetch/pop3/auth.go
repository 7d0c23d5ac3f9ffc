package pop3

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/emersion/go-sasl"
)

// mostChallenges a server may send in one log-in; real mechanisms need three at most.
const mostChallenges = 10

// ErrSecret says that a user name or password holds CR, LF or NUL and cannot be sent.
var ErrSecret = errors.New("CR, LF and NUL cannot be part of a user name or password")

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

// Auth logs in with a SASL mechanism (RFC 5034). An initial response is sent with the command
// only where the line stays within 255 octets, and never one that is empty. What cannot be
// answered is cancelled with "*", and the session is still in step.
func (c *Client) Auth(ctx context.Context, mechanism sasl.Client) error {
	defer c.c.until(ctx)()
	name, initial, err := mechanism.Start()
	if err != nil {
		return err
	}
	args, masked := name, "AUTH "+name
	first := base64.StdEncoding.EncodeToString(initial)
	if len("AUTH "+name+" "+first+"\r\n") <= 255 && len(initial) > 0 {
		args, masked, initial = name+" "+first, masked+" ****", nil
	}
	if err := c.send("AUTH", args, masked); err != nil {
		return err
	}
	for range mostChallenges {
		s, err := c.reply()
		if err != nil || s.ok {
			return err
		}
		answer, err := answerTo(mechanism, s, &initial)
		if err != nil {
			return c.cancel(err)
		}
		if err := c.send(answer, "", "****"); err != nil {
			return err
		}
		c.unanswered[len(c.unanswered)-1].verb = "AUTH"
	}
	return c.fail(protocolErrorf("AUTH %s: more than %d challenges", name, mostChallenges))
}

// answerTo is the next line of a log-in: an initial response that was held back, or what the
// mechanism says to the challenge.
func answerTo(mechanism sasl.Client, s status, initial *[]byte) (string, error) {
	if len(*initial) > 0 && s.text == "" {
		answer := base64.StdEncoding.EncodeToString(*initial)
		*initial = nil
		return answer, nil
	}
	challenge, err := base64.StdEncoding.DecodeString(s.text)
	if err != nil || s.cut {
		return "", protocolErrorf("AUTH: a challenge that is no base64")
	}
	answer, err := mechanism.Next(challenge)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(answer), nil
}

// cancel gives up a log-in for reason.
func (c *Client) cancel(reason error) error {
	if err := c.send("*", "", "*"); err != nil {
		return err
	}
	c.unanswered[len(c.unanswered)-1].verb = "AUTH"
	switch _, err := c.reply(); {
	case isRefusal(err):
		return reason
	case err != nil:
		return err
	}
	return c.fail(protocolErrorf("AUTH: the server goes on after *"))
}
