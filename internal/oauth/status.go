package oauth

import (
	"fmt"
	"time"
)

// A Status is what is known of an account's tokens, without them.
type Status struct {
	Scopes      []string
	AccessEnds  time.Time
	Obtained    time.Time // by a log-in
	Refreshed   time.Time // last; zero: not yet
	RefreshEnds time.Time // zero: not known
	Refreshable bool      // there is a refresh token
	Dead        Death     // zero: it lives
}

// Status reads the file of the tokens. Nobody is asked.
func (s *Source) Status() (Status, error) {
	r, err := s.known()
	if err != nil {
		return Status{}, err
	}
	return Status{r.scopes, r.expiry, r.obtained, r.refreshed, r.refreshEnds, !r.refresh.IsZero(), r.dead}, nil
}

// Grant names the log-in that the tokens come from: another one after another log-in, the same one
// however often they are renewed. Empty where there are none.
func (s *Source) Grant() string {
	r, err := s.known()
	switch {
	case err != nil:
		return ""
	case s.machine():
		return "client " + r.clientID
	}
	return r.obtained.Format(time.RFC3339Nano)
}

// warnAhead is how long before its end a refresh token is worth a word.
const warnAhead = 14 * 24 * time.Hour

// testPhase is more than the seven days that a grant lives where a Google client's publishing status
// is "Testing".
const testPhase = 8 * 24 * time.Hour

// Warning is what is to be told at now though everything works, or empty.
func (s *Source) Warning(st Status, now time.Time) string {
	left := st.RefreshEnds.Sub(now)
	if st.RefreshEnds.IsZero() || st.Dead != (Death{}) || left > warnAhead {
		return ""
	}
	text := fmt.Sprintf("the refresh token ends on %s", st.RefreshEnds.Local().Format("2006-01-02 15:04"))
	if hostOf(s.set.Endpoints.TokenURL) == "oauth2.googleapis.com" && st.RefreshEnds.Sub(st.Obtained) < testPhase {
		return text + `, seven days after the log-in: set the client's publishing status to "In production" in the Google Cloud console, then ` + s.again()
	}
	return text + "; before that, " + s.again()
}
