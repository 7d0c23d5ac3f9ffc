package main

import (
	"bufio"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"popsync/internal/term"
	"popsync/uidl"
)

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 15, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"2d":                   now.AddDate(0, 0, -2),
		"12h":                  now.Add(-12 * time.Hour),
		"30m":                  now.Add(-30 * time.Minute),
		"2026-11-20":           time.Date(2026, 11, 20, 0, 0, 0, 0, time.Local),
		"2026-11-20T08:00":     time.Date(2026, 11, 20, 8, 0, 0, 0, time.Local),
		"2026-11-20 08:00:30":  time.Date(2026, 11, 20, 8, 0, 30, 0, time.Local),
		"2026-11-20T08:00:00Z": time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2", "yesterday", "2w", "-2d", "2026-13-01", "9999999d"} {
		if got, err := parseSince(text, now); statusOf(explain(err)) != exitUsage {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

// A day is one of the local time zone, also where the clocks change.
func TestDayIsALocalOne(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	before := time.Local
	time.Local = berlin
	defer func() { time.Local = before }()
	q, err := logOptions{day: "2026-10-25"}.query(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if hours := (q.Before - q.Since) / 3600; hours != 25 || q.Since.Time().UTC().Hour() != 22 {
		t.Errorf("from %v on, %d hours", q.Since.Time().UTC(), hours)
	}
}

func TestLogQuery(t *testing.T) {
	e := logEntry{At: 1000, UID: []byte("a\x1b"), MessageID: []byte("<1@example.org>")}
	raw, shown, other := []byte("a\x1b"), []byte(`a\x1b`), []byte("b")
	for name, tt := range map[string]struct {
		q    logQuery
		want bool
	}{
		"everything":                         {logQuery{}, true},
		"the UID":                            {logQuery{UID: &raw}, true},
		"the UID as it is shown":             {logQuery{UID: &shown}, true},
		"another UID":                        {logQuery{UID: &other}, false},
		"an empty UID is one, too":           {logQuery{UID: new([]byte)}, false},
		"the Message-ID without brackets":    {logQuery{MessageID: []byte("1@example.org")}, true},
		"another Message-ID":                 {logQuery{MessageID: []byte("2@example.org")}, false},
		"from then on":                       {logQuery{Since: 1000}, true},
		"later":                              {logQuery{Since: 1001}, false},
		"before the end":                     {logQuery{Before: 1001}, true},
		"at the end, which is no part of it": {logQuery{Before: 1000}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := logFilter{tt.q, make(map[uidl.Ref]bool)}
			if got := f.has(e); got != tt.want {
				t.Error(got)
			}
		})
	}
}

// What became of a message later has its UID only, which another one may get.
func TestMessageIDIsFollowed(t *testing.T) {
	f := logFilter{logQuery{MessageID: []byte("1@x")}, make(map[uidl.Ref]bool)}
	for i, tt := range []struct {
		uid, id string
		want    bool
	}{
		{"a", "", false}, {"a", "<1@x>", true}, {"b", "", false}, {"a", "", true}, {"a", "<2@x>", false}, {"a", "", false},
	} {
		if got := f.has(logEntry{UID: []byte(tt.uid), MessageID: []byte(tt.id)}); got != tt.want {
			t.Errorf("event %d: %v", i, got)
		}
	}
}

func TestMergedLogsAreInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var logs []iter.Seq2[logEntry, error]
		var want []int64
		for i := range rapid.IntRange(0, 5).Draw(t, "logs") {
			times := rapid.SliceOfN(rapid.Int64Range(0, 20), 0, 10).Draw(t, "times")
			slices.Sort(times)
			want = append(want, times...)
			logs = append(logs, func(yield func(logEntry, error) bool) {
				for n, at := range times {
					if !yield(logEntry{Account: string(rune('a' + i)), Rank: uint32(n), At: uidl.Stamp(at)}, nil) {
						return
					}
				}
			})
		}
		slices.Sort(want)
		var got []int64
		next := make(map[string]uint32)
		for e, err := range merged(logs) {
			if err != nil || next[e.Account] != e.Rank {
				t.Fatalf("%+v, %v: those of one account are not in its order", e, err)
			}
			next[e.Account]++
			got = append(got, int64(e.At))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// What one mailbox cannot tell does not keep the others from telling.
func TestFailedLogComesLast(t *testing.T) {
	bad := errors.New("damaged")
	logs := []iter.Seq2[logEntry, error]{
		func(yield func(logEntry, error) bool) { yield(failedLog(bad)) },
		func(yield func(logEntry, error) bool) { _ = yield(logEntry{At: 1}, nil) && yield(logEntry{At: 2}, nil) },
	}
	var got []error
	for _, err := range merged(logs) {
		got = append(got, err)
	}
	if !slices.Equal(got, []error{nil, nil, bad}) {
		t.Error(got)
	}
	for range merged(logs) {
		break // and nobody goes on
	}
}

// W17: what a server or a sender said is harmless; 500 characters of it are enough.
func TestLogLines(t *testing.T) {
	before := time.Local
	time.Local = time.UTC
	defer func() { time.Local = before }()
	var b strings.Builder
	l := &logLines{screen: term.Screen{Writer: &b}, w: bufio.NewWriter(&b), account: 4}
	for _, e := range []logEntry{
		{Account: "work", At: 1764144000, What: "delivered", UID: []byte("1"), Size: 1234, MessageID: []byte("<a@b>"), Where: []byte("/m/new/x")},
		{Account: "me", At: 1764144001, What: "refused", UID: []byte("\x1b]0;x\a"), Rank: 2, Size: -1, Note: []byte("no\nway")},
	} {
		if err := l.add(e); err != nil {
			t.Fatal(err)
		}
	}
	l.w.Flush()
	want := "2025-11-26 08:00:00  work  delivered     1.2 kB  1  <a@b>  /m/new/x\n" +
		"2025-11-26 08:00:01  me    refused            -  \\x1b]0;x\\x07, rank 2  (no\\nway)\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
