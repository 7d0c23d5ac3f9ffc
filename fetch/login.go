package fetch

import (
	"context"
	"errors"
	"slices"

	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
)

// logIn opens a session: connection, TLS, log-in. A token that the server refuses is renewed
// once, for it may have ended before its time. Once soft ends no log-in begins; one that is under
// way is answered, so that the server hears QUIT (P4).
func (s *session) logIn(soft, hard context.Context) error {
	if err := s.reach(soft); err != nil {
		return err
	}
	s.entering()
	err := s.authenticate(hard)
	if isVerdict(err) && s.account.Renew != nil {
		err = s.authenticateAnew(hard)
	}
	if err != nil {
		return err
	}
	s.loggedIn, s.inTransaction, s.refusedLogIn = s.now(), true, false
	s.tell(Event{Kind: LoggedIn, Took: s.loggedIn.Sub(s.begun)})
	return context.Cause(soft)
}

// authenticate logs in, in the one way that the account names, or by the strongest that the server
// offers. Where the account leaves the choice, a refusal may mean the way and not the password:
// some servers offer CRAM-MD5 or SCRAM to users whose passwords they have only as hashes. Then one
// that shows the password to the server is tried once, if nobody else can read it, and is
// remembered where it works.
func (s *session) authenticate(ctx context.Context) error {
	if err := s.client.UTF8(ctx); err != nil {
		return s.step("ask for UTF8", err)
	}
	if done, err := s.asBefore(ctx); done {
		return err
	}
	choice, err := s.attempt(ctx, s.offer())
	if err == nil || !s.mayBeTheWay(choice, err) {
		return err
	}
	return s.inAnotherWay(ctx, err)
}

func (s *session) offer() mechanism.Offer {
	return mechanism.Offer{
		SASL: s.offered.SASL, User: s.offered.User || len(s.offered.Lines) == 0, Stamp: s.client.Stamp(),
		Implementation: s.offered.Implementation, TLS: s.client.TLS(), Exposed: s.exposed,
	}
}

func (s *session) credentials() mechanism.Credentials {
	a := s.account
	return mechanism.Credentials{
		User: a.User, Secret: s.password.Reveal(), Token: a.Token, Certificate: a.Certificate,
		Host: a.Server.Host, Port: a.Server.Port,
	}
}

// asBefore logs in by what worked when something stronger did not.
func (s *session) asBefore(ctx context.Context) (done bool, err error) {
	known := mechanism.Name(s.last.Mechanism)
	if known == "" || s.account.Auth != mechanism.Auto || s.exposed {
		return false, nil
	}
	choice, err := mechanism.Choose(known, s.offer(), s.credentials())
	if err != nil {
		return false, nil // it is not offered any more
	}
	s.mechanism = choice.String()
	if err = s.try(ctx, choice); err == nil {
		s.way = known
	}
	return true, s.loggedInOr(err)
}

// attempt logs in by the strongest of what is offered. Some servers announce mechanisms that they do
// not have; the next one is taken then, and the secret is still sent once.
func (s *session) attempt(ctx context.Context, offer mechanism.Offer) (mechanism.Choice, error) {
	passedOver := false
	for {
		choice, err := mechanism.Choose(s.account.Auth, offer, s.credentials())
		if err != nil {
			return choice, s.unusable(err)
		}
		s.mechanism = choice.String()
		if err = s.try(ctx, choice); err == nil && passedOver {
			s.way = choice.Name
		}
		if !unavailable(err) || s.account.Auth != mechanism.Auto {
			return choice, s.loggedInOr(err)
		}
		s.sent = s.sent || sentTo(err)
		s.tell(Event{Kind: Noted, Text: "the server announces " + choice.SASL + " and refuses it"})
		passedOver = true
		offer.SASL = slices.DeleteFunc(slices.Clone(offer.SASL), func(m string) bool { return m == choice.SASL })
	}
}

// mayBeTheWay says whether a refusal of choice may not be the password's fault. That is found out
// once, at the first of several refusals.
func (s *session) mayBeTheWay(choice mechanism.Choice, err error) bool {
	return s.account.Auth == mechanism.Auto && !s.account.Token && !s.exposed && choice.SASL != "" && !choice.Shows() &&
		s.refusedLogIn && s.refusedBefore == 0 && isVerdict(err)
}

// isVerdict says whether err is the server's, and final.
func isVerdict(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Refused {
		return false
	}
	_, answered := errors.AsType[*pop3.ResponseError](err)
	return answered
}

// inAnotherWay logs in by what shows the password to the server. first is its refusal so far, and
// stays the error where this fails too.
func (s *session) inAnotherWay(ctx context.Context, first error) error {
	refused := s.mechanism
	showing := func() mechanism.Offer {
		offer := s.offer()
		offer.Stamp = ""
		offer.SASL = slices.DeleteFunc(slices.Clone(offer.SASL), func(m string) bool { return m != "PLAIN" && m != "LOGIN" })
		return offer
	}
	choice, err := s.attempt(ctx, showing())
	if errors.Is(err, pop3.ErrClosed) { // as some do after a refusal
		s.client.Close()
		if err := s.reach(ctx); err != nil {
			return err
		}
		choice, err = s.attempt(ctx, showing())
	}
	if isVerdict(err) {
		return first
	}
	if err == nil {
		s.way = choice.Name
		s.tell(Event{Kind: Noted, Text: refused + " is refused, and " + s.mechanism + " works: it is taken from now on"})
	}
	return err
}

// try logs in the one way that was chosen.
func (s *session) try(ctx context.Context, choice mechanism.Choice) error {
	switch choice.Name {
	case mechanism.User:
		return s.client.Login(ctx, s.account.User, s.password.Reveal())
	case mechanism.APOP:
		return s.client.APOP(ctx, s.account.User, s.password.Reveal())
	}
	return s.client.Auth(ctx, choice.Client())
}

// unavailable says whether the server does not have a mechanism that it announced.
func unavailable(err error) bool {
	refusal, ok := errors.AsType[*pop3.ResponseError](err)
	return ok && refusal.Mechanism
}

// sentTo says whether the credentials went to a server that refused the mechanism.
func sentTo(err error) bool {
	refusal, ok := errors.AsType[*pop3.ResponseError](err)
	return ok && refusal.Sent
}

// loggedInOr is nil, or what err means. A refusal counts against the secret only once that has been
// sent.
func (s *session) loggedInOr(err error) error {
	if err == nil {
		return nil
	}
	e := s.step("log in", err)
	refusal, answered := errors.AsType[*pop3.ResponseError](err)
	s.sent = s.sent || answered && (!refusal.Mechanism || refusal.Sent)
	s.refusedLogIn = s.sent && answered && e.Kind == Refused
	s.sure = answered && (refusal.Code == "AUTH" || refusal.Code == "SYS/PERM")
	return e
}

// authenticateAnew logs in with another token: on the same connection, or, where the server has
// ended that, on a new one.
func (s *session) authenticateAnew(ctx context.Context) error {
	token, err := s.account.Renew(ctx, s.password)
	if err != nil {
		return s.passwordFailed(ctx, err)
	}
	s.password = token
	s.tell(Event{Kind: Noted, Text: "the server refuses the token; a new one was asked for"})
	err = s.authenticate(ctx)
	if !errors.Is(err, pop3.ErrClosed) {
		return err
	}
	s.client.Close()
	if err := s.reach(ctx); err != nil {
		return err
	}
	return s.authenticate(ctx)
}
