package fetch

import (
	"errors"
	"fmt"
	"strconv"

	"popsync/uidl"
)

var errTooLarge = errors.New("it is larger than max_message_size")

// An Oversize is a message that is left on the server because of its size.
type Oversize struct {
	Item
	Told bool // in an earlier poll
}

// withinSize divides items into those that may be retrieved and those of more than most octets:
// by LIST, or because an earlier attempt came to more than LIST had said.
func withinSize(items []Item, had []uidl.Entry, most int64) (fit []Item, large []Oversize) {
	if most == 0 {
		return items, nil
	}
	told := make(map[uidl.Ref]int64)
	for _, e := range had {
		if e.State == uidl.Failed && e.Told {
			told[e.Ref] = max(e.Size, e.Seen)
		}
	}
	fit = items[:0]
	for _, m := range items {
		seen, before := told[m.Ref()]
		if max(m.Size, seen) <= most {
			fit = append(fit, m)
			continue
		}
		large = append(large, Oversize{m, before && seen > most})
	}
	return fit, large
}

// leaveLarge leaves out messages that are too large, and tells of each once (R7).
func (s *session) leaveLarge(items []Item, had []uidl.Entry) []Item {
	fit, large := withinSize(items, had, s.account.MaxMessageSize)
	s.result.TooLarge = len(large)
	for _, m := range large {
		if m.Told || s.dryRun {
			continue
		}
		s.tell(Event{Kind: Warned, UID: m.UID, Bytes: m.Size, Text: fmt.Sprintf(
			"message %d, UID %s, of %d octets is larger than max_message_size (%d) and stays on the server",
			m.Number, strconv.Quote(m.UID), m.Size, s.account.MaxMessageSize)})
		s.unsaved.Update = append(s.unsaved.Update, s.oversize(m.Item, 0))
	}
	return fit
}

// oversize remembers that m is too large, so that it is told once and not tried again. seen octets
// of it came.
func (s *session) oversize(m Item, seen int64) uidl.Entry {
	rec := uidl.Record{State: uidl.Failed, Told: true, Shared: m.Shared, Size: m.Size, Seen: seen, Changed: uidl.At(s.now())}
	return uidl.Entry{Ref: m.Ref(), Record: rec}
}

// outgrown is a message that came to more than the limit while it was being received. The session
// ends with it: nobody knows where such a message ends.
func (s *session) outgrown(m Item) {
	s.mu.Lock()
	s.unsaved.Update = append(s.unsaved.Update, s.oversize(m, s.account.MaxMessageSize+1))
	s.mu.Unlock()
	s.failOne(m, &Error{
		Step: "retrieve", Kind: Protocol, Err: errTooLarge,
		Hint: "LIST gave another size; it stays on the server, and the next poll fetches what comes behind it",
	})
}

// mostRanks is how many messages that share their UID keep their ranks while they wait: no mailbox has
// more, but for those that want to exhaust memory.
const mostRanks = 10_000

// keepRanks remembers messages that share their UID with others and are left for another poll:
// otherwise one of them would be taken for another that is had, should that one go.
func (s *session) keepRanks(all, now []Item) {
	if s.dryRun || len(all)-len(now) > mostRanks {
		return
	}
	for _, m := range all[len(now):] {
		if m.Shared {
			rec := uidl.Record{State: uidl.Failed, Attempts: m.attempts, Shared: true, Size: m.Size, Changed: uidl.At(s.now()), Deletions: m.before}
			s.unsaved.Update = append(s.unsaved.Update, uidl.Entry{Ref: m.Ref(), Record: rec})
		}
	}
}

// first is the beginning of items, as many as the account takes in one poll.
func (s *session) first(items []Item) []Item {
	if most := s.account.MaxMessages; most > 0 && len(items) > most {
		return items[:most]
	}
	return items
}
