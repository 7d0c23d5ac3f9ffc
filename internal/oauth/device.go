package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"popsync/internal/term"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

const (
	usualInterval = 5 * time.Second // between two polls (RFC 8628, section 3.2)
	slowDown      = 5 * time.Second // more, for each slow_down (section 3.5)
	maxInterval   = 60 * time.Second
)

// Device logs a person in who types a code at the provider's page, on any machine (RFC 8628).
func (s *Source) Device(ctx context.Context, p Person) (Tokens, error) {
	form := url.Values{"client_id": {s.set.ClientID}, "scope": {strings.Join(s.set.Endpoints.Scopes, " ")}}
	a, err := s.ask(ctx, deviceURL, form)
	if err != nil {
		return Tokens{}, s.otherFlow(err)
	}
	if a.VerificationURI == "" {
		a.VerificationURI = a.VerificationURL
	}
	if a.DeviceCode == "" || a.UserCode == "" || a.VerificationURI == "" {
		return Tokens{}, s.otherFlow(errorf(Later, "", "%s: answers without a code", hostOf(s.set.Endpoints.DeviceURL)))
	}
	life := a.ExpiresIn.or(15 * time.Minute)
	say(p.Say, fmt.Sprintf("Open %s in a browser on any machine and type the code\n\n  %s\n\nIt is good for %s; waiting ...\n",
		term.Escape(a.VerificationURI), term.Escape(a.UserCode), term.Duration(life)))
	waiting, stop := context.WithTimeoutCause(ctx, life, errNobody)
	defer stop()
	got, err := s.poll(waiting, a)
	if errors.Is(err, errNobody) {
		return Tokens{}, errorf(NeedsLogin, s.again(), "the code has ended before anybody typed it")
	}
	if err != nil {
		return Tokens{}, err
	}
	return s.accept(got)
}

// otherFlow adds to the refusal of a device flow that there is another way. A client that the
// provider does not know is known in no other one.
func (s *Source) otherFlow(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind == Later && e.Code == "" || e.Code == "invalid_client" || s.set.Endpoints.AuthURL == "" {
		return err
	}
	why := strings.TrimSuffix(strings.TrimSuffix(e.Hint, s.again()), "; ")
	if why == "" || why == hintLater {
		why = "the provider may have this flow for other purposes only"
	}
	e.Hint = why + "; or take the other flow: popsync auth login " + s.set.Account + " --flow browser"
	return err
}

// poll asks until the person has decided. What passes is no reason to stop: the person may be
// half-way.
func (s *Source) poll(ctx context.Context, a answer) (answer, error) {
	interval := min(a.Interval.or(usualInterval), maxInterval)
	for {
		if err := pause(ctx, max(interval, time.Second)); err != nil {
			return answer{}, err
		}
		form := url.Values{"grant_type": {deviceGrant}, "device_code": {a.DeviceCode}}
		if err := s.identify(ctx, form); err != nil {
			return answer{}, err
		}
		r, err := s.post(ctx, tokenURL, form)
		if passing(err) || err == nil && passes(r.status) {
			interval = min(2*interval, maxInterval) // section 3.5
			continue
		}
		got, err := s.read(r, err, form)
		if err == nil {
			return got, nil
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return answer{}, err
		}
		switch e.Code {
		case "authorization_pending":
		case "slow_down":
			interval += slowDown
		case "expired_token":
			return answer{}, errNobody
		case "access_denied", "authorization_declined":
			return answer{}, &Error{Kind: NeedsLogin, Code: e.Code, Text: e.Text, Hint: s.again(), Err: errors.New("the log-in was declined in the browser")}
		default:
			return answer{}, s.otherFlow(err)
		}
	}
}
