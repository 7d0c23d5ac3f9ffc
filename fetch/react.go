package fetch

import (
	"context"
	"errors"
	"time"

	"popsync/deliver"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/uidl"
)

// String is the stable word for k, in --json and in the state.
func (k Kind) String() string {
	switch k {
	case Internal:
		return "internal"
	case Unreachable:
		return "unreachable"
	case Protocol:
		return "protocol"
	case Busy:
		return "busy"
	case Refused:
		return "refused"
	case Config:
		return "config"
	case CannotWrite:
		return "cannot-write"
	case InputOutput:
		return "io"
	case Interrupted:
		return "interrupted"
	}
	return "internal"
}

// step is what an error of the wire at a step means.
func (s *session) step(step string, err error) *Error {
	if refusal, ok := errors.AsType[*pop3.ResponseError](err); ok {
		return s.refused(step, refusal)
	}
	e := &Error{Step: step, Kind: Internal, Err: err}
	switch {
	case errors.Is(err, errInterrupted):
		e.Kind = Interrupted
	case errors.Is(err, errTooLong):
		e.Kind, e.Hint = Unreachable, "a larger max_session lets slow lines finish"
	case errors.Is(err, pop3.ErrSecret):
		e.Kind, e.Hint = Config, "check username and password"
	case errors.Is(err, pop3.ErrProtocol):
		e.Kind, e.Hint = Protocol, "popsync --trace shows what the server says"
	case errors.Is(err, pop3.ErrTimeout):
		e.Kind, e.Hint = Unreachable, "the next poll goes on where this one ended; a longer timeout may help"
	case errors.Is(err, pop3.ErrClosed):
		e.Kind, e.Hint = Unreachable, "the next poll goes on where this one ended"
	}
	if s.client != nil && s.client.LostCommands() {
		s.lost = true
		e.Hint = "the server announces PIPELINING and may lose commands that come early; the next poll finds out, and sends one at a time"
	}
	return e
}

// refused is what a -ERR at a step means. Response codes come first (RFC 2449, section 8;
// RFC 3206): they tell a wrong password from a mailbox that is locked.
func (s *session) refused(step string, r *pop3.ResponseError) *Error {
	e := &Error{Step: step, Kind: Protocol, Err: r}
	switch r.Code {
	case "IN-USE":
		e.Kind, e.Hint = Busy, "another program, or an earlier session, has the mailbox open; the next poll tries again"
		return e
	case "LOGIN-DELAY":
		e.Kind, e.Hint = Busy, "the server wants more time between two log-ins; poll less often"
		return e
	case "SYS/TEMP":
		e.Kind, e.Hint = Busy, "the server is in trouble; the next poll tries again"
		return e
	}
	switch step {
	case "log in":
		return s.logInRefused(e, r)
	case "list":
		e.Hint = "popsync needs UIDL to tell new messages from old ones, and this server refuses it"
	case "retrieve":
		e.Hint = "the message stays on the server and is tried again at the next poll"
	case "delete", "quit":
		e.Hint = "nothing is lost: what was delivered is not delivered again, and its deletion is tried again at the next poll"
	}
	return e
}

// logInRefused is what a -ERR to a log-in means that has no code which says that it will pass.
func (s *session) logInRefused(e *Error, r *pop3.ResponseError) *Error {
	e.Kind = Refused
	switch {
	case r.Code == "SYS/PERM":
		e.Hint = "the server says that this will not pass by itself: ask its administrator"
	case s.early(r):
		e.Kind = Busy
		e.Hint = "the last log-in was " + s.now().Sub(s.last.LoggedIn.Time()).Round(time.Second).String() +
			" ago, and this provider refuses earlier ones than after " + s.account.MinInterval.String()
	case s.account.Token:
		e.Hint = "the token was refused: check username and scopes, and that POP3 is switched on for the mailbox"
	default:
		e.Hint = "check username and password; some providers want POP3 switched on, or an app password"
	}
	if s.account.Hint != "" && e.Kind == Refused && r.Code != "SYS/PERM" {
		e.Hint = s.account.Hint
	}
	return e
}

// listFailed is what it means that the mailbox cannot be listed. Exchange takes a token for
// another's mailbox, and refuses the first command after it.
func (s *session) listFailed(err error) *Error {
	e := s.step("list", err)
	if _, refused := errors.AsType[*pop3.ResponseError](err); refused && e.Kind == Protocol && s.account.Token {
		e.Kind, e.Hint = Refused, "the server took the token and refuses the mailbox: check username, and that the token is for it"
	}
	return e
}

// unusable is an offer of the server that the account cannot log in with. Nothing was sent.
func (s *session) unusable(err error) *Error {
	if u, ok := errors.AsType[*mechanism.Unusable](err); ok && u.Settings {
		return &Error{Step: "log in", Kind: Config, Err: err, Hint: "see auth in the account's configuration: popsync help config"}
	}
	e := &Error{Step: "log in", Kind: Refused, Err: err, Hint: "auth: auto takes the strongest way that the server offers; popsync check --connect shows its offer"}
	if s.exposed {
		e.Hint = "use tls: implicit or tls: starttls; auth: user (or plain) where the password may cross the network in the clear"
	}
	return e
}

// greetingFailed is what it means that a connection is open and no session began.
func (s *session) greetingFailed(err error) *Error {
	e := withComplaint(s.step("greeting", err), s.complaint)
	switch {
	case e.Kind == Protocol && e.Hint == "", errors.Is(err, pop3.ErrProtocol):
		e.Hint = "check host and port; POP3 is at 995 with tls: implicit, at 110 otherwise"
	case errors.Is(err, pop3.ErrTimeout) && s.account.Server.Security != ImplicitTLS:
		e.Hint = "if the server wants TLS from the first byte (port 995), set tls: implicit"
	}
	return e
}

// stlsFailed is what it means that STLS did not lead to TLS: nothing has been sent in the clear.
func (s *session) stlsFailed(err error) *Error {
	refusal, refused := errors.AsType[*pop3.ResponseError](err)
	switch {
	case refused && s.refused("STLS", refusal).Kind == Protocol:
		return &Error{Step: "STLS", Kind: Unreachable, Err: err, Hint: "try tls: implicit with port 995"}
	case errors.Is(err, pop3.ErrProtocol):
		return &Error{Step: "STLS", Kind: Protocol, Err: err, Hint: "nothing of the log-in was sent; if this was not an attack, try tls: implicit with port 995"}
	case refused, errors.Is(err, pop3.ErrTimeout), errors.Is(err, pop3.ErrClosed), errors.Is(err, errInterrupted):
		return s.step("STLS", err)
	}
	return tlsError("STLS", err)
}

// hinted errors know what to do.
type hinted interface {
	error
	Hint() string
}

// passwordFailed is what it means that there is no secret to log in with. Where it comes from may
// know better: a provider's token endpoint that is in trouble is no fault of the configuration.
func (s *session) passwordFailed(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return &Error{Step: "password", Kind: Interrupted, Err: errInterrupted}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Step: "password", Kind: Config, Err: err}
	if advice, ok := errors.AsType[hinted](err); ok {
		e.Hint = advice.Hint()
	}
	return e
}

// unusable says whether e is about the state as a whole, which may be another one when it is opened
// again.
func unusable(e *Error) bool {
	if e == nil {
		return false
	}
	damage, damaged := errors.AsType[*uidl.DamageError](e.Err)
	_, unwritten := errors.AsType[*uidl.WriteError](e.Err)
	return unwritten || damaged && damage.Mailbox == nil
}

// deliveryFailed is what an error of a target means.
func (s *session) deliveryFailed(err error) *Error {
	e := &Error{Step: "deliver", Kind: InputOutput, Err: err}
	d, ok := errors.AsType[*deliver.Error](err)
	if !ok {
		return e
	}
	e.Hint = d.Hint
	switch d.Kind {
	case deliver.IO:
		if e.Hint == "" {
			e.Hint = "what was not delivered stays on the server and is fetched again at the next poll"
		}
	case deliver.Create:
		e.Kind = CannotWrite
	case deliver.Refused:
		e.Kind = CannotWrite
		if e.Hint == "" {
			e.Hint = "the message stays on the server and is handed over again at the next poll"
		}
	case deliver.Later:
		e.Kind = Busy
		if e.Hint == "" {
			e.Hint = "the message stays on the server and is handed over again at the next poll"
		}
	}
	return e
}

// stateFailed is what an error of the UIDL database means.
func (s *session) stateFailed(err error) *Error {
	e := &Error{Step: "state", Kind: InputOutput, Err: err, Hint: "nothing is lost: what was not recorded stays on the server, or is settled at the next start"}
	if damage, ok := errors.AsType[*uidl.DamageError](err); ok {
		e.Kind, e.Hint = CannotWrite, damage.Hint()
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, errInterrupted) {
		e.Kind, e.Hint = Interrupted, ""
	}
	return e
}

// pauses is how long Run waits after failures in a row of a kind, beyond the interval; the last
// one holds for all that follow. Refused log-ins have pauses of their own, which outlast a process.
var pauses = map[Kind][]time.Duration{
	Config:      {5 * time.Minute, time.Hour},
	Unreachable: {0, 0, 5 * time.Minute, 15 * time.Minute},
	Protocol:    {0, 5 * time.Minute, 30 * time.Minute},
	Busy:        {0, 0, 5 * time.Minute},
	CannotWrite: {0, time.Minute, 5 * time.Minute},
	InputOutput: {0, time.Minute, 5 * time.Minute},
}

// pause is how long an account waits at least after so many failures in a row, of which the last
// is of kind.
func pause(kind Kind, failures int) time.Duration {
	steps := pauses[kind]
	if failures < 1 || len(steps) == 0 {
		return 0
	}
	return steps[min(failures, len(steps))-1]
}
