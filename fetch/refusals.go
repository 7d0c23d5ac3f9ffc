package fetch

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"popsync/uidl"
)

// refusalPauses is how long an account whose log-in was refused is left alone: after the first
// refusal, and after the second. After the third nothing is asked any more until its secret or
// its settings change, or its user says so: some providers lock accounts (A5).
var refusalPauses = []time.Duration{5 * time.Minute, 30 * time.Minute}

const (
	// longPause follows the third and all later refusals where nobody can tell whether it is the
	// secret: of an account that has logged in before, by a server that gives no reason (Courier,
	// nginx, popa3d and others say a bare -ERR also of a mailbox that is locked); and of tokens from
	// a helper, which change by themselves.
	longPause = 6 * time.Hour

	// freeSecrets is how many different ones are tried without a pause: a command whose output
	// changes each time would otherwise be a new secret each time.
	freeSecrets = 3

	// toldAgain is how often a pause that goes on is told.
	toldAgain = 24 * time.Hour
)

// A hold is how long refusals forbid to ask again.
type hold struct {
	until   time.Time
	forever bool
}

// holdOf is a pure function of the refusals so far. doubtful says that the secret may be good.
func holdOf(r uidl.Refusals, doubtful bool) hold {
	switch {
	case r.Count == 0:
		return hold{}
	case r.Count <= len(refusalPauses) && r.Secrets >= freeSecrets: // one of many looks like the last one by chance
		return holdOfNew(r)
	case r.Count <= len(refusalPauses):
		return hold{until: r.Last.Time().Add(refusalPauses[r.Count-1])}
	case doubtful:
		return hold{until: r.Last.Time().Add(longPause)}
	}
	return hold{forever: true}
}

// holdOfNew is that of a secret which was not tried yet.
func holdOfNew(r uidl.Refusals) hold {
	if r.Secrets < freeSecrets {
		return hold{}
	}
	return hold{until: r.Last.Time().Add(longPause)}
}

// over says whether the hold has ended, or the clock went back behind its beginning.
func (h hold) over(began uidl.Stamp, now time.Time) bool {
	return !h.forever && (now.Before(began.Time()) || !now.Before(h.until))
}

// held is the error of an account that is left alone because its log-in was refused, or nil.
func (s *session) held() *Error {
	r := s.last.Refusals
	if r.Count == 0 || s.retry || s.urgent {
		return nil
	}
	h := holdOfNew(r)
	if s.sameSecret() {
		h = holdOf(r, s.account.changingToken() || !r.Sure && !s.last.LoggedIn.IsZero())
	}
	if h.over(r.Last, s.now()) {
		return nil
	}
	s.pausing = true
	e := &Error{Step: "log in", Kind: Refused, Err: s.heldText(r, h), Hint: s.heldHint(h)}
	if told := s.now().Sub(r.Told.Time()); told >= 0 && told < toldAgain {
		e.Repeated = true
		return e
	}
	s.last.Refusals.Told = uidl.At(s.now())
	s.unsaved.Poll = &s.last
	return e
}

func (s *session) heldText(r uidl.Refusals, h hold) error {
	text := fmt.Sprintf("refused %s, not asked again", times(r.Count))
	if !h.forever {
		text += " before " + h.until.Format("15:04")
	}
	if s.last.Message != "" && s.last.Step == "log in" {
		text += "; " + s.last.Message
	}
	return errors.New(text)
}

func (s *session) heldHint(h hold) string {
	until := "popsync asks again once the password or the account's settings change, or now: popsync fetch --now " + s.account.Name
	if !h.forever {
		until = "to ask at once: popsync fetch --now " + s.account.Name
	}
	return strings.TrimPrefix(s.last.Hint+"; "+until, "; ")
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// sameSecret says whether secret and settings are those that were refused; of tokens that change by
// themselves that cannot be told, and they count as one.
func (s *session) sameSecret() bool {
	r := s.last.Refusals
	return r.Count > 0 && (s.account.changingToken() || r.Key == s.refusalKey(s.saltOf(r.Key)))
}

// changingToken says whether a new secret may be only a new token, which proves no change.
func (a Account) changingToken() bool { return a.Token && a.Grant == nil }

// refusals counts a refused log-in; one that is let in ends the counting.
func (s *session) refusals() uidl.Refusals {
	r := s.last.Refusals
	switch {
	case !s.loggedIn.IsZero():
		return uidl.Refusals{}
	case !s.refusedLogIn:
		return r
	}
	now := uidl.At(s.now())
	next := uidl.Refusals{
		Count: s.refusedBefore + 1, Last: now, Told: now, Key: s.refusalKey(s.saltOf(r.Key)), Secrets: r.Secrets,
		Sure: s.sure,
	}
	if !s.sameSecret() {
		next.Secrets++
	}
	return next
}

// A key of refusals is a salt, 12 bits that depend on the secret, and a digest of the settings. So
// few bits tell a changed secret from the old one (but for one in 4,096), and say little of it to
// who reads the state, where the configuration with the secret itself is never far.
const saltDigits, secretDigits, settingDigits = 16, 3, 16

// saltOf is the salt of key, or a new one.
func (s *session) saltOf(key string) string {
	switch {
	case len(key) >= saltDigits:
		return key[:saltDigits]
	case s.salt != nil:
		return s.salt()
	}
	var b [saltDigits / 2]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

func (s *session) refusalKey(salt string) string {
	secret := s.password.Reveal()
	if s.account.Grant != nil {
		secret = s.account.Grant()
	}
	a := s.account
	settings := fmt.Sprint(salt, a.Server.Security, a.Server.Far, a.Auth, a.Token, a.User, a.Server, a.Server.certificate())
	return salt + digits(salt+secret, secretDigits) + digits(settings, settingDigits)
}

func digits(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:n]
}
