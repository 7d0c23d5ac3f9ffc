package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
)

var errNo = errors.New("no")

// What run tells unasked: news, failures at first and once an hour, recovery, warnings.
func TestRunLog(t *testing.T) {
	var b strings.Builder
	l := newEventLog(newLog(&b, slog.LevelInfo, true))
	began := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	ended := func(after time.Duration, r fetch.Result) {
		r.Account, r.Took = "work", 1500*time.Millisecond
		l.tell(fetch.Event{Kind: fetch.Ended, Time: began.Add(after), Account: "work", Server: "h:995", Result: &r})
	}
	refused := &fetch.Error{Account: "work", Server: "h:995", Step: "log in", Kind: fetch.Refused, Err: errNo, Hint: "ask"}
	for _, s := range []struct {
		do   func()
		want string
	}{
		{func() { l.tell(fetch.Event{Kind: fetch.Begun, Account: "work"}) }, ""},
		{func() { ended(0, fetch.Result{}) }, ""},
		{
			func() { ended(0, fetch.Result{New: 2, Bytes: 3000, Deleted: 1}) },
			"<6>msg=\"poll ended\" account=work server=h:995 new=2 size=3000 deleted=1 left=0 took=1.5s\n",
		},
		{
			func() { ended(time.Minute, fetch.Result{Err: refused}) },
			"<3>msg=no account=work server=h:995 new=0 size=0 deleted=0 left=0 took=1.5s step=\"log in\" code=refused hint=ask\n",
		},
		{func() { ended(2*time.Minute, fetch.Result{Err: refused}) }, ""},
		{
			func() { ended(62*time.Minute, fetch.Result{Err: refused}) },
			"<3>msg=no account=work server=h:995 new=0 size=0 deleted=0 left=0 took=1.5s step=\"log in\" code=refused hint=ask\n",
		},
		{
			func() { ended(23*time.Hour+time.Minute, fetch.Result{}) },
			"<6>msg=\"recovered after 23 h\" account=work server=h:995 new=0 size=0 deleted=0 left=0 took=1.5s\n",
		},
		{
			func() { l.tell(fetch.Event{Kind: fetch.Warned, Account: "work", Server: "h:995", Text: "odd\x1b[2J"}) },
			"<4>msg=odd\\x1b[2J account=work server=h:995\n",
		},
	} {
		b.Reset()
		s.do()
		if diff := cmp.Diff(s.want, b.String()); diff != "" {
			t.Error(diff)
		}
	}
}

// W17: a UID is any bytes.
func TestLogEscapes(t *testing.T) {
	var b strings.Builder
	l := newEventLog(newLog(&b, slog.LevelDebug, false))
	l.tell(fetch.Event{Kind: fetch.Delivered, Account: "work", UID: "a\x1b]0;\x07\n\u202e\x9b", Bytes: 12})
	line := b.String()
	if strings.ContainsAny(line, "\x1b\x07\u202e") || !utf8.ValidString(line) || strings.Count(line, "\n") != 1 {
		t.Errorf("%q", line)
	}
	if !strings.HasPrefix(line, "time=") || !strings.Contains(line, "level=DEBUG msg=delivered account=work") {
		t.Errorf("%q", line)
	}
}

func TestLevels(t *testing.T) {
	for d, want := range map[detail]string{quiet: "E", normal: "EWI", verbose: "EWID", trace: "EWID"} {
		var b strings.Builder
		log := newLog(&b, levelOf(d), true)
		log.Error("E")
		log.Warn("W")
		log.Info("I")
		log.Debug("D")
		got := strings.NewReplacer("msg=", "", "\n", "", "<3>", "", "<4>", "", "<6>", "", "<7>", "").Replace(b.String())
		if got != want {
			t.Errorf("detail %d: %q, want %q", d, got, want)
		}
	}
}

func TestIsJournal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &s); err != nil {
		t.Fatal(err)
	}
	same := fmt.Sprintf("%d:%d", s.Dev, s.Ino)
	for stream, want := range map[string]bool{"": false, "1:1": false, same: true} {
		if got := isJournal(f, stream); got != want {
			t.Errorf("%q: %v", stream, got)
		}
	}
}

func TestTraceIsHarmlessAndShort(t *testing.T) {
	var b strings.Builder
	tellTrace(&b)("work", "S: +OK \x1b[2J"+strings.Repeat("x", 5000)+"\r\n")
	if line := b.String(); !strings.HasPrefix(line, `work S: +OK \x1b[2Jxxx`) || len(line) > 520 || !strings.HasSuffix(line, "…\n") {
		t.Errorf("%q", line)
	}
}
