package owner

import (
	"context"
	"encoding/json"
)

// A Request is what a client asks for.
type Request struct {
	Do     string
	Body   json.RawMessage // null if there is none
	Client Hello

	ctx context.Context
	out *outbox
}

// A Handler does what r asks for and returns the answer, which JSON has to be able to hold. An
// error that is a *[Failure] is told as it is, another one as one of [CodeInternal].
//
// ctx ends when the client goes away, which it may do at any time, and with [Listener.Close]; an
// error after that is told to nobody. Handlers run at the same time.
type Handler func(ctx context.Context, r *Request) (answer any, err error)

// Tell tells the client of event and never waits. What a slow client does not take in time is
// dropped, and so is what JSON cannot hold. Tell may be called from several goroutines, and does
// nothing once the request is over.
func (r *Request) Tell(event any) {
	if line, err := encode(map[string]any{"event": event}); err == nil {
		r.out.offer(line)
	}
}

// Emit tells the client of event and drops nothing. It waits for a slow client, one that stands
// still in a pager included: nobody else may depend on a handler that calls it. It gives up when
// the request's context ends, and as [Listener.Drain] says. Any error is final.
func (r *Request) Emit(event any) error {
	line, err := encode(map[string]any{"event": event})
	if err != nil {
		return err
	}
	return r.out.put(r.ctx, line)
}
