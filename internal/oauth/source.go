package oauth

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"popsync/internal/secret"
)

const (
	early  = 5 * time.Minute  // an access token is renewed so long before its end
	jitter = time.Minute      // ... and up to so much earlier, that not all accounts ask at once
	usable = 30 * time.Second // what is left is good for one log-in, should the renewal fail for a while
)

// Token returns an access token that is good for five minutes at least, renewed where that is
// needed: once, whoever asks at the same time. The error is an *Error, or the cause of ctx's end.
func (s *Source) Token(ctx context.Context) (secret.Value, error) {
	return s.token(ctx, secret.Value{})
}

// Renew returns another access token than the one that a mail server refused. Where somebody has
// renewed it meanwhile, that one.
func (s *Source) Renew(ctx context.Context, refused secret.Value) (secret.Value, error) {
	return s.token(ctx, refused)
}

func (s *Source) token(ctx context.Context, refused secret.Value) (secret.Value, error) {
	left := early + rand.N(jitter)
	r, err := s.known()
	if err == nil {
		err = s.mayWrite()
	}
	if err != nil {
		return secret.Value{}, err
	}
	if r.usable(time.Now(), left, refused) && !s.unsaved() {
		return r.access, nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	defer unlock()
	r, err = s.known() // another process may have renewed it
	if err == nil {
		err = s.tryDisk()
	}
	if err == nil {
		err = s.saveRemembered(r)
	}
	switch {
	case err != nil:
		return secret.Value{}, err
	case r.usable(time.Now(), left, refused):
		return r.access, nil
	case r.dead != Death{}:
		return secret.Value{}, s.died(r.dead)
	}
	return s.renew(ctx, r, refused)
}

// known are the tokens that the settings can use. A client that needs nobody begins without any.
func (s *Source) known() (record, error) {
	if err := s.check(); err != nil {
		return record{}, err
	}
	r, err := s.load()
	switch {
	case err != nil && s.machine() && errors.Is(err, ErrNoTokens):
		return s.fresh(), nil
	case err != nil:
		return record{}, err
	case r.clientID == s.set.ClientID && sameServer(r.tokenURL, s.set.Endpoints.TokenURL):
		return r, nil
	case s.machine():
		return s.fresh(), nil
	case r.clientID != s.set.ClientID:
		return record{}, errorf(NeedsLogin, s.again(), "the tokens belong to another client than oauth2.client_id")
	}
	return record{}, errorf(NeedsLogin, s.again(), "the tokens are of another provider than oauth2 names")
}

// fresh is a record without tokens.
func (s *Source) fresh() record {
	return record{clientID: s.set.ClientID, tokenURL: s.set.Endpoints.TokenURL}
}

func (s *Source) died(d Death) error {
	return &Error{Kind: NeedsLogin, Code: "invalid_grant", Hint: d.Hint, Err: errors.New(d.Reason)}
}

// renew gets a new access token and saves it. The lock is held.
func (s *Source) renew(ctx context.Context, r record, refused secret.Value) (secret.Value, error) {
	next, err := s.refresh(ctx, r)
	for tried := []string{r.refresh.Reveal()}; ends(err) && !s.machine(); tried = append(tried, r.refresh.Reveal()) {
		other, ok := s.other(r, tried)
		if !ok {
			return secret.Value{}, s.bury(r, err)
		}
		if r = other; r.usable(time.Now(), usable, refused) {
			return r.access, nil
		}
		next, err = s.refresh(ctx, r)
	}
	switch {
	case passing(err) && r.usable(time.Now(), usable, refused):
		return r.access, nil
	case err != nil:
		return secret.Value{}, err
	}
	if err := s.save(r, next); err != nil {
		return secret.Value{}, err
	}
	if next.access.Equal(refused) {
		return secret.Value{}, errorf(NeedsLogin, s.again(),
			"%s gives the same token again, which the mail server refuses", s.host())
	}
	return next.access, nil
}

// other is what may still work when the refresh token of r does not: the one that somebody who
// knows no lock has written meanwhile, or the one before.
func (s *Source) other(r record, tried []string) (record, bool) {
	now, err := s.load()
	if err == nil && !slices.Contains(tried, now.refresh.Reveal()) {
		return now, true
	}
	if r.previous.IsZero() || slices.Contains(tried, r.previous.Reveal()) {
		return record{}, false
	}
	r.refresh, r.previous, r.access = r.previous, secret.Value{}, secret.Value{}
	return r, true
}

// bury notes that nothing helps but a log-in, so that nobody asks again.
func (s *Source) bury(r record, err error) error {
	e, _ := errors.AsType[*Error](err)
	now, loaded := s.load()
	if loaded != nil {
		now = r
	}
	now.dead = Death{Reason: e.Error(), Hint: e.Hint, Time: time.Now().UTC().Truncate(time.Second)}
	if saved := s.save(now, now); saved != nil {
		e.Hint += "; moreover: " + saved.Error()
	}
	return err
}

// refresh asks for a new access token: with the refresh token of r, or as the client itself.
func (s *Source) refresh(ctx context.Context, r record) (record, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {r.refresh.Reveal()}}
	if s.machine() {
		form = url.Values{"grant_type": {"client_credentials"}, "scope": {strings.Join(s.set.Endpoints.Scopes, " ")}}
	} else if r.refresh.IsZero() {
		return record{}, errorf(NeedsLogin, s.again(), "the access token has ended, and there is no refresh token")
	}
	next, err := s.grant(ctx, form)
	if err != nil {
		return record{}, err
	}
	next.obtained, next.refreshed = r.obtained, time.Now().UTC().Truncate(time.Second)
	switch {
	case s.machine():
		next.refresh, next.obtained = secret.Value{}, next.refreshed
	case next.refresh.IsZero(), next.refresh.Equal(r.refresh): // it has worked: the one before may go
		next.refresh = r.refresh
		if next.refreshEnds.IsZero() {
			next.refreshEnds = r.refreshEnds
		}
	default:
		next.previous = r.refresh
	}
	return next, nil
}

// grant asks the token endpoint.
func (s *Source) grant(ctx context.Context, form url.Values) (record, error) {
	if err := s.identify(ctx, form); err != nil {
		return record{}, err
	}
	a, err := s.ask(ctx, tokenURL, form)
	if err != nil {
		return record{}, err
	}
	return s.granted(a)
}

// granted is a good answer of the token endpoint.
func (s *Source) granted(a answer) (record, error) {
	r, err := a.token(time.Now(), s.set.Endpoints.Scopes)
	if err != nil {
		return record{}, errorf(Later, hintLater, "%s: %w", s.host(), err)
	}
	r.clientID, r.tokenURL = s.set.ClientID, s.set.Endpoints.TokenURL
	return r, nil
}

// identify adds who asks (RFC 6749, section 2.3.1: in the body, which every provider here takes).
func (s *Source) identify(ctx context.Context, form url.Values) error {
	form.Set("client_id", s.set.ClientID)
	if s.set.ClientSecret == nil {
		return nil
	}
	v, err := s.set.ClientSecret(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return errorf(Configuration, secretHint(err), "client secret: %w", err)
	}
	form.Set("client_secret", v.Reveal())
	return nil
}

// secretHint is what can be done about a client secret that is not to be had.
func secretHint(err error) string {
	if e, ok := errors.AsType[*secret.Error](err); ok && e.Hint() != "" {
		return "oauth2.client_secret_command: " + strings.Replace(e.Hint(), "the password", "the secret", 1)
	}
	return "see that oauth2.client_secret_command gives one line, the secret"
}

// host is the token endpoint's, for people.
func (s *Source) host() string {
	u, err := s.endpoint(tokenURL)
	if err != nil {
		return "the token server"
	}
	return u.Host
}
