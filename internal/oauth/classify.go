package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"popsync/internal/term"
)

// read takes the answer out of a reply, or says what the reply means. err is that of the request.
func (s *Source) read(r reply, err error, form url.Values) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	a, ok := parse(r.body)
	switch {
	case passes(r.status):
		return a, s.later(r, a, form)
	case r.status >= 300 && r.status < 400:
		return a, errorf(Later, "check oauth2.token_url", "%s: sends us elsewhere (%d), where no secret may go", r.host, r.status)
	case ok && a.Error != "":
		return a, s.refused(r.host, a, form)
	case !ok:
		return a, errorf(Later, hintLater, "%s: answers %d, and not in JSON", r.host, r.status)
	case r.status != http.StatusOK:
		return a, errorf(Later, hintLater, "%s: answers %d without saying why", r.host, r.status)
	}
	return a, nil
}

// later is a server in trouble.
func (s *Source) later(r reply, a answer, form url.Values) error {
	e := errorf(Later, hintLater, "%s: answers %d %s", r.host, r.status, http.StatusText(r.status))
	e.Code = short(conceal(a.Error, secretsOf(form)))
	if r.after > 0 {
		e.Hint = fmt.Sprintf("it asks to wait %s; the tokens are kept, and the next poll asks again", term.Duration(r.after))
	}
	return e
}

// refused is what the error code of a server means (RFC 6749, sections 4.1.2.1 and 5.2).
func (s *Source) refused(host string, a answer, form url.Values) *Error {
	secrets := secretsOf(form)
	e := &Error{
		Kind: Later,
		Code: short(conceal(a.Error, secrets)),
		Text: short(conceal(plain(a.Description), secrets)),
		Hint: hintLater,
	}
	e.Err = errors.New(host + " says " + e.Code)
	if e.Text != "" {
		e.Err = fmt.Errorf("%w: %q", e.Err, e.Text)
	}
	if c, ok := codes[a.Error]; ok {
		e.Kind, e.Hint = c.kind, c.hint
	}
	if m := microsoftCode(a.Description); m != nil {
		e.Kind, e.Hint = m.kind, m.hint
	}
	if e.Kind == NeedsLogin && !s.machine() {
		e.Hint = strings.TrimPrefix(e.Hint+"; ", "; ") + s.again()
	}
	return e
}

// plain is a description without what Microsoft adds for its own support.
func plain(description string) string {
	for _, mark := range []string{" Trace ID:", "\r\nTrace ID:", "\nTrace ID:"} {
		description, _, _ = strings.Cut(description, mark)
	}
	return strings.TrimSpace(description)
}

// A meaning is what to do about an error.
type meaning struct {
	kind Kind
	hint string
}

// codes are those of RFC 6749 and OpenID Connect that mean more than trouble that passes.
var codes = map[string]meaning{
	"invalid_grant":          {NeedsLogin, ""},
	"interaction_required":   {NeedsLogin, "the provider wants to see a person"},
	"login_required":         {NeedsLogin, "the provider wants to see a person"},
	"consent_required":       {NeedsLogin, "you or an administrator have to allow popsync to read the mail"},
	"access_denied":          {NeedsLogin, "the log-in was declined"},
	"invalid_client":         {Configuration, "check oauth2.client_id and client_secret of the account"},
	"unauthorized_client":    {Configuration, "the client registered as oauth2.client_id may not do this; see its settings at the provider"},
	"invalid_scope":          {Configuration, "check oauth2.scopes of the account"},
	"unsupported_grant_type": {Configuration, "the provider has no such grant; check oauth2.grant and token_url of the account"},
}

// A microsoft error says more than its OAuth2 code does. Where waits is set, the same refresh token
// may work again once somebody has done something.
type microsoft struct {
	code string // behind AADSTS
	meaning
	waits bool
}

var microsofts = []microsoft{
	{"700082", meaning{NeedsLogin, "the refresh token was not used for 90 days and has ended"}, false},
	{"70043", meaning{NeedsLogin, "your organisation wants a new sign-in from time to time (Conditional Access)"}, false},
	{"50173", meaning{NeedsLogin, "the password was changed, or the sign-ins were revoked"}, false},
	{"70008", meaning{NeedsLogin, "the code or token has ended"}, false},
	{"70000", meaning{NeedsLogin, "the grant is no longer good"}, false},
	{"50057", meaning{NeedsLogin, "the account is disabled; ask an administrator"}, true},
	{"50076", meaning{NeedsLogin, "your organisation wants a second factor"}, true},
	{"50079", meaning{NeedsLogin, "your organisation wants a second factor to be set up"}, true},
	{"65001", meaning{NeedsLogin, "you or an administrator have to allow popsync to read the mail"}, true},
	{"65004", meaning{NeedsLogin, "the permission was declined"}, true},
	{"53003", meaning{NeedsLogin, "your organisation's rules (Conditional Access) forbid it, for this device, place or flow; ask an administrator"}, true},
	{"50105", meaning{NeedsLogin, "an administrator has not let you use this client"}, true},
	{"90094", meaning{NeedsLogin, "an administrator has to allow popsync to read the mail"}, true},
	{"7000218", meaning{Configuration, `switch on "Allow public client flows" at the client's registration, or set oauth2.client_secret`}, false},
	{"7000215", meaning{Configuration, "oauth2.client_secret is wrong: its value is wanted, not its id"}, false},
	{"7000222", meaning{Configuration, "oauth2.client_secret has ended; make a new one at the client's registration"}, false},
	{"700016", meaning{Configuration, "the directory does not know oauth2.client_id; check it and oauth2.tenant"}, false},
	{"50194", meaning{Configuration, "the client is for one directory: set oauth2.tenant to that directory's id"}, false},
	{"90002", meaning{Configuration, "there is no such directory; check oauth2.tenant"}, false},
	{"70011", meaning{Configuration, "check oauth2.scopes of the account"}, false},
	{"28000", meaning{Configuration, "oauth2.scopes mixes several services; name those of Outlook alone"}, false},
}

// microsoftCode finds the one that a description begins with, or nil.
func microsoftCode(description string) *microsoft {
	_, rest, ok := strings.Cut(description, "AADSTS")
	if !ok {
		return nil
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	i := slices.IndexFunc(microsofts, func(m microsoft) bool { return m.code == digits })
	if i < 0 {
		return nil
	}
	return &microsofts[i]
}

// ends reports whether err is the end of a refresh token: nothing but a new log-in will help.
func ends(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != NeedsLogin || e.Code != "invalid_grant" {
		return false
	}
	m := microsoftCode(e.Text)
	return m == nil || !m.waits
}
