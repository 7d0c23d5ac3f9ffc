package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"popsync/internal/secret"
)

// An answer is what an endpoint says in JSON, all of them in one: RFC 6749 (sections 5.1 and 5.2),
// RFC 8628 (section 3.2). A field of another type than it should have counts as missing.
type answer struct {
	AccessToken  string  `json:"access_token"`
	TokenType    string  `json:"token_type"`
	ExpiresIn    seconds `json:"expires_in"`
	RefreshToken string  `json:"refresh_token"`
	RefreshEnds  seconds `json:"refresh_token_expires_in"` // Google, for grants that end
	Scope        string  `json:"scope"`

	Error       string `json:"error"`
	Description string `json:"error_description"`

	DeviceCode      string  `json:"device_code"`
	UserCode        string  `json:"user_code"`
	VerificationURI string  `json:"verification_uri"`
	VerificationURL string  `json:"verification_url"` // Google's name for it
	Interval        seconds `json:"interval"`
}

// parse reads an answer; ok is false where body is no JSON object.
func parse(body []byte) (a answer, ok bool) {
	if body = bytes.TrimSpace(body); !bytes.HasPrefix(body, []byte("{")) {
		return answer{}, false
	}
	err := json.Unmarshal(body, &a)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other {
		err = nil
	}
	return a, err == nil
}

// seconds is a span that some servers write as a string.
type seconds struct {
	n     int64
	known bool
}

// maxSeconds is ten years: what is longer is as good as for ever.
const maxSeconds = 10 * 366 * 24 * 60 * 60

// UnmarshalJSON takes a number or a string with one; what is neither is not known.
func (s *seconds) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(text), `" `), 64)
	if err != nil || f != f {
		*s = seconds{}
		return nil
	}
	*s = seconds{int64(min(max(f, 0), maxSeconds)), true}
	return nil
}

func (s seconds) or(otherwise time.Duration) time.Duration {
	if !s.known {
		return otherwise
	}
	return time.Duration(s.n) * time.Second
}

// lifetime is how long an access token is good where the server does not say: the usual hour. A
// mail server that refuses it earlier has it renewed.
const lifetime = time.Hour

// token takes the access token out of a, which came at now. wanted are the scopes that were asked
// for: a server that grants exactly these need not repeat them (RFC 6749, section 5.1).
func (a answer) token(now time.Time, wanted []string) (record, error) {
	switch {
	case a.AccessToken == "":
		return record{}, errors.New("answers without an access token")
	case a.TokenType != "" && !strings.EqualFold(a.TokenType, "bearer"):
		return record{}, errors.New("gives tokens of another type than Bearer")
	case strings.ContainsFunc(a.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }):
		return record{}, errors.New("gives a token that cannot be sent to a mail server")
	}
	r := record{
		access:  secret.New(a.AccessToken),
		expiry:  now.Add(a.ExpiresIn.or(lifetime)).UTC().Truncate(time.Second),
		refresh: secret.New(a.RefreshToken),
		scopes:  strings.Fields(a.Scope),
	}
	if len(r.scopes) == 0 {
		r.scopes = wanted
	}
	if a.RefreshEnds.known && a.RefreshEnds.n > 0 {
		r.refreshEnds = now.Add(a.RefreshEnds.or(0)).UTC().Truncate(time.Second)
	}
	return r, nil
}
