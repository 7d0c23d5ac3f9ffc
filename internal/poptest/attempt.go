package poptest

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// maxAnswer is how many octets of an answer's first line are kept.
const maxAnswer = 1 << 10

// An Attempt is one log-in as a client tried it: a PASS, an APOP or an AUTH, answered or not. A name that
// was refused at USER is none.
type Attempt struct {
	Mechanism string // "USER", "APOP", or that of AUTH in capitals
	User      string // who the client said it was; empty where that was not understood
	Secret    string // the password or the token that it showed; empty where it only proved that it knows one
	Binding   string // kind of channel binding that a SCRAM-…-PLUS named, such as "tls-exporter"

	Initial    bool     // an initial response stood in the line of AUTH; "=" is an empty one
	Octets     int      // of the line PASS, APOP or AUTH, with CRLF
	Challenges int      // that were sent
	Lines      []string // the client's answers to them, as they were sent
	Responses  []string // the initial response and the answers, decoded; "*" and what is no base64 are left out
	Cancelled  bool     // "*" was sent

	TLS    bool
	OK     bool   // the session reached the TRANSACTION state
	Answer string // first line of the answer that ended it, without its end; empty as long as there is none
}

// begin registers cmd, which is about to be answered, where it is an attempt.
func (c *Conn) begin(cmd command) {
	c.answer, c.answered = c.answer[:0], false
	c.challenges, c.auth = 0, Auth{}
	attempt, ok := c.attemptOf(cmd)
	c.attempting = ok
	if ok {
		c.log.update(func(s *Session) { s.Attempts = append(s.Attempts, attempt) })
	}
}

func (c *Conn) attemptOf(cmd command) (Attempt, bool) {
	a := Attempt{TLS: cmd.TLS, Octets: len(cmd.line) + len("\r\n")}
	switch cmd.Verb {
	case "USER":
		c.claimed = cmd.Arg
		return Attempt{}, false
	case "PASS":
		a.Mechanism, a.User, a.Secret = "USER", c.claimed, cmd.Arg
	case "APOP":
		a.Mechanism = "APOP"
		a.User, _ = cutLast(cmd.Arg)
	case "AUTH":
		mechanism, initial, has := strings.Cut(cmd.Arg, " ")
		a.Mechanism, a.Initial = strings.ToUpper(mechanism), has
		if raw, err := decodeInitial(initial); has && err == nil {
			a.Responses = []string{string(raw)}
		}
	default:
		return Attempt{}, false
	}
	return a, true
}

// attempt changes what is recorded of the log-in under way, if there is one.
func (c *Conn) attempt(change func(*Attempt)) {
	if !c.attempting {
		return
	}
	c.log.update(func(s *Session) { change(&s.Attempts[len(s.Attempts)-1]) })
}

// responded records line, the client's answer to a challenge.
func (c *Conn) responded(line string) {
	c.attempt(func(a *Attempt) {
		a.Lines = append(a.Lines, line)
		if line == "*" {
			a.Cancelled = true
			return
		}
		if raw, err := base64.StdEncoding.DecodeString(line); err == nil {
			a.Responses = append(a.Responses, string(raw))
		}
	})
}

// note keeps the beginning of the answer, of which p is the next part.
func (c *Conn) note(p []byte) {
	if c.answered {
		return
	}
	line, _, whole := bytes.Cut(p, []byte("\n"))
	c.answer = append(c.answer, line[:min(len(line), maxAnswer-len(c.answer))]...)
	if !whole {
		return
	}
	c.answered = true
	text := strings.TrimSuffix(string(c.answer), "\r")
	if !strings.HasPrefix(text, "+ ") && text != "+" {
		c.attempt(func(a *Attempt) { a.Answer = text })
	}
}

// refused says whether the answer to the last command was -ERR.
func (c *Conn) refused() bool {
	return bytes.HasPrefix(c.answer, []byte("-ERR"))
}

func cloneAttempts(attempts []Attempt) []Attempt {
	attempts = slices.Clone(attempts)
	for i := range attempts {
		attempts[i].Lines = slices.Clone(attempts[i].Lines)
		attempts[i].Responses = slices.Clone(attempts[i].Responses)
	}
	return attempts
}

// cutLast is what stands before and behind the last blank of s; a user name may have blanks of its own.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// decodeInitial is the initial response of an AUTH line (RFC 5034, section 4).
func decodeInitial(text string) ([]byte, error) {
	if text == "=" {
		return []byte{}, nil
	}
	return base64.StdEncoding.DecodeString(text)
}
