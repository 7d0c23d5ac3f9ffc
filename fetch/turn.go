package fetch

import (
	"context"
	"fmt"
	"time"

	"popsync/fetch/pop3"
	"popsync/uidl"
)

// longestDelay is how long a fetch waits for a server that wants time between two log-ins.
const longestDelay = 15 * time.Second

// tooSoon is how long the server, or what is known of its provider, still forbids another log-in,
// and whether the server itself said so (RFC 2449, section 6.5).
func tooSoon(last uidl.Poll, atLeast time.Duration, now time.Time) (wait time.Duration, announced bool) {
	if last.LoggedIn.IsZero() || now.Before(last.LoggedIn.Time()) {
		return 0, false
	}
	passed := now.Sub(last.LoggedIn.Time())
	delay := time.Duration(last.LoginDelay) * time.Second
	return max(0, max(delay, atLeast)-passed), delay >= atLeast
}

// waitForTurn keeps to the time between two log-ins: a short rest is waited for, a longer one
// leaves the account for later. It says whether the account may be asked.
func (s *session) waitForTurn(ctx context.Context) (bool, error) {
	wait, announced := tooSoon(s.last, s.account.MinInterval, s.now())
	if wait <= 0 || s.urgent {
		return true, nil
	}
	if announced && wait <= longestDelay {
		return true, sleep(ctx, wait)
	}
	s.pausing = true
	s.result.Skipped = fmt.Sprintf("logged in %s ago; the next log-in is due in %s",
		s.now().Sub(s.last.LoggedIn.Time()).Round(time.Second), wait.Round(time.Second))
	s.result.Wait = wait
	s.tell(Event{Kind: Skipped, Text: s.result.Skipped})
	return false, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// early says whether a refusal came so soon after a good log-in that the provider may have meant
// the time between the two (WEB.DE answers an early log-in like a wrong password).
func (s *session) early(r *pop3.ResponseError) bool {
	since := s.now().Sub(s.last.LoggedIn.Time())
	return !s.last.LoggedIn.IsZero() && since >= 0 && since < s.account.MinInterval
}

// untilNext is how long the account is to be left alone after this session: as long as the server
// announces, or its provider is known to want.
func (s *session) untilNext(announced time.Duration) time.Duration {
	if s.loggedIn.IsZero() {
		return 0
	}
	return max(0, max(announced, s.account.MinInterval)-s.now().Sub(s.loggedIn))
}
