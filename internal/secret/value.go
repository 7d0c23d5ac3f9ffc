package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// redacted stands wherever a secret would have been printed.
const redacted = "[redacted]"

// A Value is a secret that does not print: every verb of fmt, JSON, text encodings and slog
// show [redacted]. The zero Value is "no secret" and prints the same.
type Value struct {
	// A pointer, because fmt calls no methods on the unexported fields of a struct that holds
	// a Value: it prints the address then and follows it no further.
	text *string
}

// New returns the secret s; the empty one is the zero Value.
func New(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{text: &s}
}

// Reveal returns the secret itself. It is the only way to it: whoever looks for where
// secrets go looks for the callers of Reveal.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero tells whether there is no secret.
func (v Value) IsZero() bool { return v.text == nil }

// Equal compares two secrets in a time that does not depend on where they differ.
func (v Value) Equal(w Value) bool {
	return subtle.ConstantTimeCompare([]byte(v.Reveal()), []byte(w.Reveal())) == 1
}

// String returns [redacted].
func (Value) String() string { return redacted }

// GoString returns [redacted].
func (Value) GoString() string { return redacted }

// Format writes [redacted] for every verb, %x and %q among them.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns [redacted].
func (Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]".
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns [redacted].
func (Value) LogValue() slog.Value { return slog.StringValue(redacted) }
