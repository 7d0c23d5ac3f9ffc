package fetch

import (
	"context"
	"errors"

	"popsync/deliver"
	"popsync/fetch/pop3"
	"popsync/uidl"
)

// stageAll retrieves items and stages each. Its errors are those of the connection and of the
// target as a whole; the server's refusal of one message is noted.
func (s *session) stageAll(soft, ctx context.Context, items []Item, staged chan<- arrival) error {
	next := 0
	wanted := func(yield func(pop3.Message) bool) {
		for _, m := range items {
			if s.enough(soft) || !yield(m.Message) {
				return
			}
		}
	}
	var failed error // of the target
	err := s.client.Retr(ctx, wanted, func(_ pop3.Message, body *pop3.Body, refusal *pop3.ResponseError) error {
		item := items[next] // replies come in the order of the commands
		next++
		if refusal != nil {
			s.failOne(item, s.refused("retrieve", refusal))
			return s.pass(ctx, staged, arrival{Item: item, failed: true})
		}
		s.bodies++
		msg := &passing{body: body, most: s.account.MaxMessageSize, header: s.header[:0]}
		st, err := s.account.Target.Stage(ctx, item.UID, msg)
		s.header = msg.header
		if errors.Is(err, errTooLarge) {
			s.outgrown(item)
			return err
		}
		if err != nil {
			if _, ours := errors.AsType[*deliver.Error](err); ours {
				failed = err
			}
			return err
		}
		s.tell(Event{Kind: Received, UID: item.UID, Bytes: body.Size()})
		if h, same := s.hadAllTheSame(item, msg.digest()); same {
			s.hadAgain(h)
			s.drop([]leftover{{s.account.Target, st}})
			return nil
		}
		err = s.pass(ctx, staged, arrival{Item: item, staged: st, octets: body.Size(), header: msg.digest(), id: messageID(msg.header)})
		if err != nil {
			s.account.Target.Drop([]deliver.Staged{st})
		}
		return err
	})
	switch {
	case errors.Is(err, errTooLarge):
		return nil // and was told
	case failed != nil:
		return s.deliveryFailed(failed)
	case err != nil:
		return s.step("retrieve", err)
	}
	return nil
}

// pass hands an arrival on to those who deliver.
func (s *session) pass(ctx context.Context, staged chan<- arrival, a arrival) error {
	select {
	case staged <- a:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hadAgain notes that a message was retrieved for nothing: it was had. It is deleted if its time has
// come; otherwise it is known from now on by what it has become.
func (s *session) hadAgain(h Had) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Left--
	s.aside++
	if s.account.Keep.over(h.Record) {
		s.due = append(s.due, h)
		return
	}
	h.Record.MissingSince, h.Record.Size = 0, h.Size
	s.unsaved.Update = append(s.unsaved.Update, uidl.Entry{Ref: h.Ref(), Record: h.Record})
}

// enough says whether no further message is to be asked for.
func (s *session) enough(soft context.Context) bool {
	return soft.Err() != nil || s.account.Session > 0 && s.now().Sub(s.begun) > s.account.Session
}
