package pop3

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/emersion/go-sasl"
)

const (
	mostChallenges = 10       // in one log-in; the last one is not answered
	mostChallenge  = 12 << 10 // octets of one, in base64
	mostInitial    = 255      // octets of a command line with an initial response (RFC 5034, section 4)
)

// Auth logs in with a SASL mechanism (RFC 5034). An initial response is sent with the command
// only where the line stays within 255 octets, and never one that is empty; where that form is
// refused, and not the credentials, the form of two lines follows. What cannot be answered is
// cancelled with "*", and the session is still in step. A server that refuses the mechanism alone,
// before it has seen anything of the credentials or judged them, is told apart: Mechanism of the
// [*ResponseError].
//
// The mechanism may have more methods than a [sasl.Client] has to:
//
//   - NextContext(context.Context, []byte) ([]byte, error) is Next where an answer takes long.
//   - Finish(text string) error is asked when the server says +OK, with the text behind it. An
//     error means that the server is not who it should be: it ends the session.
//   - Detail() string is what the server has said of the reason in a challenge. It becomes the
//     Detail of the [*ResponseError].
//   - Instead(said string) sasl.Client is asked after a -ERR with its text, once: the same log-in
//     in another form, or nil.
func (c *Client) Auth(ctx context.Context, mechanism sasl.Client) error {
	defer c.c.until(ctx)()
	err := c.auth(ctx, mechanism)
	refusal, refused := err.(*ResponseError)
	if m, ok := mechanism.(interface{ Instead(string) sasl.Client }); ok && refused {
		if other := m.Instead(refusal.Text); other != nil {
			err = c.auth(ctx, other)
		}
	}
	c.proven = false // what came early came before the log-in; see [Client.Login]
	return err
}

func (c *Client) auth(ctx context.Context, mechanism sasl.Client) error {
	name, initial, err := mechanism.Start()
	if err != nil {
		return err
	}
	x := &saslExchange{c: c, mechanism: mechanism, name: name, initial: initial}
	line := "AUTH " + name + " " + encoded(initial)
	if len(initial) == 0 || len(line)+len("\r\n") > mostInitial {
		return x.begin(ctx)
	}
	c.concealAnswer(initial)
	if err := c.sendLine("AUTH", line, "AUTH "+name+" "+concealed); err != nil {
		return err
	}
	x.sent = true
	s, err := x.reply()
	if refusal, ok := err.(*ResponseError); ok && !c.oneForm && !isVerdict(refusal) {
		return x.begin(ctx)
	}
	x.initial = nil
	return x.goOn(ctx, s, err)
}

// A saslExchange is one log-in with a SASL mechanism.
type saslExchange struct {
	c          *Client
	mechanism  sasl.Client
	name       string
	initial    []byte // the initial response, as long as it has not been sent for good
	sent       bool   // it has been sent, in a form that may have been refused
	challenges int
}

// begin sends the command without an initial response.
func (x *saslExchange) begin(ctx context.Context) error {
	if err := x.c.sendLine("AUTH", "AUTH "+x.name, "AUTH "+x.name); err != nil {
		return err
	}
	s, err := x.reply()
	if refusal, ok := err.(*ResponseError); ok {
		refusal.Mechanism, refusal.Sent = !isVerdict(refusal), x.sent
	}
	return x.goOn(ctx, s, err)
}

// goOn answers challenges until the server says +OK or -ERR; s and err are its first reply.
func (x *saslExchange) goOn(ctx context.Context, s status, err error) error {
	for ; err == nil && s.more; s, err = x.reply() {
		answer, err := x.answerTo(ctx, s)
		if ctx.Err() != nil {
			return x.c.fail(context.Cause(ctx))
		}
		if err != nil {
			return x.cancel(x.fault(err))
		}
		x.c.concealAnswer(answer)
		if err := x.c.sendLine("AUTH", encoded(answer), concealed); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if m, ok := x.mechanism.(interface{ Finish(text string) error }); ok {
		if err := m.Finish(s.raw); err != nil {
			return x.c.fail(x.fault(err))
		}
	}
	return nil
}

// reply reads what the server says next. To a refusal it adds what was said before.
func (x *saslExchange) reply() (status, error) {
	s, err := x.c.replyOf(mostChallenge + len("+ "))
	refusal, ok := err.(*ResponseError)
	if m, has := x.mechanism.(interface{ Detail() string }); ok && has {
		refusal.Detail = shortened(x.c.hidden([]byte(m.Detail()), false))
	}
	return s, err
}

// mostDetail is how much is shown of what a server said in a challenge, in octets.
const mostDetail = 120

// shortened is text in printable ASCII, and cut. It comes after the concealing: half of a secret
// would not be known for one.
func shortened(text []byte) string {
	end := ""
	if len(text) > mostDetail {
		text, end = text[:mostDetail], "..."
	}
	printable := func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}
	return string(bytes.Map(printable, text)) + end
}

var (
	errChallenge      = errors.New("a challenge that is no base64")
	errLongChallenge  = errors.New("a challenge that is too long")
	errManyChallenges = errors.New("more challenges than any mechanism has")
)

// answerTo is what is said to a challenge: an initial response that was held back, or what the
// mechanism says.
func (x *saslExchange) answerTo(ctx context.Context, s status) ([]byte, error) {
	if x.challenges++; x.challenges == mostChallenges {
		return nil, errManyChallenges
	}
	if s.cut {
		return nil, errLongChallenge
	}
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s.raw))
	if err != nil {
		return nil, errChallenge
	}
	if initial := x.initial; len(initial) > 0 && len(challenge) == 0 {
		x.initial = nil
		return initial, nil
	}
	if m, ok := x.mechanism.(interface {
		NextContext(context.Context, []byte) ([]byte, error)
	}); ok {
		return m.NextContext(ctx, challenge)
	}
	return x.mechanism.Next(challenge)
}

// fault is an error of the mechanism: what the server said is not what it should be.
func (x *saslExchange) fault(err error) error {
	return protocolErrorf("AUTH %s: %s", x.name, x.c.hidden([]byte(err.Error()), false))
}

// cancel gives up the log-in for reason.
func (x *saslExchange) cancel(reason error) error {
	if err := x.c.sendLine("AUTH", "*", "*"); err != nil {
		return err
	}
	switch _, err := x.reply(); {
	case isRefusal(err):
		return reason
	case err != nil:
		return err
	}
	return x.c.fail(protocolErrorf("%v; and the server goes on after *", reason))
}

func encoded(answer []byte) string { return base64.StdEncoding.EncodeToString(answer) }

// verdicts are words of a -ERR that speaks of the credentials, and not of how they were sent.
var verdicts = []string{
	"password", "authentic", "login", "log-in", "log in", "credential", "denied", "user", "account", "failed",
}

// isVerdict says whether a refusal concerns the credentials: they must not be sent once more.
func isVerdict(r *ResponseError) bool {
	if r.Code != "" {
		return true
	}
	text := strings.ToLower(r.Text)
	for _, word := range verdicts {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
