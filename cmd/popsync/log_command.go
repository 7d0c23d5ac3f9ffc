package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"popsync/internal/term"
	"popsync/uidl"
)

func logCommand() *cli.Command {
	return &cli.Command{
		Name:      "log",
		Usage:     "what became of each message: delivered where, deleted when",
		ArgsUsage: "[ACCOUNT...]",
		UsageText: `popsync log work --day 2026-11-24       what came that day, and what was deleted
popsync log --message-id '<a@b.org>'    what became of this mail, in all accounts
popsync log work --uid uid-17           ... of this one
popsync log --since 2d --json           the last 48 hours, for a program`,
		Description: `The oldest entry comes first. Entries are kept for as long as "history" says (90d); of what
is older, --uid finds the state and its time. Times are local, in JSON those of UTC.
--since takes a day (2026-11-24), a time (2026-11-24T08:00:00Z), or how long ago (2d, 12h, 30m).`,
		Flags: withCommon(
			&cli.StringFlag{Name: "uid", Usage: "only the message with this `UID`, as popsync shows it"},
			&cli.StringFlag{Name: "message-id", Usage: "only messages with this Message-`ID`, with or without its <>"},
			&cli.StringFlag{Name: "day", Usage: "only `DAY`, such as 2026-11-24"},
			&cli.StringFlag{Name: "since", Usage: "only from `TIME` on"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			o, err := commonOf(c)
			if err != nil {
				return err
			}
			l := logOptions{
				common: o, accounts: c.Args().Slice(), messageID: c.String("message-id"), day: c.String("day"), since: c.String("since"), json: c.Bool("json"),
			}
			if c.IsSet("uid") {
				uid := c.String("uid")
				l.uid = &uid
			}
			return runLog(c.Context, l, time.Now(), newOutput(o))
		},
	}
}

type logOptions struct {
	common
	accounts  []string // none: all of the configuration
	uid       *string  // may be empty, as some servers' are
	messageID string
	day       string
	since     string
	json      bool
}

func runLog(ctx context.Context, o logOptions, now time.Time, out output) error {
	ctx, stop := untilSignal(ctx, func() {})
	defer stop()
	q, err := o.query(now)
	if err != nil {
		return notBegun(out, o.json, "log", err)
	}
	t, err := newTaskOfState(o.common, "log", o.accounts...)
	if err == nil {
		err = t.choose(o.accounts)
	}
	if err != nil {
		return notBegun(out, o.json, "log", err)
	}
	if len(o.accounts) == 0 {
		t.chosen = t.config.Accounts
	}
	for _, a := range t.chosen {
		q.Accounts = append(q.Accounts, a.Name)
	}
	if o.json {
		return logDocument(ctx, t, q, out)
	}
	lines := &logLines{screen: out.stdout, w: bufio.NewWriter(out.stdout), account: widest(q.Accounts)}
	_, err = perform(ctx, t, logOperation, q, lines.add)
	if err == nil && lines.n == 0 && o.detail > quiet && out.watched() {
		_, err = fmt.Fprintln(out.stderr, nothingFound(t.config.History))
	}
	return both(err, lines.w.Flush())
}

func nothingFound(history time.Duration) string {
	if history == 0 {
		return "nothing found: no history is kept (history: 0s)"
	}
	return "nothing found; the history reaches back " + term.Duration(history)
}

// query is what the flags ask for.
func (o logOptions) query(now time.Time) (logQuery, error) {
	q := logQuery{MessageID: []byte(strings.Trim(o.messageID, " <>"))}
	if o.uid != nil {
		uid := []byte(*o.uid)
		q.UID = &uid
	}
	switch {
	case o.day != "" && o.since != "":
		return q, &usageError{"--day contradicts --since", "see popsync log --help"}
	case o.day != "":
		day, err := time.ParseInLocation(time.DateOnly, o.day, time.Local)
		if err != nil {
			return q, &usageError{"--day: " + quoted(o.day) + " is no day", "write it as 2026-11-24"}
		}
		q.Since, q.Before = uidl.At(day), uidl.At(day.AddDate(0, 0, 1))
	case o.since != "":
		since, err := parseSince(o.since, now)
		if err != nil {
			return q, err
		}
		q.Since = uidl.At(since)
	}
	return q, nil
}

var agoForm = regexp.MustCompile(`^([0-9]{1,6})([dhm])$`)

var agoUnits = map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute}

// parseSince reads a day, a time, or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if m := agoForm.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		return unitsBefore(now, n, agoUnits[m[2]]), err
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, &usageError{
		"--since: " + quoted(text) + " is neither a day, a time nor how long ago",
		"write it as 2026-11-24, 2026-11-24T08:00, 2d or 12h",
	}
}

// unitsBefore is n units before now; more than a time can hold is the beginning of time.
func unitsBefore(now time.Time, n int, unit time.Duration) time.Time {
	if n > int(math.MaxInt64/unit) {
		return time.Unix(0, 0)
	}
	return now.Add(-time.Duration(n) * unit)
}

// logLines are a line an entry: what has a certain width stands first.
type logLines struct {
	screen  term.Screen
	w       *bufio.Writer
	account int // the width of the longest name
	n       int
}

func widest(names []string) int {
	n := 0
	for _, name := range names {
		n = max(n, len(name))
	}
	return n
}

func (l *logLines) add(e logEntry) error {
	l.n++
	texts := []string{
		fmt.Sprintf("%-*s", l.account, e.Account),
		l.screen.Paint(e.style(), fmt.Sprintf("%-11s", e.What)),
		fmt.Sprintf("%7s", sizeText(e.Size)),
		refText(e.UID, e.Rank),
	}
	for _, text := range [][]byte{e.MessageID, e.Where} {
		if len(text) > 0 {
			texts = append(texts, term.Escape(string(text)))
		}
	}
	if len(e.Note) > 0 {
		texts = append(texts, "("+term.Escape(string(e.Note))+")")
	}
	at := e.At.Time().Local().Format(time.DateTime) + "  "
	_, err := l.w.WriteString(at + term.Wrap(l.screen, strings.Join(texts, "  "), len(at)) + "\n")
	return err
}

func (e logEntry) style() term.Style {
	switch e.What {
	case uidl.HistoryRefused.String(), uidl.HistoryQuarantined.String(), stateName(uidl.Failed):
		return term.Bad
	}
	return term.Plain
}

func logDocument(ctx context.Context, t *task, q logQuery, out output) error {
	d := openJSON(out.stdout, "log", "events")
	_, err := perform(ctx, t, logOperation, q, func(e logEntry) error { return d.add(e.json()) })
	about := make([]place, len(t.chosen))
	for i, a := range t.chosen {
		about[i] = place{a.Name, mailboxOf(a), true}
	}
	return d.end(about, err)
}

type logJSON struct {
	Account   string     `json:"account"`
	Time      *time.Time `json:"time,omitempty"`
	Event     string     `json:"event"`
	FromState bool       `json:"from_state,omitempty"` // the history has nothing; this is how the message is known
	uidJSON
	Rank      uint32 `json:"rank,omitempty"`
	Size      *int64 `json:"size,omitempty"`
	MessageID string `json:"message_id,omitempty"`
	Where     string `json:"where,omitempty"`
	Note      string `json:"note,omitempty"`
}

func (e logEntry) json() logJSON {
	return logJSON{
		Account: e.Account, Time: stampJSON(e.At), Event: e.What, FromState: e.FromState, uidJSON: uidJSONOf(e.UID), Rank: e.Rank,
		Size: sizeJSON(e.Size), MessageID: term.Escape(string(e.MessageID)), Where: term.Escape(string(e.Where)), Note: term.Escape(string(e.Note)),
	}
}
