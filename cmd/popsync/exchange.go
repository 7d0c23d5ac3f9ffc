package main

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"popsync/uidl"
)

// An export is a text of one JSON object a line:
//
//	{"type":"popsync-uidl-export","schema":1,"exported":"2026-11-29T10:00:00Z"}
//	{"type":"mailbox","account":"work","host":"pop.example.org","port":995,"user":"alice","listed":true}
//	{"type":"record","uid":"uid-17","state":"delivered","size":1234,"changed":"2026-11-24T08:15:00Z"}
//	{"type":"end","mailboxes":1,"records":1}
//
// Records are those of the mailbox above them, by UID and rank. Without its last line an export is
// not whole. Fields are added and never change their meaning while the schema stays.
const (
	typeHeader  = "popsync-uidl-export"
	typeMailbox = "mailbox"
	typeRecord  = "record"
	typeEnd     = "end"
)

type headerLine struct {
	Type     string     `json:"type"`
	Schema   int        `json:"schema"`
	Exported *time.Time `json:"exported"`
}

type mailboxLine struct {
	Type    string `json:"type"`
	Account string `json:"account"`
	Host    string `json:"host"`
	Port    int    `json:"port,omitempty"`
	User    string `json:"user"`
	Listed  bool   `json:"listed,omitempty"` // its first complete poll has been
}

type recordLine struct {
	Type string `json:"type"`
	recordJSON
}

type endLine struct {
	Type      string `json:"type"`
	Mailboxes int    `json:"mailboxes"`
	Records   int    `json:"records"`
}

// An exportWriter writes an export line by line.
type exportWriter struct {
	w     *bufio.Writer
	lines *json.Encoder
	sums  endLine
}

func newExportWriter(w io.Writer) *exportWriter {
	e := &exportWriter{w: bufio.NewWriter(w), sums: endLine{Type: typeEnd}}
	e.lines = json.NewEncoder(e.w)
	e.lines.SetEscapeHTML(false)
	return e
}

func (e *exportWriter) begin(now time.Time) error {
	return e.lines.Encode(headerLine{typeHeader, schema, instant(now)})
}

func (e *exportWriter) mailbox(account string, m uidl.Mailbox, listed bool) error {
	e.sums.Mailboxes++
	return e.lines.Encode(mailboxLine{typeMailbox, account, m.Host, m.Port, m.User, listed})
}

func (e *exportWriter) record(r recordWire) error {
	e.sums.Records++
	return e.lines.Encode(recordLine{typeRecord, recordJSONOf(r)})
}

func (e *exportWriter) end() error {
	if err := e.lines.Encode(e.sums); err != nil {
		return err
	}
	return e.w.Flush()
}
