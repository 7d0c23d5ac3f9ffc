package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"popsync/deliver"
	"popsync/uidl"
)

// A reader gives a staged message out again, as it was staged.
type reader interface {
	Reader(deliver.Staged) (io.ReadCloser, error)
}

// setAside moves a message that was refused too often into the quarantine, and says where it is;
// empty where it was not refused often enough, or that failed: then it is tried again like any other.
func (b *bringer) setAside(ctx context.Context, a arrival, verdict error) (where string) {
	q := b.s.account.Quarantine
	if q == nil || int(a.attempts)+1 < b.s.account.MaxAttempts {
		return ""
	}
	where, err := b.quarantine(ctx, q, a, verdict)
	if err != nil {
		b.s.tell(Event{Kind: Warned, UID: a.UID, Text: "could not be set aside: " + err.Error()})
	}
	return where
}

// quarantine does it exactly once: one commit ends the intent of the delivery and begins that of the
// quarantine. The message stays on the server.
func (b *bringer) quarantine(ctx context.Context, q *deliver.Quarantine, a arrival, verdict error) (where string, err error) {
	if err := q.Open(ctx); err != nil {
		return "", err
	}
	copied, err := b.copyInto(ctx, q, a)
	if err != nil {
		return "", err
	}
	if err := q.Reason(copied, verdict.Error()+"\n"); err != nil { // first, so that it is where the message is
		b.s.tell(Event{Kind: Warned, UID: a.UID, Text: "why it is set aside could not be written beside it: " + err.Error()})
	}
	in := b.s.intent(a)
	in.Target, in.Name, in.Staged = q.Location(), copied.Name, copied.Size
	b.next.Abandon = append(b.next.Abandon, a.Ref())
	b.next.Intend = append(b.next.Intend, in)
	if err := b.commit(); err != nil {
		return "", err
	}
	b.dropLater(q, copied)
	if err := errors.Join(q.Publish(ctx, []deliver.Staged{copied})...); err != nil {
		return "", err // what gives the message up ends this intent too
	}
	where = q.Where(copied)
	rec := uidl.Record{State: uidl.Quarantined, Attempts: oneMore(a.attempts), Size: a.Size, Shared: a.Shared, Header: a.header, Changed: uidl.At(b.s.now()), Deletions: a.before}
	b.next.Confirm = append(b.next.Confirm, uidl.Entry{Ref: a.Ref(), Record: rec})
	b.happened(a, uidl.HistoryQuarantined, where, verdict.Error())
	b.dropLater(b.s.account.Target, a.staged)
	b.s.countAside()
	return where, nil
}

// copyInto stages a message of the account's target in q as well, durably.
func (b *bringer) copyInto(ctx context.Context, q *deliver.Quarantine, a arrival) (deliver.Staged, error) {
	from, ok := b.s.account.Target.(reader)
	if !ok {
		return deliver.Staged{}, fmt.Errorf("%s keeps nothing to set aside", b.s.account.Target.Location())
	}
	body, err := from.Reader(a.staged)
	if err != nil {
		return deliver.Staged{}, err
	}
	defer body.Close()
	copied, err := q.Stage(ctx, a.UID, body)
	if err != nil {
		return deliver.Staged{}, err
	}
	if err := errors.Join(q.Sync(ctx, []deliver.Staged{copied})...); err != nil {
		return deliver.Staged{}, errors.Join(err, q.Drop([]deliver.Staged{copied}))
	}
	return copied, nil
}
