package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"popsync/internal/term"
	"popsync/uidl"
)

// The states of a record, as they are written everywhere.
var stateNames = [...]string{
	uidl.Unknown:     "unknown",
	uidl.Failed:      "failed",
	uidl.Delivered:   "delivered",
	uidl.Deleted:     "deleted",
	uidl.Seen:        "seen",
	uidl.Imported:    "imported",
	uidl.Quarantined: "quarantined",
}

func stateName(s uidl.State) string { return stateNames[s] }

// stateNamed is the state that is written so.
func stateNamed(name string) (uidl.State, bool) {
	i := slices.Index(stateNames[:], name)
	return uidl.State(max(i, 0)), i >= 0
}

// A recordWire is a record on its way from one process to another: a UID is raw octets, which no
// JSON string is.
type recordWire struct {
	UID  []byte
	Rank uint32
	uidl.Record
}

func recordWireOf(e uidl.Entry) recordWire { return recordWire{[]byte(e.UID), e.Rank, e.Record} }

func (w recordWire) ref() uidl.Ref { return uidl.Ref{UID: string(w.UID), Rank: w.Rank} }

func (w recordWire) entry() uidl.Entry { return uidl.Entry{Ref: w.ref(), Record: w.Record} }

// refText is a message's name for people.
func refText(uid []byte, rank uint32) string {
	text := term.Escape(string(uid))
	if rank > 0 {
		text += ", rank " + strconv.FormatUint(uint64(rank), 10)
	}
	return text
}

// A uidJSON is a UID for programs: a string where that is plain text, otherwise its octets.
type uidJSON struct {
	UID    *string `json:"uid,omitempty"`
	Base64 []byte  `json:"uid_base64,omitempty"`
}

func uidJSONOf(uid []byte) uidJSON {
	text := string(uid)
	if term.Escape(text) != text {
		return uidJSON{Base64: uid}
	}
	return uidJSON{UID: &text}
}

// A recordJSON is a record for programs, of this machine or of another one (uidl export).
type recordJSON struct {
	uidJSON
	Rank         uint32     `json:"rank,omitempty"`
	State        string     `json:"state"`
	Size         *int64     `json:"size,omitempty"`
	Changed      *time.Time `json:"changed,omitempty"`
	MissingSince *time.Time `json:"missing_since,omitempty"`
	Header       string     `json:"header,omitempty"` // 16 hexadecimal digits
	Shared       bool       `json:"shared,omitempty"`
	Told         bool       `json:"told,omitempty"`
	Attempts     uint16     `json:"attempts,omitempty"`
	Deletions    uint8      `json:"deletions,omitempty"`
	DeleteSent   bool       `json:"delete_sent,omitempty"`
	Seen         int64      `json:"seen_octets,omitempty"`
}

func recordJSONOf(w recordWire) recordJSON {
	j := recordJSON{
		uidJSON: uidJSONOf(w.UID), Rank: w.Rank, State: stateName(w.State), Size: sizeJSON(w.Size),
		Changed: stampJSON(w.Changed), MissingSince: stampJSON(w.MissingSince),
		Shared: w.Shared, Told: w.Told, Attempts: w.Attempts, Deletions: w.Deletions, DeleteSent: w.DeleteSent, Seen: w.Record.Seen,
	}
	if w.Header != 0 {
		j.Header = fmt.Sprintf("%016x", w.Header)
	}
	return j
}

// sizeJSON is nil where a size is not known.
func sizeJSON(size int64) *int64 {
	if size < 0 {
		return nil
	}
	return &size
}

func stampJSON(s uidl.Stamp) *time.Time {
	if s.IsZero() {
		return nil
	}
	return instant(s.Time())
}

// stampText is a time for people, to the minute; empty for never.
func stampText(s uidl.Stamp) string {
	if s.IsZero() {
		return ""
	}
	return s.Time().Local().Format(minute)
}

// sizeText is a size for people.
func sizeText(size int64) string {
	if size < 0 {
		return "-"
	}
	return term.Bytes(size)
}
