package fetch

import "time"

// An EventKind says what an [Event] tells.
type EventKind uint8

const (
	Begun     EventKind = iota // a poll began
	Joined                     // somebody else asked for the poll that runs
	LoggedIn                   // Took: since the beginning
	Listed                     // New messages of Bytes octets are to come (as LIST announced), Total lie there
	Received                   // one message came over the line: UID, Bytes
	Delivered                  // one message is durable in its target: UID, Bytes
	Deleted                    // New messages were deleted, and QUIT said so
	Warned                     // Text: something worth knowing that is no failure
	Noted                      // Text: for those who look closely
	Skipped                    // Text: why the server was not asked, though nothing failed
	Ended                      // Result
)

// An Event is told while polls go on: log, terminal and JSON are readers of the same events.
// They come from several goroutines, but one at a time.
type Event struct {
	Kind    EventKind
	Time    time.Time
	Account string
	Server  string
	UID     string // raw, as the server gave it
	New     int
	Total   int
	Bytes   int64
	Took    time.Duration
	Text    string // with the server's words raw
	Result  *Result
}

// A Result is what one poll of one account came to.
type Result struct {
	Account  string
	Server   string
	New      int    // messages delivered; in a dry run, those that would be
	Bytes    int64  // octets of them, as they came over the line (in a dry run: as announced)
	Deleted  int    // messages deleted on the server; in a dry run, those that would be
	Left     int    // messages that are not had and stay for another poll
	TooLarge int    // messages that stay because of their size
	Skipped  string // why the server was not asked; empty where it was
	Failed   int    // ... of which were tried and failed
	Err      *Error // the first failure, or nil
	Took     time.Duration

	StateBroken bool // the state takes no change until it is opened again

	asked bool // the server was

	Wait time.Duration // before the next log-in, as the server or its provider wants it
	More bool          // the server may show more once this much is fetched
}
