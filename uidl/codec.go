package uidl

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// The first byte of a record or an intent says how it is encoded.
const (
	plainFormat = 1
	fullFormat  = 2 // more stands at the end of a record, and before the names of an intent
)

// formatOf is the encoding of what has more than the plain one holds, or not.
func formatOf(more bool) byte {
	if more {
		return fullFormat
	}
	return plainFormat
}

// The flags of a record.
const (
	flagDeleteSent = 1 << iota
	flagTold
	flagShared
	flagsKnown = 1<<iota - 1
)

// maxKey bounds UIDs and the keys of mailboxes. bbolt takes keys of 32,768 bytes.
const maxKey = 16 << 10

func (m Mailbox) key() []byte {
	return []byte(m.Host + "\x00" + strconv.Itoa(m.Port) + "\x00" + m.User)
}

func parseMailbox(key string) (Mailbox, error) {
	parts := strings.Split(key, "\x00")
	if len(parts) != 3 {
		return Mailbox{}, errShape
	}
	port, err := strconv.Atoi(parts[1])
	if err != nil {
		return Mailbox{}, errShape
	}
	return Mailbox{Host: parts[0], Port: port, User: parts[2]}, nil
}

// appendKey appends the key under which a record or an intent stands. Keys sort as UIDs do.
func (r Ref) appendKey(b []byte) []byte {
	b = append(b, r.UID...)
	b = append(b, 0)
	return binary.BigEndian.AppendUint32(b, r.Rank)
}

func (r Ref) key() []byte { return r.appendKey(make([]byte, 0, len(r.UID)+rankSize)) }

const rankSize = 5 // with the NUL before it

// splitKey is appendKey's inverse. A UID holds no NUL, so the last one ends it.
func splitKey(key []byte) (uid []byte, rank uint32, err error) {
	n := len(key) - rankSize
	if n < 0 || key[n] != 0 {
		return nil, 0, errShape
	}
	return key[:n], binary.BigEndian.Uint32(key[n+1:]), nil
}

// append appends the record's encoding: format, state, flags, deletions, then varints; in the full
// format the header's digest and the octets seen.
func (r Record) append(b []byte) []byte {
	var flags byte
	if r.DeleteSent {
		flags |= flagDeleteSent
	}
	if r.Told {
		flags |= flagTold
	}
	if r.Shared {
		flags |= flagShared
	}
	full := r.Header != 0 || r.Seen != 0 || r.Shared
	b = append(b, formatOf(full), byte(r.State), flags, r.Deletions)
	b = binary.AppendUvarint(b, uint64(r.Attempts))
	b = binary.AppendVarint(b, r.Size)
	b = binary.AppendVarint(b, int64(r.Changed))
	b = binary.AppendVarint(b, int64(r.MissingSince))
	if !full {
		return b
	}
	return binary.AppendVarint(binary.LittleEndian.AppendUint64(b, r.Header), r.Seen)
}

func decodeRecord(b []byte) (Record, error) {
	d := decoder{rest: b}
	format := d.format()
	r := Record{State: State(d.byte())}
	flags := d.byte()
	r.DeleteSent = flags&flagDeleteSent != 0
	r.Told = flags&flagTold != 0
	r.Shared = flags&flagShared != 0
	r.Deletions = d.byte()
	attempts := d.uvarint()
	r.Attempts = uint16(attempts)
	r.Size = d.varint()
	r.Changed = Stamp(d.varint())
	r.MissingSince = Stamp(d.varint())
	if format == fullFormat {
		r.Header = d.uint64()
		r.Seen = d.varint()
	}
	if r.State > Quarantined || flags > flagsKnown || attempts > math.MaxUint16 {
		return Record{}, errShape
	}
	return r, d.end()
}

// appendIntent appends the encoding of an intent, without its Ref, that was the nth recorded.
func appendIntent(b []byte, in Intent, n uint64) []byte {
	full := in.Header != 0 || in.Shared
	b = append(b, formatOf(full))
	b = binary.AppendUvarint(b, n)
	b = binary.AppendVarint(b, in.Size)
	b = binary.AppendVarint(b, in.Staged)
	b = binary.AppendVarint(b, int64(in.At))
	if full {
		var flags byte
		if in.Shared {
			flags = flagShared
		}
		b = append(binary.LittleEndian.AppendUint64(b, in.Header), flags)
	}
	return append(appendText(b, in.Target), in.Name...)
}

func decodeIntent(b []byte) (in Intent, n uint64, err error) {
	d := decoder{rest: b}
	format := d.format()
	n = d.uvarint()
	in.Size = d.varint()
	in.Staged = d.varint()
	in.At = Stamp(d.varint())
	if format == fullFormat {
		in.Header = d.uint64()
		flags := d.byte()
		in.Shared = flags == flagShared
		d.bad = d.bad || flags&^flagShared != 0
	}
	in.Target = d.text()
	in.Name = string(d.take(uint64(len(d.rest))))
	return in, n, d.end()
}

// maxNote and maxWhere bound what is kept of the texts of an event.
const (
	maxNote  = 512
	maxWhere = 8 << 10
)

// append appends the event's encoding. Texts that are too long are cut.
func (e Event) append(b []byte) []byte {
	b = append(b, plainFormat, byte(e.What))
	b = binary.AppendVarint(b, int64(e.At))
	b = binary.AppendVarint(b, e.Size)
	b = binary.AppendUvarint(b, uint64(e.Rank))
	b = appendText(b, e.UID)
	b = appendText(b, cut(e.MessageID, maxNote))
	b = appendText(b, cut(e.Where, maxWhere))
	return append(b, cut(e.Note, maxNote)...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

func decodeEvent(b []byte) (Event, error) {
	d := decoder{rest: b}
	format := d.byte()
	e := Event{What: What(d.byte())}
	e.At = Stamp(d.varint())
	e.Size = d.varint()
	rank := d.uvarint()
	e.Ref = Ref{UID: d.text(), Rank: uint32(rank)}
	e.MessageID = d.text()
	e.Where = d.text()
	e.Note = string(d.take(uint64(len(d.rest))))
	if format != plainFormat || !e.What.known() || rank > math.MaxUint32 {
		return Event{}, errShape
	}
	return e, d.end()
}

// numberSize is the length of an event's key.
const numberSize = 8

// numberKey is the key of the nth event. Keys sort as they were committed, whatever the clock did.
func numberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func parseNumber(key []byte) (uint64, error) {
	if len(key) != numberSize {
		return 0, errShape
	}
	return binary.BigEndian.Uint64(key), nil
}

// A storedPoll is a Poll as it is stored: with what tells the records that it was stored beside.
type storedPoll struct {
	Poll
	Records fingerprint `json:"records,omitzero"`
}

// A fingerprint of the records of a mailbox: how many, and which.
type fingerprint [2]uint64

func (s *shelf) fingerprint() fingerprint {
	records := s.tally.sets[records]
	return fingerprint{records.n, records.sum}
}

func decodePoll(b []byte) (p storedPoll, err error) {
	if err := json.Unmarshal(b, &p); err != nil {
		return storedPoll{}, errShape
	}
	return p, nil
}

// A decoder reads an encoding from its front. After the first fault it gives zeros; end tells.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) format() byte {
	format := d.byte()
	if format != plainFormat && format != fullFormat {
		d.bad = true
	}
	return format
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) text() string { return string(d.take(d.uvarint())) }

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	return advance(d, v, n)
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	return advance(d, v, n)
}

func advance[T any](d *decoder, v T, n int) T {
	if d.bad || n <= 0 {
		d.bad = true
		var zero T
		return zero
	}
	d.rest = d.rest[n:]
	return v
}

// end is errShape unless everything was read and nothing was wrong.
func (d *decoder) end() error {
	if d.bad || len(d.rest) > 0 {
		return errShape
	}
	return nil
}
