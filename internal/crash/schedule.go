package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"popsync/internal/poptest"
)

// schedules does everything to one mailbox, in any order.
var schedules = campaign{
	name: "schedules", what: "kills, cuts, power cuts, full disks, readers, lost QUITs and two at once, in any order",
	short: 10, long: 1000,
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		return e.each(ctx, trials, 2, func(ctx context.Context, t *trial) (tally, error) {
			return drawSchedule(t.random).run(ctx, t)
		})
	},
}

// A schedule is what is done to a mailbox, turn by turn.
type schedule []turn

func drawSchedule(random *rand.Rand) schedule {
	s := make(schedule, 3+random.IntN(12))
	for i := range s {
		s[i] = turn{kinds[random.IntN(len(kinds))], random.IntN(turnRange), random.IntN(turnRange)}
	}
	return s
}

// kinds are those to draw from: there is mail to fetch in most turns.
var kinds = []turnKind{
	arrives, arrives, arrives, arrives,
	isLeft, isKilled, isAsked, lineIsCut, diskFills, powerEnds, quitIsLost, twoAtOnce, readerCame, keepTurns,
}

// A turn is one thing that is done. What its numbers mean, which lie below turnRange, is up to its kind.
type turn struct {
	kind turnKind
	a, b int
}

const turnRange = 1000

type turnKind int

const (
	arrives    turnKind = iota // some messages arrive
	isLeft                     // a fetch that nobody disturbs
	isKilled                   // ... is killed at a moment
	isAsked                    // ... is asked to end, by a signal
	lineIsCut                  // ... is cut off after so many octets
	diskFills                  // ... onto a full disk
	powerEnds                  // ... in the middle of which the power is cut
	quitIsLost                 // ... whose QUIT the server loses, or its effect
	twoAtOnce                  // two fetches
	readerCame                 // a mail reader marks, files or deletes some messages
	keepTurns                  // the user has changed his mind about keep
	turnKinds                  // how many there are
)

func (s turn) String() string {
	switch s.kind {
	case arrives:
		return fmt.Sprintf("%d messages arrive", s.messages())
	case isLeft:
		return "a fetch"
	case isKilled:
		return fmt.Sprintf("a fetch is killed after %v", s.moment())
	case isAsked:
		return fmt.Sprintf("a fetch gets %v after %v", s.signal(), s.moment())
	case lineIsCut:
		return fmt.Sprintf("a fetch with %v", s.disturbance())
	case diskFills:
		return fmt.Sprintf("a fetch with room for %d KiB", s.room()>>10)
	case powerEnds:
		return fmt.Sprintf("the power is cut at %d/%d of a fetch, and by chance %d", s.a, turnRange, s.b)
	case quitIsLost:
		return "a fetch whose QUIT " + s.loss().words
	case twoAtOnce:
		return "two fetches at once"
	case readerCame:
		return fmt.Sprintf("a mail reader: %d%% are %s", s.percent(), s.habit().deed())
	case keepTurns:
		return "keep is the other way round"
	case turnKinds:
	}
	return "nothing"
}

func (s schedule) String() string {
	lines := make([]string, len(s))
	for i, turn := range s {
		lines[i] = turn.String()
	}
	return strings.Join(lines, "; ")
}

// What the numbers of a turn mean.
func (s turn) messages() int         { return 1 + s.a%12 }
func (s turn) moment() time.Duration { return time.Duration(s.a) * 150 * time.Microsecond }
func (s turn) room() int64           { return int64(s.a%24) * page }
func (s turn) percent() int          { return 1 + s.a%100 }
func (s turn) habit() habit          { return marks + habit(s.b)%(habits-marks) }
func (s turn) loss() quitLoss        { return quitLosses[s.a%len(quitLosses)] }
func (s turn) signal() syscall.Signal {
	return [...]syscall.Signal{syscall.SIGTERM, syscall.SIGINT}[s.b%2]
}

// disturbance cuts small sessions and large ones; a silence would take its time.
func (s turn) disturbance() disturbance {
	octets := [...]int64{1, 10, 40}
	return disturbance{direction(s.b % 2), int64(s.a) * octets[s.b/4%3], ending(s.b / 2 % 2)}
}

// A quitLoss is how a server loses QUIT.
type quitLoss struct {
	words   string
	action  poptest.Action
	forgets bool // it says +OK and deletes nothing
}

var quitLosses = []quitLoss{
	{words: "is lost", action: poptest.Cut},
	{words: "is done, and its answer lost", action: poptest.Seq(poptest.Commit, poptest.Cut)},
	{words: "is answered, and forgotten", action: poptest.DeletesNothing, forgets: true},
}
