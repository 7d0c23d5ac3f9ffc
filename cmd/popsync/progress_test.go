package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
)

func TestProgress(t *testing.T) {
	p := new(progress)
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tell := func(evs ...fetch.Event) {
		for _, ev := range evs {
			ev.Time = at
			p.tell(ev)
		}
	}
	steps := []struct {
		do   func()
		want []string
	}{
		{func() {}, nil},
		{func() { tell(fetch.Event{Kind: fetch.Begun, Account: "work"}) }, []string{"work  connecting"}},
		{func() {
			tell(fetch.Event{Kind: fetch.Begun, Account: "family"},
				fetch.Event{Kind: fetch.LoggedIn, Account: "work"},
				fetch.Event{Kind: fetch.Listed, Account: "work", New: 500, Bytes: 10_000_000, Total: 900})
		}, []string{"work    0/500  0 B of 10 MB", "family  connecting"}},
		{func() {
			tell(fetch.Event{Kind: fetch.LoggedIn, Account: "family"},
				fetch.Event{Kind: fetch.Received, Account: "work", Bytes: 4_000_000},
				fetch.Event{Kind: fetch.Delivered, Account: "work", Bytes: 4_000_000})
			at = at.Add(2 * time.Second)
		}, []string{"work    1/500  4.0 MB of 10 MB  2.0 MB/s  3.0 s left", "family  listing"}},
		{func() {
			tell(fetch.Event{Kind: fetch.Listed, Account: "family"})
		}, []string{"work    1/500  4.0 MB of 10 MB  2.0 MB/s  3.0 s left", "family  nothing new"}},
		{func() {
			tell(fetch.Event{Kind: fetch.Ended, Account: "work"}, fetch.Event{Kind: fetch.Warned, Account: "work"})
		}, []string{"family  nothing new"}},
	}
	for i, s := range steps {
		s.do()
		if diff := cmp.Diff(s.want, p.lines(at)); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
}

func TestProgressStopsWhenToldTo(t *testing.T) {
	p := new(progress)
	p.tell(fetch.Event{Kind: fetch.Begun, Account: "work"})
	shown := make(chan []string, 1000)
	stop := p.repeat(time.Millisecond, func(lines []string) { shown <- lines })
	<-shown
	stop()
	for len(shown) > 0 {
		<-shown
	}
	time.Sleep(5 * time.Millisecond)
	if len(shown) > 0 {
		t.Error("shown after stop")
	}
}

// A size that LIST did not tell makes no nonsense.
func TestProgressWithoutSizes(t *testing.T) {
	at := time.Unix(1000, 0)
	r := running{total: 2, got: 500, since: at}
	if got, want := r.line(at.Add(5*time.Second)), "0/2  500 B of 500 B  100 B/s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
