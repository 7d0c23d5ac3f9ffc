package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"popsync/fetch"
	"popsync/internal/term"
)

// newLog writes a line an event to w, down to level. The journal has times of its own and wants
// the level as <N> in front (sd-daemon(3)).
func newLog(w io.Writer, level slog.Level, journal bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0 || a.Key != slog.TimeKey:
			return a
		case journal:
			return slog.Attr{}
		default:
			return slog.String(slog.TimeKey, a.Value.Time().Format(time.RFC3339))
		}
	}}
	if journal {
		w = priorities{w}
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// levelOf is the lowest level that is logged. What is info is told by run unasked.
func levelOf(d detail) slog.Level {
	switch d {
	case quiet:
		return slog.LevelError
	case verbose, trace:
		return slog.LevelDebug
	case normal:
	}
	return slog.LevelInfo
}

// priorities turns the level that begins each line of slog's text into the journal's.
type priorities struct{ w io.Writer }

func (p priorities) Write(line []byte) (int, error) {
	for level, priority := range map[slog.Level]string{
		slog.LevelError: "<3>", slog.LevelWarn: "<4>", slog.LevelInfo: "<6>", slog.LevelDebug: "<7>",
	} {
		if rest, ok := bytes.CutPrefix(line, []byte("level="+level.String()+" ")); ok {
			if _, err := p.w.Write(append([]byte(priority), rest...)); err != nil {
				return 0, err
			}
		}
	}
	return len(line), nil
}

// isJournal reports whether f is the journal: $JOURNAL_STREAM holds its device and inode
// (systemd.exec(5)); f may have been turned elsewhere since.
func isJournal(f *os.File, stream string) bool {
	var s syscall.Stat_t
	if stream == "" || syscall.Fstat(int(f.Fd()), &s) != nil {
		return false
	}
	return stream == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}

// An eventLog is for a person who asks afterwards. A poll without news is for -v only, and a
// failure that stays is told once an hour.
type eventLog struct {
	log     *slog.Logger
	failing map[string]trouble // by account
}

type trouble struct {
	since, told time.Time
	text        string
}

// toldAgain is how long the same failure of an account is not told again.
const toldAgain = time.Hour

func newEventLog(log *slog.Logger) *eventLog {
	return &eventLog{log, make(map[string]trouble)}
}

func (l *eventLog) tell(ev fetch.Event) {
	log := l.log.With("account", ev.Account, "server", term.Escape(ev.Server))
	switch ev.Kind {
	case fetch.Begun:
		log.Debug("poll begins")
	case fetch.Joined:
		log.Debug("asked for while it runs")
	case fetch.LoggedIn:
		log.Debug("logged in", "took", short(ev.Took))
	case fetch.Listed:
		log.Debug("listed", "new", ev.New, "size", ev.Bytes, "total", ev.Total)
	case fetch.Received:
		log.Debug("received", "uid", term.Escape(ev.UID), "size", ev.Bytes)
	case fetch.Delivered:
		log.Debug("delivered", "uid", term.Escape(ev.UID), "size", ev.Bytes)
	case fetch.Deleted:
		log.Debug("deleted on the server", "messages", ev.New)
	case fetch.Noted:
		log.Debug(term.Escape(ev.Text))
	case fetch.Warned:
		log.Warn(term.Escape(ev.Text))
	case fetch.Skipped:
		log.Debug("not asked: " + ev.Text)
	case fetch.Ended:
		l.ended(log, ev)
	}
}

func (l *eventLog) ended(log *slog.Logger, ev fetch.Event) {
	r := ev.Result
	log = log.With("new", r.New, "size", r.Bytes, "deleted", r.Deleted, "left", r.Left, "took", short(r.Took))
	before, failed := l.failing[ev.Account]
	switch {
	case r.Err != nil && r.Err.Kind == fetch.Interrupted:
		log.Info("poll interrupted", "step", r.Err.Step)
	case r.Err != nil:
		l.failed(log, ev, before)
	case r.Skipped != "":
	case failed:
		delete(l.failing, ev.Account)
		log.Info("recovered after " + term.Duration(ev.Time.Sub(before.since)))
	case r.New > 0 || r.Deleted > 0:
		log.Info("poll ended")
	default:
		log.Debug("poll ended")
	}
}

func (l *eventLog) failed(log *slog.Logger, ev fetch.Event, before trouble) {
	f := explainPoll(ev.Result.Err)
	level, now := slog.LevelError, trouble{before.since, ev.Time, f.step + f.cause}
	if now.since.IsZero() {
		now.since = ev.Time
	}
	if now.text == before.text && ev.Time.Sub(before.told) < toldAgain || ev.Result.Err.Repeated {
		level, now.told = slog.LevelDebug, before.told
	}
	l.failing[ev.Account] = now
	log.Log(context.Background(), level, f.cause, "step", f.step, "code", f.code, "hint", f.hint)
}

// short is a duration without digits that nobody reads.
func short(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// tellTrace shows the wire on w, a line of it on each.
func tellTrace(w io.Writer) func(account, line string) {
	return func(account, line string) {
		_, _ = io.WriteString(w, account+" "+term.Escape(strings.TrimRight(line, "\r\n"))+"\n")
	}
}
