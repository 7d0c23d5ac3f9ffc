package poptest

import (
	"sync/atomic"
	"time"
)

// The two events besides the commands that have a hook.
const (
	Accept   = "(accept)"   // the connection is there, before anything; with implicit TLS the usual answer is the hand-shake
	Greeting = "(greeting)" // the first line is due
)

// A HookFunc chooses the answer to one command of one session. It may also talk to the client by itself
// and return [Nothing]. arg is what stood behind the verb, byte for byte.
type HookFunc func(c *Conn, arg string) Action

// A ListingFunc makes the lines of a listing, each without its end, in the place of the usual ones.
type ListingFunc func(c *Conn, yield func(line string) bool)

// Hook sets what answers verb (in capitals, or [Accept], [Greeting]) from now on, in running sessions
// too; nil brings the usual answer back. A verb that the server does not know may have one as well.
func (s *Server) Hook(verb string, hook HookFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[verb] = hook
}

// ListingFunc sets what LIST, UIDL or CAPA (verb) tell when asked for all. The lines are sent as they
// are made, so that a million of them take no memory; nil brings the usual ones back.
func (s *Server) ListingFunc(verb string, lines ListingFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listings[verb] = lines
}

func (s *Server) listing(verb string) ListingFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listings[verb]
}

// action is what cmd is answered with.
func (s *Server) action(c *Conn, cmd command) Action {
	s.mu.Lock()
	hook := s.hooks[cmd.Verb]
	s.mu.Unlock()
	if hook == nil {
		return Default
	}
	if action := hook(c, cmd.Arg); action != nil {
		return action
	}
	return Default
}

// Always answers with a each time.
func Always(a Action) HookFunc {
	return func(*Conn, string) Action { return a }
}

// Nth answers with a the n-th time, counted from 1 over all sessions, and as usual otherwise.
func Nth(n int, a Action) HookFunc {
	var calls atomic.Int64
	return func(*Conn, string) Action {
		if calls.Add(1) == int64(n) {
			return a
		}
		return Default
	}
}

// WithArg answers with a where the argument is arg, and as usual otherwise.
func WithArg(arg string, a Action) HookFunc {
	return func(_ *Conn, got string) Action {
		if got == arg {
			return a
		}
		return Default
	}
}

// InSession answers with a in the server's n-th session, counted from 1, and as usual in others.
func InSession(n int, a Action) HookFunc {
	return func(c *Conn, _ string) Action {
		if c.ID == n {
			return a
		}
		return Default
	}
}

// Late answers as usual, after d.
func Late(d time.Duration) HookFunc {
	return Always(Seq(Sleep(d), Default))
}
