package pop3

import (
	"errors"
	"fmt"
)

// ErrProtocol is what every error is that says the server does not speak POP3 as it should.
var ErrProtocol = errors.New("POP3 protocol error")

// ErrTimeout is what every error is that says the server took too long.
var ErrTimeout = errors.New("timeout")

// ErrClosed is what every error is that says the server, or the network, ended the connection.
var ErrClosed = errors.New("connection closed")

// ErrNoTLS is what the error is that says the server does not speak TLS where it should.
var ErrNoTLS = errors.New("no TLS")

// A ResponseError is a -ERR: the server's refusal of one command.
type ResponseError struct {
	Command string // without arguments; "greeting" for the server's first line
	Code    string // extended response code, upper case, without brackets (RFC 2449, section 8; RFC 3206)
	Text    string // the server's words after -ERR, raw
	Detail  string // what it said of the reason before, in a challenge; mostly empty

	Mechanism bool // it is the SASL mechanism that is refused, before it asked for anything of the credentials
	Sent      bool // ...; they had gone out all the same, in an initial response
}

func (e *ResponseError) Error() string {
	text := e.Command + ": server says no, without a reason"
	if e.Text != "" {
		text = fmt.Sprintf("server says %q", raw(e.Text))
	}
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// raw is printed by %q with its quotes and otherwise as it is: whoever shows an error escapes it.
type raw string

func (r raw) Format(f fmt.State, _ rune) { fmt.Fprintf(f, `"%s"`, string(r)) }

// A fault is an error of a kind that callers ask for with [errors.Is].
type fault struct {
	kind error // ErrProtocol, ErrTimeout, ErrClosed or ErrNoTLS
	text string
	err  error // the cause, or nil
}

func (f *fault) Error() string {
	if f.err == nil {
		return f.text
	}
	return f.text + ": " + f.err.Error()
}

func (f *fault) Is(target error) bool { return target == f.kind }
func (f *fault) Unwrap() error        { return f.err }

func protocolErrorf(format string, args ...any) error {
	return &fault{kind: ErrProtocol, text: fmt.Sprintf(format, args...)}
}
