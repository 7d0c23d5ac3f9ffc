package fetch

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// P2: each interval holds one poll, a tenth early or late at most, and nothing drifts.
func TestRhythmDoesNotDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "interval"))
		r := rhythm{interval: interval, beat: today}
		now := today
		for n := 1; n <= 50; n++ {
			now = r.next(now, 0, rapid.Float64Range(0, 1).Draw(t, "chance"))
			beat := today.Add(time.Duration(n) * interval)
			if off := now.Sub(beat).Abs(); off > interval/10+1 {
				t.Fatalf("poll %d is %v off its beat", n, off)
			}
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(interval/2)).Draw(t, "duration")))
		}
	})
}

// P2: polls are up to a tenth of the interval early or late.
func TestRhythmHasJitter(t *testing.T) {
	at := func(chance float64) time.Duration {
		r := rhythm{interval: time.Minute, beat: today}
		return r.next(today, 0, chance).Sub(today)
	}
	if at(0) != 54*time.Second || at(1) != 66*time.Second {
		t.Errorf("from %v to %v", at(0), at(1))
	}
}

// P2: what passes while a poll runs long, or the machine sleeps, is not caught up.
func TestRhythmCatchesNothingUp(t *testing.T) {
	r := rhythm{interval: time.Minute, beat: today}
	woken := today.Add(8*time.Hour + 30*time.Second)
	if due := r.next(woken, 0, 0.5); due != today.Add(8*time.Hour+time.Minute) {
		t.Errorf("due %v", due)
	}
}

// P2: what the server wants between two log-ins is kept to, and a host that fails is asked ever
// more rarely.
func TestRhythmRests(t *testing.T) {
	r := rhythm{interval: time.Minute, beat: today}
	if due := r.next(today, r.rest(Result{Wait: 5 * time.Minute}), 0.5); due != today.Add(5*time.Minute) {
		t.Errorf("due %v after LOGIN-DELAY", due)
	}
	var last time.Duration
	for range 2 {
		rest := r.rest(Result{Err: &Error{Kind: Config}})
		if rest <= last {
			t.Errorf("%v after %v", rest, last)
		}
		last = rest
	}
	if r.rest(Result{}) != 0 {
		t.Error("a good poll does not end the pause")
	}
}
