package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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
	State    any        `json:"state,omitempty"` // of commands about the state as a whole
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

// notBegun ends a command that did not come to what was asked of it.
func notBegun(out output, asJSON bool, command string, err error) error {
	if asJSON {
		return withJSON(out.stdout, command, err)
	}
	return err
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

// An openDocument is a document with a list that is written as it comes: there may be a million of
// them. In JSON the order of fields means nothing.
type openDocument struct {
	w     *bufio.Writer
	items *json.Encoder
	n     int
}

func openJSON(w io.Writer, command, list string) *openDocument {
	d := &openDocument{w: bufio.NewWriter(w)}
	d.items = json.NewEncoder(d.w)
	d.items.SetEscapeHTML(false)
	_, _ = fmt.Fprintf(d.w, `{"schema":%d,"command":%q,%q:[`, schema, command, list) // Flush has the error
	return d
}

// add writes one item of the list, on a line of its own.
func (d *openDocument) add(item any) error {
	separator := ","
	if d.n++; d.n == 1 {
		separator = "\n"
	}
	_, _ = d.w.WriteString(separator)
	return d.items.Encode(item)
}

// end writes what is known in the end: the mailboxes that it was about, and err, which is returned
// with that of writing.
func (d *openDocument) end(about []place, err error) error {
	accounts := make([]placeJSON, len(about))
	for i, p := range about {
		accounts[i] = p.json()
	}
	var rest bytes.Buffer
	e := json.NewEncoder(&rest)
	e.SetEscapeHTML(false)
	encoded := e.Encode(struct {
		Accounts []placeJSON `json:"accounts"`
		Exit     int         `json:"exit"`
		Error    *errorJSON  `json:"error,omitempty"`
	}{accounts, statusOf(explain(err)), commandError(err)})
	_, _ = d.w.WriteString("],")
	_, _ = d.w.Write(bytes.TrimPrefix(rest.Bytes(), []byte("{")))
	return both(err, encoded, d.w.Flush())
}
