package poptest

import (
	"sync"
	"time"
)

// What a server says when a log-in is not to be (RFC 2449, section 8.1; RFC 3206).
const (
	InUse       = "-ERR [IN-USE] mailbox is locked by another session"
	TooSoon     = "-ERR [LOGIN-DELAY] the minimum time between log-ins has not passed"
	SysTemp     = "-ERR [SYS/TEMP] try again later"
	SysPerm     = "-ERR [SYS/PERM] this account is not enabled for POP access"
	AuthRefused = "-ERR [AUTH] invalid user name or password"
)

// A Door has a say in each log-in, whatever its mechanism, before it is answered. user is who the client
// claims to be; good says that it has proved that. The action takes the place of the usual one, which is
// [Admit] or [Refuse]; nil leaves the matter to the next door. A door may wait ([Conn.Sleep]).
type Door func(c *Conn, user string, good bool) Action

// Doors sets those that all log-ins go through from now on, in this order, in the place of [Options.Doors].
func (s *Server) Doors(doors ...Door) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doors = doors
}

func (s *Server) doorsNow() []Door {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doors
}

// Decide answers a log-in: by a [Door], or by Admit if it is good and Refuse if not. It is how a hook ends
// that has checked by itself who the client is.
func (c *Conn) Decide(user string, good bool) error {
	c.applicant = user
	for _, door := range c.server.doorsNow() {
		if action := door(c, user, good); action != nil {
			return action(c)
		}
	}
	if good {
		return Admit(c)
	}
	return Refuse(c)
}

// Admit logs the client in as who it has claimed to be, and says so. It is an action for a [Door].
func Admit(c *Conn) error {
	if !c.LogIn(c.applicant) {
		return c.Reply("-ERR [IN-USE] the mailbox is in use by another session")
	}
	return c.Reply("+OK %d messages", len(c.msgs))
}

// Refuse answers as to a wrong password, by [Options.Refusal].
func Refuse(c *Conn) error {
	c.refusals++
	return c.Reply("%s", c.server.opts.Refusal)
}

// Refuses answers every good log-in with reply, such as [SysTemp].
func Refuses(reply string) Door {
	return func(_ *Conn, _ string, good bool) Action {
		if !good {
			return nil
		}
		return Send(reply + "\r\n")
	}
}

// RefusesFirst answers the first n good log-ins with reply.
func RefusesFirst(n int, reply string) Door {
	var mu sync.Mutex
	return func(_ *Conn, _ string, good bool) Action {
		mu.Lock()
		defer mu.Unlock()
		if !good || n == 0 {
			return nil
		}
		n--
		return Send(reply + "\r\n")
	}
}

// Delays answers a good log-in after good, and another one after bad (Courier: 5 s; popa3d: 2 s).
func Delays(good, bad time.Duration) Door {
	return func(c *Conn, _ string, right bool) Action {
		if right {
			return waited(c, good)
		}
		return waited(c, bad)
	}
}

// Penalty holds back the answer to every log-in, good or not and whoever it is for, once one was refused:
// by step, twice that after the second, and so on up to most. Dovecot does so by the client's address.
func Penalty(step, most time.Duration) Door {
	var mu sync.Mutex
	var delay time.Duration
	return func(c *Conn, _ string, good bool) Action {
		mu.Lock()
		now := delay
		if !good {
			delay = min(max(step, 2*delay), most)
		}
		mu.Unlock()
		return waited(c, now)
	}
}

// waited leaves the matter to the next door after d.
func waited(c *Conn, d time.Duration) Action {
	if d == 0 {
		return nil
	}
	if err := c.Sleep(d); err != nil {
		return func(*Conn) error { return err }
	}
	return nil
}

// Closes ends the connection behind the n-th refusal of a session (popa3d and solid-pop3d: the first).
func Closes(n int) Door {
	return func(c *Conn, _ string, good bool) Action {
		if good || c.refusals+1 < n {
			return nil
		}
		return Seq(Refuse, Cut)
	}
}

// LoginDelay refuses a good log-in with [TooSoon] where the user's last one is less than d ago. What CAPA
// announces of it is another matter.
func LoginDelay(d time.Duration) Door {
	return within(d, Send(TooSoon+"\r\n"))
}

// EarlyIsWrong refuses a good log-in like a wrong password where the user's last one is less than d ago
// (WEB.DE: 15 minutes; ISPDB, and users who measured 12).
func EarlyIsWrong(d time.Duration) Door {
	return within(d, Refuse)
}

// within answers a good log-in with a where the user's last one is less than d ago.
func within(d time.Duration, a Action) Door {
	var mu sync.Mutex
	last := make(map[string]time.Time)
	return func(_ *Conn, user string, good bool) Action {
		if !good {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if before, ok := last[user]; ok && now.Sub(before) < d {
			return a
		}
		last[user] = now
		return nil
	}
}
