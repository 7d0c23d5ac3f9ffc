package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/owner"
	"popsync/internal/term"
)

// A fetching is one poll of some accounts, by this process or by the one that holds the state.
type fetching struct {
	task *task
	opts fetchOptions
	view *view
	how  fetchQuery

	done map[string]fetch.Result // by account
	held *holder                 // while this process holds the state
}

// A fetchQuery is what another process is asked for.
type fetchQuery struct {
	Accounts []string
	Retry    bool
	Now      bool
	DryRun   bool
	Trace    bool
}

func newFetching(t *task, o fetchOptions, v *view, out output) *fetching {
	f := &fetching{task: t, opts: o, view: v, done: make(map[string]fetch.Result)}
	f.how = fetchQuery{
		Retry:  o.now || len(o.accounts) > 0 && out.watched(), // who names an account there wants to see
		Now:    o.now,
		DryRun: o.dryRun,
		Trace:  v.trace != nil,
	}
	if out.watched() {
		t.say = func(text string) { _, _ = fmt.Fprintln(v.w, term.Escape(text)) }
	}
	return f
}

// all polls the accounts that were chosen.
func (f *fetching) all(ctx context.Context) error {
	defer func() { f.view.stop() }() // which begin sets
	return f.task.withState(ctx, f.opts.dryRun, func(h *holder) error { return f.own(ctx, h) }, func(n *neighbour) error { return f.far(ctx, n) })
}

// own polls the accounts that are left.
func (f *fetching) own(ctx context.Context, h *holder) error {
	f.held = h
	if text := h.note(); text != "" { // also where only errors are told: all mail may come again
		_, _ = fmt.Fprintln(f.view.w, term.Escape(text))
	}
	f.view.begin()
	r := f.how.request()
	r.Notify, r.Trace = f.view.tell, f.view.trace
	for _, result := range h.poller.Fetch(ctx, h.all(f.rest()), r) {
		f.done[result.Account] = result
	}
	return nil
}

// far has a neighbour poll them. What a signal to that one has interrupted is left for another turn.
func (f *fetching) far(ctx context.Context, n *neighbour) error {
	f.view.begin()
	q := f.how
	for _, a := range f.rest() {
		q.Accounts = append(q.Accounts, a.Name)
	}
	answer, err := ask(ctx, n, f.task, fetchName, q, func(w eventWire) error {
		f.tell(w)
		return nil
	})
	if err != nil && ctx.Err() != nil {
		return nil // what there is shows what is missing
	}
	if err != nil {
		return err
	}
	var results []resultWire
	if err := json.Unmarshal(answer, &results); err != nil {
		return err
	}
	for _, w := range results {
		f.finished(w)
	}
	if len(f.rest()) > 0 {
		return errAgain
	}
	return nil
}

func (f *fetching) tell(w eventWire) {
	switch {
	case w.Line != nil:
		if f.view.trace != nil {
			f.view.trace(w.Account, string(w.Line))
		}
		return
	case w.Result != nil:
		f.finished(*w.Result)
	}
	f.view.tell(w.event())
}

// finished keeps the result of a poll that nobody interrupted.
func (f *fetching) finished(w resultWire) {
	r := w.result()
	if r.Err == nil || r.Err.Kind != fetch.Interrupted {
		f.done[r.Account] = r
	}
}

// rest are the accounts without a result yet.
func (f *fetching) rest() []config.Account {
	return slices.DeleteFunc(slices.Clone(f.task.chosen), func(a config.Account) bool {
		_, done := f.done[a.Name]
		return done
	})
}

// results are those of all accounts, in the configuration's order.
func (f *fetching) results() []fetch.Result {
	results := make([]fetch.Result, len(f.task.chosen))
	for i, a := range f.task.chosen {
		r, done := f.done[a.Name]
		if !done {
			r = fetch.NotBegun(a.Name, fetch.Server{Host: a.Host, Port: a.Port})
		}
		results[i] = r
	}
	return results
}

// finish serves the others to their end, and lets go of the state.
func (f *fetching) finish(ctx context.Context) error {
	if f.held == nil {
		return nil
	}
	f.held.keepGood(ctx)
	return f.held.close(ctx)
}

func (q fetchQuery) request() fetch.Request {
	return fetch.Request{Retry: q.Retry, Now: q.Now, DryRun: q.DryRun}
}

const fetchName = "fetch"

// fetchService polls for another process.
func fetchService() service {
	return service{fetchName, func(ctx context.Context, h *holder, r *owner.Request, query json.RawMessage) (any, error) {
		var q fetchQuery
		if err := json.Unmarshal(query, &q); err != nil {
			return nil, err
		}
		chosen, err := h.config.Select(q.Accounts)
		if err != nil {
			return nil, err
		}
		if !h.hasPasswords(chosen) {
			return nil, owner.NewFailure(codeSettings, nil)
		}
		how := q.request()
		how.Notify = func(e fetch.Event) { r.Tell(wireOf(e)) }
		if q.Trace {
			how.Trace = func(account, line string) { r.Tell(eventWire{Account: account, Line: []byte(line)}) }
		}
		var results []resultWire
		for _, result := range h.poller.Fetch(ctx, h.all(chosen), how) {
			results = append(results, resultWireOf(result))
		}
		return results, nil
	}}
}
