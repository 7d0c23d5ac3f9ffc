package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
	"popsync/internal/term"
)

func results() []fetch.Result {
	failed := &fetch.Error{Account: "home", Server: "h:995", Step: "log in", Kind: fetch.Refused, Err: errNo}
	return []fetch.Result{
		{Account: "work", New: 12, Bytes: 345_000, Deleted: 3, Took: 1250 * time.Millisecond},
		{Account: "home", Left: 7, Took: 20 * time.Millisecond, Err: failed},
		{Account: "lists", Took: 300 * time.Millisecond},
	}
}

func TestSummary(t *testing.T) {
	var b strings.Builder
	if err := printSummary(term.Screen{Writer: &b}, results(), false); err != nil {
		t.Fatal(err)
	}
	want := `account  new    size  deleted    took  result
work      12  345 kB        3   1.2 s  ok
home       0     0 B        0   20 ms  log-in refused, 7 left
lists      0     0 B        0  300 ms  nothing new
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSummaryOfADryRun(t *testing.T) {
	var b strings.Builder
	if err := printSummary(term.Screen{Writer: &b}, results()[:1], true); err != nil {
		t.Fatal(err)
	}
	if want := "account  to fetch    size  to delete"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("got %q", b.String())
	}
}

// What is written where: C7, and silence for cron.
func TestWhenTheSummaryIsPrinted(t *testing.T) {
	for name, tt := range map[string]struct {
		o              fetchOptions
		stdout, stderr bool // terminals
		want           bool
	}{
		"no terminal":                {fetchOptions{}, false, false, false},
		"standard output":            {fetchOptions{}, true, false, true},
		"piped, a person looks on":   {fetchOptions{}, false, true, true},
		"quiet":                      {fetchOptions{common: common{detail: quiet}}, true, true, false},
		"a dry run without terminal": {fetchOptions{dryRun: true}, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			out := output{term.Screen{Writer: &b, Terminal: tt.stdout}, term.Screen{Terminal: tt.stderr}}
			if err := reportFetch(tt.o, out, results(), nil); err != nil {
				t.Fatal(err)
			}
			if got := b.Len() > 0; got != tt.want {
				t.Errorf("printed: %v", got)
			}
		})
	}
}
