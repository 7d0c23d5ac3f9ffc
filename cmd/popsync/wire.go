package main

import (
	"errors"
	"time"

	"popsync/fetch"
)

// What a fetch tells, as it passes from the process that polls to the one that asked for it. Both
// are the same program (see neighbour.serveUs), so numbers stand for themselves. What a server said
// is bytes.

type eventWire struct {
	Kind    fetch.EventKind `json:"kind"`
	Time    time.Time       `json:"time"`
	Account string          `json:"account"`
	Server  string          `json:"server"`
	UID     []byte          `json:"uid,omitempty"`
	New     int             `json:"new,omitempty"`
	Total   int             `json:"total,omitempty"`
	Bytes   int64           `json:"bytes,omitempty"`
	Took    time.Duration   `json:"took,omitempty"`
	Text    []byte          `json:"text,omitempty"`
	Result  *resultWire     `json:"result,omitempty"`
	Line    []byte          `json:"line,omitempty"` // of the wire, instead of all else but Account
}

func wireOf(e fetch.Event) eventWire {
	w := eventWire{
		Kind: e.Kind, Time: e.Time, Account: e.Account, Server: e.Server, UID: []byte(e.UID), New: e.New,
		Total: e.Total, Bytes: e.Bytes, Took: e.Took, Text: []byte(e.Text),
	}
	if e.Result != nil {
		r := resultWireOf(*e.Result)
		w.Result = &r
	}
	return w
}

func (w eventWire) event() fetch.Event {
	e := fetch.Event{
		Kind: w.Kind, Time: w.Time, Account: w.Account, Server: w.Server, UID: string(w.UID), New: w.New,
		Total: w.Total, Bytes: w.Bytes, Took: w.Took, Text: string(w.Text),
	}
	if w.Result != nil {
		r := w.Result.result()
		e.Result = &r
	}
	return e
}

// A resultWire has the error beside the result, which is plain otherwise.
type resultWire struct {
	fetch.Result
	Err *errorWire `json:"error,omitempty"`
}

type errorWire struct {
	Step     string     `json:"step"`
	Kind     fetch.Kind `json:"kind"`
	Text     []byte     `json:"text"`
	Words    string     `json:"words"`
	Hint     string     `json:"hint"`
	Repeated bool       `json:"repeated,omitempty"`
}

func resultWireOf(r fetch.Result) resultWire {
	w := resultWire{Result: r}
	if e := r.Err; e != nil {
		w.Err = &errorWire{e.Step, e.Kind, []byte(e.Err.Error()), inWords(e), hintOf(e), e.Repeated}
	}
	w.Result.Err = nil
	return w
}

func (w resultWire) result() fetch.Result {
	r := w.Result
	if e := w.Err; e != nil {
		r.Err = &fetch.Error{
			Account: r.Account, Server: r.Server, Step: e.Step, Kind: e.Kind, Err: &farCause{string(e.Text), e.Words},
			Hint: e.Hint, Repeated: e.Repeated,
		}
	}
	return r
}

// A farCause is the cause of a failure in another process, in its words.
type farCause struct{ text, words string }

func (c *farCause) Error() string { return c.text }

// wordsFrom are a far failure's words for a table, or empty.
func wordsFrom(e *fetch.Error) string {
	if c, ok := errors.AsType[*farCause](e.Err); ok {
		return c.words
	}
	return ""
}
