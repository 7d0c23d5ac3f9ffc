package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is one thing that is wrong with the configuration.
type Error struct {
	File         string
	Line, Column int    // from 1, columns in characters; 0 where the file as a whole is meant
	Key          string // such as accounts[1].tls; "" where no key is meant
	Message      string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	for _, n := range []int{e.Line, e.Column} {
		if n > 0 {
			fmt.Fprintf(&b, ":%d", n)
		}
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Errors is all that is wrong with a configuration, in the file's order.
type Errors []*Error

// Error returns one line for each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// mostErrors is how many are told; a file with more of them is no configuration.
const mostErrors = 200

// A report collects what is wrong with one file.
type report struct {
	file     string
	told     map[Error]bool
	errors   Errors
	warnings Errors
}

func newReport(file string) *report { return &report{file: file, told: map[Error]bool{}} }

func (r *report) wrong(at position, format string, args ...any) {
	r.tell(&r.errors, at, fmt.Sprintf(format, args...))
}

func (r *report) warn(at position, format string, args ...any) {
	r.tell(&r.warnings, at, fmt.Sprintf(format, args...))
}

// tell says everything once: what is wrong in the defaults is wrong in each account.
func (r *report) tell(to *Errors, at position, message string) {
	switch n := len(*to); {
	case n == mostErrors:
		*to = append(*to, &Error{File: r.file, Message: "has more mistakes than are told here"})
		return
	case n > mostErrors:
		return
	}
	e := Error{r.file, at.line, at.column, at.key, message}
	if !r.told[e] {
		r.told[e] = true
		*to = append(*to, &e)
	}
}

// sort puts errors in the file's order.
func (e Errors) sort() {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// A position is a place in the file and the key there.
type position struct {
	line, column int
	key          string
}
