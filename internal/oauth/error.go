package oauth

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// A Kind is what an error means for the next poll and for the exit status.
type Kind uint8

const (
	Later         Kind = iota // passing: the tokens are kept and the next poll asks again (75)
	NeedsLogin                // a person has to log in, or an administrator to allow it (77)
	Configuration             // the account's settings are wrong (78)
	Storage                   // the tokens cannot be read or written (73, 74)
)

// String is the kind as a lower-case word.
func (k Kind) String() string {
	switch k {
	case NeedsLogin:
		return "needs-login"
	case Configuration:
		return "configuration"
	case Storage:
		return "storage"
	case Later:
	}
	return "later"
}

// An Error says why there is no token. What a server said is in Text raw, short and without secrets;
// whoever shows it makes it harmless.
type Error struct {
	Kind Kind
	Code string // of OAuth2, such as invalid_grant; empty where no server said one
	Text string // the server's own words; may be empty
	Hint string // what a person can do; may be empty
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ErrNoTokens is in the error where an account has none.
var ErrNoTokens = errors.New("no tokens: nobody has logged in yet")

func errorf(kind Kind, hint, format string, args ...any) *Error {
	return &Error{Kind: kind, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// maxText is how much of a server's explanation is kept, in bytes.
const maxText = 300

// short cuts text to maxText, between two characters.
func short(text string) string {
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
