package fetch

import (
	"context"
	"errors"
	"time"
)

// Why a context of a session ended.
var (
	errInterrupted = errors.New("interrupted")
	errTooLong     = errors.New("the session takes more than twice max_session")
)

// interruptible ends when ctx does, and says so in popsync's own word.
func interruptible(ctx context.Context) (soft context.Context, release func()) {
	soft, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(errInterrupted) })
	return soft, func() { stop(); cancel(errInterrupted) }
}

// lingerFor is how long what is under way may go on once the session is to end; with the end of
// an agent and the last commit the whole stays within 5 s (P4).
const lingerFor = 3 * time.Second

// lingering ends lingerFor after ctx does, and in any case when the session has taken twice the
// time after which nothing more is begun.
func (s *session) lingering(ctx context.Context) (hard context.Context, release func()) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(lingerFor, func() { cancel(errInterrupted) })
		context.AfterFunc(hard, func() { timer.Stop() })
	})
	limit := func() bool { return false }
	if s.account.Session > 0 {
		limit = time.AfterFunc(2*s.account.Session, func() { cancel(errTooLong) }).Stop
	}
	return hard, func() { stop(); limit(); cancel(errInterrupted) }
}
