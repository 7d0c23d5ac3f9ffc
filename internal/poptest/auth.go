package poptest

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// What [Conn.Challenge] says of an answer that is no response.
var (
	ErrCancelled = errors.New("the client has cancelled the log-in")
	ErrEncoding  = errors.New("the client's response is no base64")
)

// errLong ends a session whose client's response is longer than [Auth.ResponseLimit].
var errLong = errors.New("the client's response is too long")

// ProtocolError is what Exchange says before it closes on a line AUTH that is too long (seen from 2020 to 2025).
const ProtocolError = "-ERR Protocol error. Connection is closed. 10"

// Auth says how the answer to AUTH differs from RFC 5034 and the mechanisms' own RFCs. The zero value is
// correct. [Options.Auth] holds for all sessions; [Auth.Answer] is an action for a hook of AUTH.
type Auth struct {
	// Limit is the most octets of a line AUTH, CRLF included: 255 by RFC 2449, 512 elsewhere. A longer one
	// gets [ProtocolError], and the end of the connection. 0 means no limit.
	Limit int

	// ResponseLimit is the most octets of a response behind a challenge, without CRLF; a longer one gets
	// RST. It is 8188 with Dovecot 2.3.
	ResponseLimit int

	// NoInitial refuses an initial response, as before RFC 5034; IgnoresInitial passes over it and asks.
	NoInitial      bool
	IgnoresInitial bool

	// Challenge changes a line that asks for a response before it is sent: the n-th of this AUTH, from 1.
	// Both line and result are without CRLF: see [BarePlus] and [NthChallenge].
	Challenge func(n int, line string) string

	// Iterations is SCRAM's count, 4096 by default.
	Iterations int

	// ServerFirst and ServerFinal change SCRAM's two messages before they are encoded and sent:
	// see [ForeignNonce], [Count], [WrongSignature], [NoSignature]. What the server checks afterwards
	// is what it has sent, so that a client that believes it is let in.
	ServerFirst func(message string) string
	ServerFinal func(message string) string

	// Insists lets the client in also where it cancels because of the server's signature.
	Insists bool

	// SCRAMErrors tells why SCRAM was refused in a server-final message ("e=invalid-proof") before -ERR.
	SCRAMErrors bool

	// Bindings are the kinds of channel binding that -PLUS takes; nil means all that the connection has.
	Bindings []string

	// TokenError is the JSON by which a token is refused; empty means as Google has it for XOAUTH2, and as
	// RFC 7628 has it for OAUTHBEARER. NoTokenError refuses at once, as Exchange does.
	TokenError   string
	NoTokenError bool
}

// A mechanism talks to the client about who it is, and ends in [Conn.Decide]. An error is the connection's,
// ErrCancelled or ErrEncoding.
type mechanism func(e *exchange) error

var mechanisms = map[string]mechanism{
	"PLAIN":              plain,
	"LOGIN":              login,
	"CRAM-MD5":           cramMD5,
	"SCRAM-SHA-1":        scramSHA1,
	"SCRAM-SHA-256":      scramSHA256,
	"SCRAM-SHA-1-PLUS":   scramSHA1,
	"SCRAM-SHA-256-PLUS": scramSHA256,
	"XOAUTH2":            xoauth2,
	"OAUTHBEARER":        oauthbearer,
	"EXTERNAL":           external,
}

// An exchange is one AUTH.
type exchange struct {
	*Conn
	auth      Auth
	mechanism string
	initial   []byte
	given     bool // there is an initial response
}

// auth is the usual answer to AUTH.
func auth(c *Conn, _ string) error {
	if len(c.mechanisms()) == 0 {
		return c.Reply("-ERR unknown command")
	}
	return c.server.opts.Auth.Answer(c)
}

// Answer is the answer to AUTH, with the mechanisms of [Options.SASL], or all that there are where it is nil.
func (a Auth) Answer(c *Conn) error {
	c.auth = a
	switch err := a.talk(c); {
	case errors.Is(err, ErrCancelled):
		return c.Reply("-ERR Authentication aborted by client.")
	case errors.Is(err, ErrEncoding):
		return c.Reply("-ERR Invalid base64 data in the response")
	case errors.Is(err, errLong):
		return Reset(c)
	default:
		return err
	}
}

func (a Auth) talk(c *Conn) error {
	if a.Limit > 0 && len(c.current.line)+len("\r\n") > a.Limit {
		return Seq(Send(ProtocolError+"\r\n"), Cut)(c)
	}
	name, initial, given := strings.Cut(c.current.Arg, " ")
	e := &exchange{Conn: c, auth: a, mechanism: strings.ToUpper(name)}
	talk, known := mechanisms[e.mechanism]
	switch {
	case !known || !c.offers(e.mechanism):
		return c.Reply("-ERR no such mechanism here")
	case given && a.NoInitial:
		return c.Reply("-ERR an initial response is not taken here")
	case given && !a.IgnoresInitial:
		raw, err := decodeInitial(initial)
		if err != nil {
			return ErrEncoding
		}
		e.initial, e.given = raw, true
	}
	return talk(e)
}

// offers says whether a client may name mechanism by now.
func (c *Conn) offers(mechanism string) bool {
	if c.server.opts.SASL == nil && c.server.opts.SASLClear == nil {
		return c.TLS() != nil || !strings.HasSuffix(mechanism, "-PLUS")
	}
	return slices.ContainsFunc(c.mechanisms(), func(m string) bool { return strings.EqualFold(m, mechanism) })
}

// mechanisms is what CAPA announces for AUTH by now.
func (c *Conn) mechanisms() []string {
	opts := &c.server.opts
	switch {
	case c.TLS() != nil:
		return opts.SASL
	case opts.SASLClear != nil:
		return opts.SASLClear
	}
	return slices.DeleteFunc(slices.Clone(opts.SASL), func(m string) bool { return strings.HasSuffix(m, "-PLUS") })
}

// first is the client's first response: the initial one, or the answer to an empty challenge.
func (e *exchange) first() ([]byte, error) {
	if e.given {
		return e.initial, nil
	}
	return e.Challenge(nil)
}

// Challenge asks for a response with data, and is what the client has answered, decoded. Its errors are
// ErrCancelled, ErrEncoding, and those that end the session. It is for hooks of AUTH, too.
func (c *Conn) Challenge(data []byte) ([]byte, error) {
	line, err := c.ask("+ " + base64.StdEncoding.EncodeToString(data))
	if err != nil {
		return nil, err
	}
	if limit := c.auth.ResponseLimit; limit > 0 && len(line) > limit {
		return nil, errLong
	}
	raw, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return nil, ErrEncoding
	}
	return raw, nil
}

// ask sends a challenge's line and reads the answer's.
func (c *Conn) ask(challenge string) (string, error) {
	c.challenges++
	if change := c.auth.Challenge; change != nil {
		challenge = change(c.challenges, challenge)
	}
	c.attempt(func(a *Attempt) { a.Challenges++ })
	if err := c.Reply("%s", challenge); err != nil {
		return "", err
	}
	line, err := c.ReadLine()
	if err == nil && line == "*" {
		err = ErrCancelled
	}
	return line, err
}

// InitialResponse is that of the AUTH that is being answered, decoded; ok is false where there is none, or
// none that can be decoded. It is for hooks of AUTH.
func (c *Conn) InitialResponse() (raw []byte, ok bool) {
	_, text, ok := strings.Cut(c.current.Arg, " ")
	if !ok {
		return nil, false
	}
	raw, err := decodeInitial(text)
	return raw, err == nil
}

// BarePlus is an [Auth.Challenge] that writes an empty challenge as "+" without a blank, as Microsoft
// documents it.
func BarePlus(_ int, line string) string {
	return strings.TrimRight(line, " ")
}

// NthChallenge is an [Auth.Challenge] that sends line in the place of the n-th: one that is no base64 or
// has no blank, a huge one, an empty line.
func NthChallenge(n int, line string) func(int, string) string {
	return func(i int, usual string) string {
		if i == n {
			return line
		}
		return usual
	}
}

// Challenges answers AUTH with each of texts as a challenge, sent as it is behind "+ ", and in the end with
// a refusal. "*" is answered at once.
func Challenges(texts ...string) Action {
	return func(c *Conn) error {
		for _, text := range texts {
			if _, err := c.ask("+ " + text); errors.Is(err, ErrCancelled) {
				return c.Reply("-ERR Authentication aborted by client.")
			} else if err != nil {
				return err
			}
		}
		return Refuse(c)
	}
}

// EndlessChallenges sends text as a challenge again and again, until the client cancels or goes away.
// [Attempt.Challenges] tells how many it has taken.
func EndlessChallenges(text string) Action {
	return func(c *Conn) error {
		for {
			if _, err := c.ask("+ " + text); errors.Is(err, ErrCancelled) {
				return c.Reply("-ERR Authentication aborted by client.")
			} else if err != nil {
				return err
			}
		}
	}
}
