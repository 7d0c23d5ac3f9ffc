package oauth

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"popsync/internal/secret"
	"popsync/internal/term"
)

// A Person is how somebody who logs in is reached.
type Person struct {
	Say   io.Writer          // what there is to do, in lines
	Paste io.Reader          // where the address that a browser ended at may be pasted; nil: nowhere
	Open  func(string) error // opens a URL in a browser; nil: that is the person's affair
	Port  int                // where the browser's answer is waited for; 0: any that is free
	SSH   string             // the value of $SSH_CONNECTION: the browser is on another machine; may be empty
}

// Tokens are what a log-in has given; [Source.Keep] or [Source.Export] make something of them.
type Tokens struct{ record record }

// Access is the access token.
func (t Tokens) Access() secret.Value { return t.record.access }

// Keep saves tokens in place of those that were there. That the folder can be written is better
// found out by [Source.Ready] before anybody logs in.
func (s *Source) Keep(ctx context.Context, t Tokens) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.save(t.record, t.record)
}

// Ready reports what would keep a log-in from being of use: wrong settings, a client secret that
// cannot be had and, where the tokens are to be kept here, a folder that cannot be written.
func (s *Source) Ready(ctx context.Context, keep bool) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := s.identify(ctx, url.Values{}); err != nil || !keep {
		return err
	}
	return s.tryDisk()
}

// Client logs the program itself in (client_credentials): nobody is asked.
func (s *Source) Client(ctx context.Context) (Tokens, error) {
	r, err := s.refresh(ctx, s.fresh())
	return Tokens{r}, err
}

// Machine reports whether the account's grant is the program's own, without a person.
func (s *Source) Machine() bool { return s.machine() }

// Flows reports which ways for a person there are: a page of the provider, or a code to type there.
func (s *Source) Flows() (browser, device bool) {
	return s.set.Endpoints.AuthURL != "", s.set.Endpoints.DeviceURL != ""
}

// accept takes the tokens of a person's log-in: with a refresh token, and all that was asked for.
func (s *Source) accept(a answer) (Tokens, error) {
	r, err := s.granted(a)
	if err != nil {
		return Tokens{}, err
	}
	if missing := missingScopes(s.set.Endpoints.Scopes, r.scopes); len(missing) > 0 {
		return Tokens{}, errorf(NeedsLogin, s.again()+", and allow all that is asked for",
			"not everything was granted: %s is missing", strings.Join(missing, " "))
	}
	if r.refresh.IsZero() {
		return Tokens{}, errorf(NeedsLogin, offlineHint(s.set.Endpoints.Scopes),
			"offline access was not granted: %s gave no refresh token, and without one mail could be fetched for an hour only", s.host())
	}
	r.obtained = time.Now().UTC() // with its fractions: no two log-ins are the same
	return Tokens{r}, nil
}

func offlineHint(scopes []string) string {
	for _, scope := range scopes {
		if scope == "offline_access" {
			return "log in again; if it stays so, take the client's access away in the settings of the mail account first, or see the client's settings at the provider"
		}
	}
	return "take the client's access away in the settings of the mail account and log in again, or add offline_access to oauth2.scopes where the provider knows it"
}

// unlisted are scopes that servers grant without listing them.
var unlisted = []string{"offline_access", "openid", "profile", "email"}

// missingScopes are those wanted and not granted. Microsoft answers for one of Outlook's two names
// when the other one was asked for, and in capitals of its own.
func missingScopes(wanted, granted []string) []string {
	there := make(map[string]bool)
	for _, scope := range append(granted, unlisted...) {
		there[normalScope(scope)] = true
	}
	var missing []string
	for _, scope := range wanted {
		if !there[normalScope(scope)] && !strings.HasSuffix(scope, "/.default") {
			missing = append(missing, scope)
		}
	}
	return missing
}

func normalScope(scope string) string {
	scope = strings.TrimSuffix(strings.ToLower(scope), "/")
	return strings.Replace(scope, "//outlook.office365.com/", "//outlook.office.com/", 1)
}

// errNobody ends a wait for a person.
var errNobody = errors.New("nobody has logged in")

// nobody is err, or that the time for a person is over.
func (s *Source) nobody(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errNobody) {
		return errorf(NeedsLogin, s.again(), "nobody has logged in within %s", term.Duration(patience))
	}
	return err
}

// patience is how long a person may take.
const patience = 10 * time.Minute
