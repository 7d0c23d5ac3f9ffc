package secret

import (
	"errors"
	"fmt"
)

// An Error says in a few words where there is no secret and why. What can be done about it is its
// hint.
type Error struct {
	err  error
	hint string
}

func (e *Error) Error() string { return e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

// Hint says what a person can do.
func (e *Error) Hint() string { return e.hint }

func hinted(hint, format string, args ...any) error {
	return &Error{fmt.Errorf(format, args...), hint}
}

// behind is err with where in front of it. Its hint is err's own, or the one given.
func behind(where string, err error, hint string) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e.hint != "" {
		hint = e.hint
	}
	return hinted(hint, "%s%w", where, err)
}

// OneLine is err, and its hint behind it.
func OneLine(err error) string {
	e, ok := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !ok || e.Hint() == "" {
		return err.Error()
	}
	return err.Error() + "; " + e.Hint()
}
