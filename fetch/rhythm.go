package fetch

import "time"

// jitter is the part of an interval by which a poll may be early or late, so that accounts do
// not fall into step.
const jitter = 0.1

// moreAfter is the pause before a server that shows a window of the mailbox is asked for more.
const moreAfter = 5 * time.Second

// A rhythm is when an account is polled by [Poller.Run]: at the beats of its own interval, each a
// little early or late. The beats themselves do not move, so nothing drifts; those that pass
// while a poll runs, or the machine sleeps, are left out, so nothing is caught up.
type rhythm struct {
	interval time.Duration
	beat     time.Time // of the last poll
	failures int       // in a row
}

// next moves to the next beat after now and gives the time of the poll, rest from now at least.
// chance is from 0 to 1.
func (r *rhythm) next(now time.Time, rest time.Duration, chance float64) time.Time {
	for {
		passed := max(0, now.Sub(r.beat)) / r.interval
		r.beat = r.beat.Add((passed + 1) * r.interval)
		due := r.beat.Add(time.Duration(float64(r.interval) * jitter * (2*chance - 1)))
		if due.After(now) {
			return later(due, now.Add(rest))
		}
		now = r.beat // the jitter reaches back to before now
	}
}

// rest is how long the account is to be left alone after a poll.
func (r *rhythm) rest(result Result) time.Duration {
	if result.Err == nil {
		r.failures = 0
		return result.Wait
	}
	r.failures++
	return max(result.Wait, pause(result.Err.Kind, r.failures))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
