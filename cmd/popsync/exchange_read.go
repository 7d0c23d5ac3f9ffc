package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"popsync/internal/term"
	"popsync/uidl"
)

// What is taken of a file. A server lists no more than that either.
const (
	maxLine     = 256 << 10 // octets of one line
	maxUID      = 16 << 10  // octets of one UID
	maxRecords  = 1_200_000
	maxUIDBytes = 96 << 20 // of all UIDs together
	maxFaults   = 10       // mistakes that are told
)

// An imported file is what is to become known of one mailbox.
type imported struct {
	Records []recordWire // by UID and rank, each once
	Export  bool         // of popsync: with states and all; else plain UIDs
	Listed  bool         // the mailbox had had its first complete poll
}

// An importReader reads an export, or plain text with a UID a line. It tells the first mistakes.
type importReader struct {
	file    string // for people
	account string // whose mailbox is wanted
	mailbox uidl.Mailbox
	most    int // records

	line   int
	begun  bool
	faults several
	octets int // of UIDs
	got    imported

	// Of an export:
	sections []string // its mailboxes
	records  int      // of all of them
	fit      fit      // of the mailbox whose records were taken
	ties     int      // others that fit as well
	taking   bool     // the records of the mailbox that is being read
	ended    bool
}

// A fit says how well a mailbox of an export is the one that is wanted.
type fit int

const (
	noFit    fit = iota
	onlyOne      // it has no other
	sameName     // the account was called so
	sameBox      // host, port and user are the same
)

func newImportReader(file, account string, m uidl.Mailbox) *importReader {
	return &importReader{file: file, account: account, mailbox: m, most: maxRecords}
}

// readImport reads what is to become known of the account's mailbox. The error is that of reading,
// or several mistakes.
func readImport(r io.Reader, file, account string, m uidl.Mailbox) (imported, error) {
	in := newImportReader(file, account, m)
	err := in.read(bufio.NewReaderSize(r, 64<<10))
	if err == nil {
		in.finish()
		err = both(in.faults...)
	}
	if err != nil {
		return imported{}, err
	}
	slices.SortStableFunc(in.got.Records, compareRecords)
	in.got.Records = slices.CompactFunc(in.got.Records, func(a, b recordWire) bool { return compareRecords(a, b) == 0 })
	return in.got, nil
}

func compareRecords(a, b recordWire) int {
	return cmp.Or(bytes.Compare(a.UID, b.UID), cmp.Compare(a.Rank, b.Rank))
}

// read takes line after line, up to so many mistakes.
func (in *importReader) read(r *bufio.Reader) error {
	for len(in.faults) < maxFaults {
		text, err := readLine(r)
		if err == io.EOF {
			return nil
		}
		in.line++
		switch {
		case errors.Is(err, errLongLine):
			in.fault(err)
			return nil
		case err != nil:
			return err
		}
		if err := in.take(text); err != nil {
			in.fault(err)
		}
	}
	return nil
}

func (in *importReader) fault(err error) {
	in.faults = append(in.faults, usagef("%s:%d: %v", in.file, in.line, err))
}

var errLongLine = fmt.Errorf("a line of more than %d KiB", maxLine>>10)

// readLine is the next line without its end. The last one may have none.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, errLongLine
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) > 0, err == nil:
			line = bytes.TrimSuffix(line, []byte("\n"))
			return bytes.TrimSuffix(line, []byte("\r")), nil
		default:
			return nil, err
		}
	}
}

// take is one line. The first one tells which kind of file it is.
func (in *importReader) take(text []byte) error {
	if in.line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	if len(text) == 0 {
		return nil
	}
	first := !in.begun
	in.begun = true
	switch {
	case first && text[0] == '{' && json.Valid(text):
		return in.header(text)
	case in.got.Export:
		return in.exported(text)
	}
	return in.plain(text)
}

func (in *importReader) header(text []byte) error {
	var h headerLine
	if err := decodeLine(text, &h); err != nil {
		return err
	}
	in.got.Export = true
	switch {
	case h.Type != typeHeader:
		return errors.New("is JSON, and no export of popsync; give that, or plain text with a UID a line")
	case h.Schema > schema:
		return fmt.Errorf("is an export of a newer popsync (schema %d; this one knows %d)", h.Schema, schema)
	}
	return nil
}

// plain is a line with a UID and nothing else.
func (in *importReader) plain(text []byte) error {
	if i := bytes.IndexFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return fmt.Errorf("%q: a blank or a control character in it; one UID a line is wanted, and nothing else", cut(text))
	}
	return in.add(recordWire{UID: text, Record: uidl.Record{State: uidl.Imported, Size: -1}})
}

// cut is the beginning of a line, for people.
func cut(text []byte) string {
	const most = 60
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// exported is a line of an export behind the first one.
func (in *importReader) exported(text []byte) error {
	var line struct {
		Type string `json:"type"`
	}
	if err := decodeLine(text, &line); err != nil {
		return err
	}
	switch {
	case in.ended:
		return errors.New("something stands behind the end of the export")
	case line.Type == typeMailbox:
		return in.section(text)
	case line.Type == typeRecord:
		return in.record(text)
	case line.Type == typeEnd:
		return in.end(text)
	}
	return fmt.Errorf("a line of type %q, which no export has", line.Type)
}

// section begins a mailbox of the export. Its records are taken if none fits better.
func (in *importReader) section(text []byte) error {
	var m mailboxLine
	if err := decodeLine(text, &m); err != nil {
		return err
	}
	box := uidl.Mailbox{Host: m.Host, Port: m.Port, User: m.User}
	in.sections = append(in.sections, m.Account+" ("+mailboxName(box)+")")
	f := onlyOne
	switch {
	case box == in.mailbox:
		f = sameBox
	case m.Account == in.account:
		f = sameName
	}
	if f == in.fit {
		in.ties++
	}
	if in.taking = f > in.fit; in.taking {
		in.fit, in.ties, in.octets = f, 0, 0
		in.got.Listed, in.got.Records = m.Listed, nil
	}
	return nil
}

func (in *importReader) record(text []byte) error {
	if len(in.sections) == 0 {
		return errors.New("a record before the first mailbox")
	}
	in.records++
	var r recordLine
	if err := decodeLine(text, &r); err != nil {
		return err
	}
	w, err := r.wire()
	if err != nil || !in.taking {
		return err
	}
	return in.add(w)
}

// end finds out whether something is missing.
func (in *importReader) end(text []byte) error {
	in.ended = true
	var want endLine
	if err := decodeLine(text, &want); err != nil {
		return err
	}
	if want.Mailboxes != len(in.sections) || want.Records != in.records {
		return fmt.Errorf("%s and %s should be here, and there are %s and %s",
			mailboxesText(want.Mailboxes), term.Count(want.Records, "record"), mailboxesText(len(in.sections)), term.Count(in.records, "record"))
	}
	return nil
}

// add takes one record, as long as there are not too many.
func (in *importReader) add(w recordWire) error {
	switch {
	case len(w.UID) > maxUID:
		return fmt.Errorf("a UID of %d octets; the most is %d", len(w.UID), maxUID)
	case len(in.got.Records) == in.most, in.octets+len(w.UID) > maxUIDBytes:
		return errors.New("no server lists so many messages")
	}
	w.UID = bytes.Clone(w.UID)
	in.octets += len(w.UID)
	in.got.Records = append(in.got.Records, w)
	return nil
}

// finish finds out whether the file was whole, and had what was wanted.
func (in *importReader) finish() {
	switch {
	case len(in.faults) == 0 && !in.begun: // a pipe that failed looks so
		in.faults = append(in.faults, &usageError{in.file + ": is empty", "give an export, or a text with a UID a line"})
	case len(in.faults) > 0 || !in.got.Export:
	case !in.ended:
		in.fault(errors.New("the export ends here, and is not whole: its last line is missing"))
	case in.fit == noFit || in.ties > 0:
		in.faults = append(in.faults, &usageError{
			fmt.Sprintf("%s: which mailbox is that of %s? there is %s", in.file, in.account, cmp.Or(strings.Join(in.sections, ", "), "none")),
			"export the one that is meant alone: popsync uidl export NAME",
		})
	}
}

// decodeLine reads one JSON object, and says for people what is wrong.
func decodeLine(text []byte, to any) error {
	if !utf8.Valid(text) {
		return errors.New("is not UTF-8")
	}
	err := json.Unmarshal(text, to)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:]
		return fmt.Errorf("%s: %s, which does not fit", field, wrong.Value)
	}
	if err != nil {
		return fmt.Errorf("is no JSON object of an export: %w", err)
	}
	return nil
}

// wire is the record that was exported.
func (j recordJSON) wire() (recordWire, error) {
	w := recordWire{Rank: j.Rank, Record: uidl.Record{
		Size: -1, Shared: j.Shared, Told: j.Told, Attempts: j.Attempts, Deletions: j.Deletions, DeleteSent: j.DeleteSent, Seen: j.Seen,
	}}
	switch {
	case j.UID == nil:
		w.UID = j.Base64
	case j.Base64 != nil:
		return w, errors.New("uid and uid_base64 contradict each other")
	default:
		w.UID = []byte(*j.UID)
	}
	var ok bool
	if w.State, ok = stateNamed(j.State); !ok {
		return w, fmt.Errorf("state: %q is none", j.State)
	}
	switch {
	case w.UID == nil:
		return w, errors.New("uid is missing")
	case bytes.IndexByte(w.UID, 0) >= 0:
		return w, errors.New("uid: a NUL in it")
	case j.Size != nil && *j.Size < 0, j.Seen < 0:
		return w, errors.New("a size below 0")
	case !sane(j.Changed) || !sane(j.MissingSince):
		return w, errors.New("a time before the year 1 or after 9999")
	case j.Size != nil:
		w.Size = *j.Size
	}
	w.Changed, w.MissingSince = stampOf(j.Changed), stampOf(j.MissingSince)
	if j.Header != "" {
		header, err := strconv.ParseUint(j.Header, 16, 64)
		if err != nil || len(j.Header) != 16 {
			return w, fmt.Errorf("header: %q is not 16 hexadecimal digits", cut([]byte(j.Header)))
		}
		w.Header = header
	}
	return w, nil
}

// sane says whether a time can be written as it was read.
func sane(t *time.Time) bool {
	return t == nil || 1 <= t.UTC().Year() && t.UTC().Year() <= 9999
}

func stampOf(t *time.Time) uidl.Stamp {
	if t == nil {
		return 0
	}
	return uidl.At(*t)
}
