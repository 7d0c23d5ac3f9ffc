package uidl

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// A Stamp is a time in seconds since 1970; 0 is never.
type Stamp int64

// At is the stamp of t, cut to the second.
func At(t time.Time) Stamp { return Stamp(t.Unix()) }

// IsZero reports whether s is never.
func (s Stamp) IsZero() bool { return s == 0 }

// Time is the time of s; the stamp "never" has none, and gives the beginning of 1970.
func (s Stamp) Time() time.Time { return time.Unix(int64(s), 0) }

// A Mailbox names whose records these are. Records belong to host, port and user name; the
// account's name only stands beside them.
type Mailbox struct {
	Host string // lower case, or unix:/path
	Port int    // 0 with unix:
	User string
}

// String names the mailbox for people, with the user name quoted.
func (m Mailbox) String() string {
	server := m.Host
	if m.Port != 0 {
		server = net.JoinHostPort(m.Host, strconv.Itoa(m.Port))
	}
	return fmt.Sprintf("%q at %s", m.User, server)
}

// A Ref is one message of a mailbox: its UID (any bytes, RFC 1939 section 7 notwithstanding) and
// its rank among the messages of one listing that share that UID, from 0 in the server's order.
type Ref struct {
	UID  string
	Rank uint32
}

// A State is how far a message has come. Its zero value is the harmless one.
type State uint8

const (
	Unknown     State = iota // never had: fetch it
	Failed                   // tried and not had: fetch it again
	Delivered                // by us, durably
	Deleted                  // delivered, then deleted on the server; QUIT said +OK
	Seen                     // marked as seen without fetching
	Imported                 // another program had it
	Quarantined              // set aside after too many refusals
)

// Had reports whether the message needs no fetching any more.
func (s State) Had() bool { return s >= Delivered }

// A Record is what is known of one message.
type Record struct {
	State        State
	Attempts     uint16 // verdicts against it so far (State Failed)
	Deletions    uint8  // sessions that sent DELE for it and whose QUIT said +OK while it stayed
	DeleteSent   bool   // it is to be deleted, and may have been: DELE was sent, or was about to be, and QUIT was not answered
	Told         bool   // its user has been told of it once (too large, ...)
	Shared       bool   // another message had the same UID when this one was delivered
	Size         int64  // octets as LIST gave them, -1 if it did not
	Seen         int64  // octets that came before it was given up as too large; 0: it was not
	Header       uint64 // digest of the header, or of the whole, that was delivered; 0: not known
	Changed      Stamp  // when State became what it is; the delivery for Delivered
	MissingSince Stamp  // first complete listing without it; zero while it is listed
}

// An Entry is a record under its name.
type Entry struct {
	Ref
	Record
}

// An Intent says that a message is staged and durable under Name at Target and is about to be
// published. It ends with the delivery's confirmation or by being abandoned.
type Intent struct {
	Ref
	Size   int64  // octets as LIST gave them, -1 if it did not
	Staged int64  // octets of the staged file
	Header uint64 // digest of the message's header, for its record; 0: not known
	Shared bool   // another message has the same UID
	Target string // deliver.Target's Location
	Name   string // deliver.Staged's Name
	At     Stamp
}

// A Poll is what is remembered of a mailbox's last polls.
type Poll struct {
	Begun        Stamp  `json:"begun,omitzero"`
	Ended        Stamp  `json:"ended,omitzero"`
	Good         Stamp  `json:"good,omitzero"` // end of the last poll without a failure
	LoggedIn     Stamp  `json:"logged_in,omitzero"`
	Failures     int    `json:"failures,omitzero"` // in a row
	Code         string `json:"code,omitzero"`     // of the last failure, as in --json; empty after a good poll
	Step         string `json:"step,omitzero"`
	Message      string `json:"message,omitzero"`
	Hint         string `json:"hint,omitzero"`
	New          int    `json:"new,omitzero"` // messages of the last poll
	Bytes        int64  `json:"bytes,omitzero"`
	Listed       bool   `json:"listed,omitzero"`        // a first complete poll has been
	LostPipeline Stamp  `json:"lost_pipeline,omitzero"` // when the server was seen to lose commands that it allowed to come early
	LoginDelay   int64  `json:"login_delay,omitzero"`   // seconds, as last announced
	Mechanism    string `json:"mechanism,omitzero"`     // the log-in that works where a stronger one was refused, as in the configuration
	AskTold      Stamp  `json:"ask_told,omitzero"`      // when its user was last told that the account needs him
	Noticed      Stamp  `json:"noticed,omitzero"`       // when its user was last told what is to be done soon
	NoTOP        Stamp  `json:"no_top,omitzero"`        // when the server was seen to go away, or to hang, at TOP
	RenumberTold Stamp  `json:"renumber_told,omitzero"` // when its user was last told of Renumbered
	Renumbered   int    `json:"renumbered,omitzero"`    // polls in a row in which known messages had new UIDs

	// Quiet tells a listing for which there is nothing to do, before QuietUntil if that is not
	// zero. It comes back from [Box.Poll] only while the records are as they were when it was
	// committed.
	Quiet      string `json:"quiet,omitzero"`
	QuietUntil Stamp  `json:"quiet_until,omitzero"`

	Refusals Refusals `json:"refusals,omitzero"`
}

// Refusals are log-ins in a row that the server refused with the same secret and settings.
type Refusals struct {
	Count int    `json:"count,omitzero"`
	Last  Stamp  `json:"last,omitzero"` // the last refusal
	Told  Stamp  `json:"told,omitzero"` // when its user was last told
	Key   string `json:"key,omitzero"`  // tells whether secret and settings are still the same; it has 12 bits that depend on the secret

	Secrets int  `json:"secrets,omitzero"` // different ones that were refused in a row
	Sure    bool `json:"sure,omitzero"`    // the server said that it was the credentials
}

// A Change is one durable step of an account. Everything in it becomes durable together or not at all.
type Change struct {
	Intend  []Intent // staged, about to be published
	Confirm []Entry  // published: their intents end, these are their records
	Abandon []Ref    // intents that are given up
	Update  []Entry  // any other new state of a record
	Forget  []Ref    // records that go
	History []Event  // what is worth telling of it afterwards, in this order
	Poll    *Poll
}
