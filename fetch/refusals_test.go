package fetch

import (
	"testing"
	"time"

	"popsync/uidl"
)

// A5: growing pauses, and nothing after the third refusal.
func TestHoldOf(t *testing.T) {
	at := func(count int) uidl.Refusals { return uidl.Refusals{Count: count, Last: uidl.At(today)} }
	for _, c := range []struct {
		name     string
		refusals uidl.Refusals
		doubtful bool
		after    time.Duration
		over     bool
	}{
		{"never refused", uidl.Refusals{}, false, 0, true},
		{"once, a second before", at(1), false, 5*time.Minute - time.Second, false},
		{"once", at(1), false, 5 * time.Minute, true},
		{"twice, a second before", at(2), false, 30*time.Minute - time.Second, false},
		{"twice", at(2), false, 30 * time.Minute, true},
		{"three times, a year later", at(3), false, 365 * 24 * time.Hour, false},
		{"the third secret, a second before", uidl.Refusals{Count: 1, Last: uidl.At(today), Secrets: 3}, false, 6*time.Hour - time.Second, false},
		{"the third secret", uidl.Refusals{Count: 1, Last: uidl.At(today), Secrets: 3}, false, 6 * time.Hour, true},
		{"a token three times, a second before", at(3), true, 6*time.Hour - time.Second, false},
		{"a token three times", at(3), true, 6 * time.Hour, true},
		{"once, and the clock went back", at(1), false, -time.Second, true},
		{"three times, and the clock went back", at(3), false, -time.Second, false},
	} {
		if got := holdOf(c.refusals, c.doubtful).over(c.refusals.Last, today.Add(c.after)); got != c.over {
			t.Errorf("%s: over is %v", c.name, got)
		}
	}
}

// A9, P3: the time between two log-ins, of the server and of its provider.
func TestTooSoon(t *testing.T) {
	last := func(ago time.Duration, delay int64) uidl.Poll {
		return uidl.Poll{LoggedIn: uidl.At(today.Add(-ago)), LoginDelay: delay}
	}
	for _, c := range []struct {
		name      string
		last      uidl.Poll
		atLeast   time.Duration
		wait      time.Duration
		announced bool
	}{
		{"never logged in", uidl.Poll{LoginDelay: 300}, time.Hour, 0, false},
		{"no delay", last(time.Second, 0), 0, 0, true},
		{"half of it", last(150*time.Second, 300), 0, 150 * time.Second, true},
		{"all of it", last(300*time.Second, 300), 0, 0, true},
		{"the provider wants more", last(time.Minute, 30), 15 * time.Minute, 14 * time.Minute, false},
		{"the server wants more", last(time.Minute, 1800), 15 * time.Minute, 29 * time.Minute, true},
		{"the clock went back", last(-time.Hour, 300), 0, 0, false},
	} {
		wait, announced := tooSoon(c.last, c.atLeast, today)
		if wait != c.wait || announced != c.announced {
			t.Errorf("%s: %v, %v", c.name, wait, announced)
		}
	}
}
