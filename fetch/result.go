package fetch

import (
	"errors"
	"fmt"
)

// note keeps the first failure of the poll.
func (s *session) note(err error) {
	if err == nil {
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = s.step("poll", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Account, e.Server = s.result.Account, s.result.Server
	if s.result.Err == nil {
		s.result.Err = e
	}
}

// failOne notes the failure of one message.
func (s *session) failOne(m Item, e *Error) {
	e.Err = fmt.Errorf("message %d: %w", m.Number, e.Err)
	s.mu.Lock()
	s.result.Failed++
	s.mu.Unlock()
	s.note(e)
}

func (s *session) addDelivered(octets int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.New++
	s.result.Left--
	s.result.Bytes += octets
}

// countAside counts a message in the quarantine: it is had.
func (s *session) countAside() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Left--
	s.aside++
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// octets are what LIST announced for items; unknown sizes count nothing.
func octets(items []Item) int64 {
	var sum int64
	for _, m := range items {
		sum += max(0, m.Size)
	}
	return sum
}
