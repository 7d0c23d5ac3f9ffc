package fetch

import (
	"errors"
	"fmt"
	"strings"

	"popsync/fetch/pop3"
)

// longestUID that can be remembered; and NUL ends a name in the database.
const longestUID = 16 << 10

// nameable leaves out, and reports, messages whose UID cannot be remembered: fetched, they would
// come again at every poll.
func (s *session) nameable(items []Item) []Item {
	kept := items[:0]
	for _, m := range items {
		if len(m.UID) > longestUID || strings.ContainsRune(m.UID, 0) {
			s.failOne(m, &Error{
				Step: "list", Kind: Protocol, Err: errors.New("a UID with NUL or of more than 16 KiB"),
				Hint: "the message stays on the server; fetch it in another way, such as web mail",
			})
			continue
		}
		kept = append(kept, m)
	}
	return kept
}

// noteOdd reports what of the listing could not be understood. The rest is fetched all the same.
func (s *session) noteOdd(l pop3.Listing) {
	const stays = "those messages stay on the server; the others are fetched"
	switch {
	case l.Odd > 0:
		s.note(&Error{Step: "list", Kind: Protocol, Err: errors.New(plural(l.Odd, "line") + " of UIDL that make no sense"), Hint: stays})
	case l.Count > len(l.Messages):
		s.note(&Error{
			Step: "list", Kind: Protocol, Err: errors.New("STAT counts " + plural(l.Count, "message") + ", but UIDL lists " + fmt.Sprint(len(l.Messages))),
			Hint: "the listing was cut short; what is missing is asked for again at the next poll",
		})
	case l.NoUID > 0:
		s.note(&Error{Step: "list", Kind: Protocol, Err: errors.New(plural(l.NoUID, "message") + " without a UID in the listing"), Hint: stays})
	}
}
