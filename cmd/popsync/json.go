package main

import (
	"encoding/json"
	"io"
)

// A document is all that --json writes to standard output, in whatever way a command ends.
// Fields are added and never change their meaning while Schema stays.
type document[A any] struct {
	Schema   int        `json:"schema"`
	Command  string     `json:"command"`
	Exit     int        `json:"exit"`
	DryRun   bool       `json:"dry_run,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`
	Accounts []A        `json:"accounts"`        // in the configuration's order
	Error    *errorJSON `json:"error,omitempty"` // of the command as a whole; those of accounts stand there
}

type errorJSON struct {
	Code    string `json:"code"`
	Step    string `json:"step,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

const schema = 1

// writeJSON ends a command: its error, and that of writing, are returned for its exit status.
func writeJSON[A any](w io.Writer, d document[A], err error) error {
	d.Schema = schema
	d.Exit = statusOf(explain(err))
	if d.Accounts == nil {
		d.Accounts = []A{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return both(err, e.Encode(d))
}

// withJSON writes the document of a command that did not come to its accounts.
func withJSON(w io.Writer, command string, err error) error {
	return writeJSON(w, document[struct{}]{Command: command, Error: commandError(err)}, err)
}

// commandError joins the messages of err, such as all of a configuration's mistakes.
func commandError(err error) *errorJSON {
	failures := explain(err)
	if len(failures) == 0 {
		return nil
	}
	e := failures[0].json()
	for _, f := range failures[1:] {
		e.Message += "\n" + f.message
	}
	return e
}

func (f failure) json() *errorJSON {
	e := &errorJSON{Code: f.code, Step: f.step, Message: f.message, Hint: f.hint}
	if f.cause != "" {
		e.Message = f.cause
	}
	return e
}
