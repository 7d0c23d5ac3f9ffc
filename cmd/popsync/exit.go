package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/term"
	"popsync/uidl"
)

// The exit statuses are those of sysexits(3); for signals they are the shell's.
const (
	exitUsage       = 64
	exitUnreachable = 69
	exitInternal    = 70
	exitCannotWrite = 73
	exitIO          = 74
	exitBusy        = 75
	exitProtocol    = 76
	exitRefused     = 77
	exitConfig      = 78
	exitInterrupted = 128 // and the signal's number
)

// A failure is what people and programs are told of an error.
type failure struct {
	status  int
	code    string // a lower-case word that stays the same: the code of --json
	step    string // may be empty
	message string // the whole line for people, harmless
	cause   string // ... without account, server and step, where a poll failed
	hint    string // what to do; may be empty
}

// finish tells err, and what can be done about it, and is the exit status.
func finish(w io.Writer, err error) (status int) {
	failures := explain(err)
	var b strings.Builder
	for _, f := range failures {
		if f.message != "" {
			b.WriteString(f.message + "\n")
		}
		if f.hint != "" {
			b.WriteString("  " + f.hint + "\n")
		}
	}
	_, _ = io.WriteString(w, b.String()) // there is nobody left to tell
	return statusOf(failures)
}

// statusOf several failures is that of the first.
func statusOf(failures []failure) int {
	if len(failures) == 0 {
		return 0
	}
	return failures[0].status
}

// explain takes an error apart, in order. A reader of standard output that has gone away is no
// failure.
func explain(err error) []failure {
	var each []error
	if far, ok := errors.AsType[farErrors](err); ok {
		return far
	}
	if all, ok := errors.AsType[several](err); ok {
		each = all
	} else if all, ok := errors.AsType[config.Errors](err); ok {
		for _, e := range all {
			each = append(each, e)
		}
	} else if err != nil && !readerGone(err) {
		return []failure{explainOne(err)}
	}
	var failures []failure
	for _, e := range each {
		failures = append(failures, explain(e)...)
	}
	return failures
}

// readerGone says whether err is that of a pipe behind standard output, and not of a connection.
func readerGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) && !is[*fetch.Error](err)
}

// several errors are told one by one; the first gives the exit status.
type several []error

// both leaves out what is nil.
func both(errs ...error) error {
	var s several
	for _, err := range errs {
		if err != nil {
			s = append(s, err)
		}
	}
	switch len(s) {
	case 0:
		return nil
	case 1:
		return s[0]
	}
	return s
}

func (s several) Error() string { return errors.Join(s...).Error() }

func explainOne(err error) failure {
	if e, ok := errors.AsType[*fetch.Error](err); ok {
		f := explainPoll(e)
		if is[known](err) {
			f.message, f.hint = "", ""
		}
		return f
	}
	f := failure{message: term.Escape(err.Error())}
	f.hint = term.Escape(cmp.Or(adviceOf(err), permissionHint(err)))
	f.code, f.status = classify(err)
	if f.hint == "" {
		f.hint = hintOfStatus[f.status]
	}
	return f
}

// adviceOf is what err itself knows to do about it, raw; it may be empty.
func adviceOf(err error) string {
	if h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return h.Hint()
	}
	return ""
}

// classify is for errors that concern no single account.
func classify(err error) (code string, status int) {
	if s, ok := errors.AsType[*signalError](err); ok {
		return fetch.Interrupted.String(), exitInterrupted + int(s.signal)
	}
	if e, ok := errors.AsType[*authError](err); ok {
		return e.kind().String(), statusOfKind(e.kind())
	}
	switch {
	case is[*usageError](err), is[*config.UnknownAccountError](err):
		return "usage", exitUsage
	case is[*config.Error](err), is[*configError](err):
		return fetch.Config.String(), exitConfig
	case is[*uidl.HeldError](err), is[*neighbourError](err):
		return fetch.Busy.String(), exitBusy
	case is[*uidl.DamageError](err), is[*uidl.VersionError](err):
		return fetch.CannotWrite.String(), exitCannotWrite
	case diskFails(err), is[*uidl.WriteError](err):
		return fetch.InputOutput.String(), exitIO
	case is[*fs.PathError](err), is[*os.LinkError](err):
		return fetch.CannotWrite.String(), exitCannotWrite
	}
	return fetch.Internal.String(), exitInternal
}

// diskFails says whether the disk is full or broken, rather than that something may not be written.
func diskFails(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func explainPoll(e *fetch.Error) failure {
	return failure{
		status:  statusOfKind(e.Kind),
		code:    e.Kind.String(),
		step:    e.Step,
		message: term.Escape(e.Error()),
		cause:   term.Escape(e.Err.Error()),
		hint:    hintOf(e),
	}
}

func statusOfKind(k fetch.Kind) int {
	switch k {
	case fetch.Unreachable:
		return exitUnreachable
	case fetch.Protocol:
		return exitProtocol
	case fetch.Busy:
		return exitBusy
	case fetch.Refused:
		return exitRefused
	case fetch.Config:
		return exitConfig
	case fetch.CannotWrite:
		return exitCannotWrite
	case fetch.InputOutput:
		return exitIO
	case fetch.Interrupted:
		return exitInterrupted + int(syscall.SIGINT) // where the signal itself is not known
	case fetch.Internal:
	}
	return exitInternal
}

const hintInternal = "this is a fault of popsync; please report it with what --trace shows"

// hintOf says what a person can do: what the error itself knows, or what its kind suggests.
func hintOf(e *fetch.Error) string {
	if hint := cmp.Or(e.Hint, adviceOf(e.Err)); hint != "" {
		return term.Escape(hint)
	}
	switch e.Kind {
	case fetch.Unreachable:
		return "check host, port and tls of the account, and the network"
	case fetch.Protocol:
		return "see what the server says: popsync fetch --trace " + e.Account
	case fetch.Busy:
		return "try again later; the mail stays on the server"
	case fetch.Refused:
		return "check username and password of the account"
	case fetch.Config:
		if e.Step == "password" {
			return "see that what the account's password_... key names gives one line, the password"
		}
		return "correct the account in the configuration: popsync help config"
	case fetch.CannotWrite:
		return "check that the folder exists and that you may write there; the mail stays on the server"
	case fetch.InputOutput:
		return "check the disk and its free space; the mail stays on the server"
	case fetch.Interrupted:
		return ""
	case fetch.Internal:
	}
	return hintInternal
}

// hintOfStatus is for errors that concern no single account and know no better.
var hintOfStatus = map[int]string{
	exitInternal:    hintInternal,
	exitCannotWrite: "check that the folder exists and that you may write there; what was not recorded stays on the server",
	exitIO:          "check the disk and its free space; what was not recorded stays on the server",
}

// A usageError is a command line that cannot be followed.
type usageError struct{ message, hint string }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), ""}
}

func (e *usageError) Error() string { return e.message }
func (e *usageError) Hint() string  { return e.hint }

func onUsageError(_ *cli.Context, err error, _ bool) error {
	return &usageError{term.Escape(err.Error()), "see popsync --help"}
}

// A signalError ended a fetch.
type signalError struct {
	signal     syscall.Signal
	unfinished []string // names of accounts
}

func (e *signalError) Error() string {
	s := "ended by " + map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM"}[e.signal]
	if len(e.unfinished) > 0 {
		s += "; not finished: " + strings.Join(e.unfinished, ", ")
	}
	return s
}

// signalled is the signal that ended ctx, or nil.
func signalled(ctx context.Context) *signalError {
	s, _ := errors.AsType[*signalError](context.Cause(ctx))
	return s
}

// signalledBy says whether err is no more than that a signal came.
func signalledBy(err error) bool { return is[*signalError](err) }

// afterSignal is err, or the signal that led to it.
func afterSignal(ctx context.Context, err error) error {
	if s := signalled(ctx); s != nil {
		return s
	}
	return err
}
