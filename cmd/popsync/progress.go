package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"popsync/fetch"
	"popsync/internal/term"
)

const (
	redrawEvery = 100 * time.Millisecond // in place on a terminal
	repeatEvery = 30 * time.Second       // in plain lines
)

// A progress knows what the running polls do, and shows it again and again until it is stopped.
type progress struct {
	mu      sync.Mutex
	running []*running // in the order they began
}

type running struct {
	account     string
	doing       string // until messages come
	done, total int
	got, size   int64
	since       time.Time // when messages began to come
}

// tell takes the polls' events in.
func (p *progress) tell(ev fetch.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := slices.ContainsFunc(p.running, func(r *running) bool { return r.account == ev.Account })
	switch {
	case ev.Kind == fetch.Begun, ev.Kind == fetch.Joined && !known:
		p.running = append(p.running, &running{account: ev.Account, doing: "connecting"})
		return
	}
	for i, r := range p.running {
		if r.account != ev.Account {
			continue
		}
		if r.tell(ev); ev.Kind == fetch.Ended {
			p.running = append(p.running[:i:i], p.running[i+1:]...)
		}
		return
	}
}

func (r *running) tell(ev fetch.Event) {
	switch ev.Kind {
	case fetch.LoggedIn:
		r.doing = "listing"
	case fetch.Listed:
		r.doing, r.since = "", ev.Time
		r.total, r.size = ev.New, ev.Bytes
	case fetch.Received:
		r.got += ev.Bytes
	case fetch.Delivered:
		r.done++
	case fetch.Begun, fetch.Joined, fetch.Deleted, fetch.Warned, fetch.Ended:
	}
}

// lines are what is shown now, one for each account.
func (p *progress) lines(now time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	width := 0
	for _, r := range p.running {
		width = max(width, len(r.account)) // an account's name is ASCII
	}
	var lines []string
	for _, r := range p.running {
		lines = append(lines, fmt.Sprintf("%-*s  %s", width, r.account, r.line(now)))
	}
	return lines
}

func (r *running) line(now time.Time) string {
	switch {
	case r.doing != "":
		return r.doing
	case r.total == 0:
		return "nothing new"
	}
	s := fmt.Sprintf("%d/%d  %s of %s", r.done, r.total, term.Bytes(r.got), term.Bytes(max(r.got, r.size)))
	passed := now.Sub(r.since).Seconds()
	if r.got == 0 || passed < 1 {
		return s
	}
	rate := float64(r.got) / passed
	s += fmt.Sprintf("  %s/s", term.Bytes(int64(rate)))
	if rest := float64(r.size-r.got) / rate; rest >= 1 && rest < 1e6 {
		s += fmt.Sprintf("  %s left", term.Duration(time.Duration(rest*float64(time.Second))))
	}
	return s
}

// repeat calls show every so often, in a goroutine that has ended when stop returns.
func (p *progress) repeat(every time.Duration, show func(lines []string)) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				show(p.lines(now))
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// plainLines writes progress where nothing can be redrawn.
func plainLines(w io.Writer) func([]string) {
	return func(lines []string) {
		if len(lines) > 0 {
			_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n")
		}
	}
}
