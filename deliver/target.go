package deliver

import (
	"context"
	"io"
	"time"
)

// Staged names a message that lies in a target's own staging place, where no mail reader looks.
type Staged struct {
	Name string // unique for ever; the intent is recorded under it
	UID  string // the server's, for a target that tells it to others
	Size int64  // octets of the staged file
}

// An Outcome is what became of a staged message whose delivery was never recorded.
// Its zero value is the harmless one: nothing is known, keep everything.
type Outcome uint8

const (
	Unsettled Outcome = iota // could not be found out; the error says why
	Delivered                // delivered and durable: confirm the intent
	Again                    // not delivered, and nothing is left of it: fetch it again
)

// A Target takes one account's messages through "stage" and "publish"; the caller records the
// intent between the two and the delivery after the second (docs/architecture.md).
//
// A Target is used by one account at a time, which may stage, sync, publish and drop at once, each of
// other messages.
// Several Targets of one process may share a folder.
type Target interface {
	// Open makes the target ready: what is missing is created durably, and what would refuse
	// every message is found out now, before anybody logs in. It may be called for each poll.
	Open(ctx context.Context) error

	// Prepare is told that n messages are going to be staged, while there is nothing else to do but
	// to wait for the first. Nothing depends on it. done is called after the last Stage.
	Prepare(n int) (done func())

	// Stage reads msg to its end into a file that nobody else sees: written, not yet durable.
	// After an error nothing is left behind. An error of msg itself is returned as it is;
	// any other is a *Error.
	Stage(ctx context.Context, uid string, msg io.Reader) (Staged, error)

	// Sync makes batch durable under its names, one answer for each; it runs while the next
	// messages arrive. An error is final: a later success would prove nothing.
	Sync(ctx context.Context, batch []Staged) []error

	// Publish makes batch visible, in order, with one answer for each. Nil means durable,
	// whatever happens next: from then on the server's copy may go. After an error the message
	// is staged as before, so that Drop can remove it once its intent is given up.
	Publish(ctx context.Context, batch []Staged) []error

	// Drop removes what is left of batch in the staging place: of messages that were given up
	// before their intent was recorded or after it was withdrawn, and of delivered ones once the
	// delivery is recorded. What is not there any more is no error.
	Drop(batch []Staged) error

	// Settle says what became of a message whose intent was recorded age ago and whose delivery
	// was not; it finishes the delivery where it can. With an error of the Kind Refused or Later
	// the message is staged as before, as after Publish.
	Settle(ctx context.Context, st Staged, age time.Duration) (Outcome, error)

	// Clean removes what earlier runs of the same state left in the staging place, but for the
	// names that keep reports true for.
	Clean(keep func(name string) bool) error

	// MaxBatch is the most that one Publish takes: 1 where each verdict has to be recorded
	// before the next message is handed over (an MDA).
	MaxBatch() int

	// Where says in words where a published message is, such as "/home/a/Maildir/new/NAME,S=12".
	Where(st Staged) string

	// Location says where this target delivers, such as "maildir:/home/a/Maildir",
	// "mda:/home/a/.local/state/popsync/spool" or "quarantine:" and a path; an intent carries it,
	// so that it is settled where it was staged even when the configuration has changed since.
	Location() string
}
