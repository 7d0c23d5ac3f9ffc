package main

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
	"popsync/internal/term"
)

// What standard error gets while a fetch goes on.
func TestView(t *testing.T) {
	evs := []fetch.Event{
		{Kind: fetch.Begun, Account: "work", Server: "h:995"},
		{Kind: fetch.LoggedIn, Account: "work", Server: "h:995", Took: 20 * time.Millisecond},
		{Kind: fetch.Warned, Account: "work", Server: "h:995", Text: "two messages share the UID a\x1b"},
		{Kind: fetch.Ended, Account: "work", Server: "h:995", Result: &fetch.Result{}},
	}
	for name, tt := range map[string]struct {
		o    fetchOptions
		want string
	}{
		"only what is worth knowing": {fetchOptions{}, "work: h:995: two messages share the UID a\\x1b\n"},
		"nothing":                    {fetchOptions{common: common{detail: quiet}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			v := newView(tt.o, output{stderr: term.Screen{Writer: &b}})
			v.start()
			for _, ev := range evs {
				v.tell(ev)
			}
			v.stop()
			v.finishing() // nobody presses Ctrl-C there
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestViewVerbose(t *testing.T) {
	var b strings.Builder
	v := newView(fetchOptions{common: common{detail: trace}}, output{stderr: term.Screen{Writer: &b}})
	v.start()
	v.tell(fetch.Event{Kind: fetch.LoggedIn, Account: "work", Server: "h:995", Took: 20 * time.Millisecond})
	v.trace("work", "C: USER alice")
	v.stop()
	if got := b.String(); !strings.Contains(got, `msg="logged in" account=work server=h:995 took=20ms`) ||
		!strings.Contains(got, "work C: USER alice\n") {
		t.Errorf("got %q", got)
	}
}

// Progress is redrawn in place, what else there is to say stands above it, and nothing is left.
func TestViewLive(t *testing.T) {
	var b strings.Builder
	v := newView(fetchOptions{}, output{stderr: term.Screen{Writer: &b, Terminal: true, Redraw: true}})
	v.finishing() // nothing is under way yet
	v.begin()
	v.tell(fetch.Event{Kind: fetch.Begun, Account: "work", Server: "h:995"})
	time.Sleep(3 * redrawEvery)
	v.finishing()
	v.stop()
	want := "work  connecting\n" +
		"\x1b[1A\r\x1b[Jfinishing what is under way; press Ctrl-C again to end at once\nwork  connecting\n" +
		"\x1b[1A\r\x1b[J"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestDumbTerminalIsNotRedrawn(t *testing.T) {
	var b strings.Builder
	v := newView(fetchOptions{}, output{stderr: term.Screen{Writer: &b, Terminal: true}})
	v.start()
	v.tell(fetch.Event{Kind: fetch.Begun, Account: "work"})
	time.Sleep(2 * redrawEvery)
	v.stop()
	if b.Len() > 0 {
		t.Errorf("got %q", b.String())
	}
}

// A signal is told once, not for each account that it interrupted; other failures stay.
func TestFetchErrorAfterASignal(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&signalError{signal: syscall.SIGINT})
	interrupted := func(name string) fetch.Result {
		return fetch.Result{Account: name, Err: &fetch.Error{Account: name, Kind: fetch.Interrupted, Err: context.Canceled}}
	}
	var b strings.Builder
	status := finish(&b, fetchError(ctx, append(results(), interrupted("a"), interrupted("b")), false))
	want := "ended by SIGINT; not finished: a, b\nhome: h:995: log in: no\n  check username and password of the account\n"
	if diff := cmp.Diff(want, b.String()); diff != "" || status != 130 {
		t.Errorf("status %d; %s", status, diff)
	}
}

// A5: what was told lately keeps its exit status and says nothing, unless somebody asks.
func TestKnownFailureIsSilent(t *testing.T) {
	known := &fetch.Error{Account: "a", Server: "h:995", Step: "log in", Kind: fetch.Refused, Err: errors.New("no"), Hint: "do", Repeated: true}
	for asked, want := range map[bool]string{false: "", true: "a: h:995: log in: no\n  do\n"} {
		var b strings.Builder
		if status := finish(&b, fetchError(t.Context(), []fetch.Result{{Account: "a", Err: known}}, asked)); status != 77 || b.String() != want {
			t.Errorf("asked %v: status %d, %q", asked, status, b.String())
		}
	}
}
