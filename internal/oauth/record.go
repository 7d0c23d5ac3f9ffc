package oauth

import (
	"encoding/json"
	"errors"
	"time"

	"popsync/internal/secret"
)

// A record is what is known of an account's tokens.
type record struct {
	access   secret.Value
	expiry   time.Time
	refresh  secret.Value
	previous secret.Value // the refresh token before; kept until the one that replaced it has worked once
	scopes   []string     // granted; nil where the server did not say

	clientID string // the tokens are of use to this client
	tokenURL string // ... and at this server alone

	obtained    time.Time // by a person's log-in
	refreshed   time.Time // last; zero: not yet
	refreshEnds time.Time // the refresh token's own end; zero: not known

	dead Death
}

// A Death is the end of a refresh token, as the server told it: nothing is asked any more until
// somebody logs in. The zero value means that it lives.
type Death struct {
	Reason string    `json:"reason"`
	Hint   string    `json:"hint,omitzero"`
	Time   time.Time `json:"time"`
}

// A file is a record as it lies on disk.
type file struct {
	Version      int       `json:"version"`
	AccessToken  string    `json:"access_token,omitzero"`
	Expiry       time.Time `json:"expiry,omitzero"`
	RefreshToken string    `json:"refresh_token,omitzero"`
	Previous     string    `json:"previous_refresh_token,omitzero"`
	Scopes       []string  `json:"scopes,omitzero"`
	ClientID     string    `json:"client_id"`
	TokenURL     string    `json:"token_url"`
	Obtained     time.Time `json:"obtained,omitzero"`
	Refreshed    time.Time `json:"refreshed,omitzero"`
	RefreshEnds  time.Time `json:"refresh_token_ends,omitzero"`
	Dead         Death     `json:"dead,omitzero"`
}

// version is that of the files that this program writes, and the newest that it reads.
const version = 1

var (
	errDamaged = errors.New("is damaged")
	errNewer   = errors.New("was written by a newer popsync")
)

func (r record) encode() []byte {
	text, err := json.MarshalIndent(file{
		version,
		r.access.Reveal(), r.expiry, r.refresh.Reveal(), r.previous.Reveal(), r.scopes,
		r.clientID, r.tokenURL, r.obtained, r.refreshed, r.refreshEnds, r.dead,
	}, "", "  ")
	if err != nil {
		panic(err) // strings and times of this century
	}
	return append(text, '\n')
}

// decode is the reverse. Its errors hold nothing of text.
func decode(text []byte) (record, error) {
	var f file
	if json.Unmarshal(text, &f) != nil || f.Version < 1 {
		return record{}, errDamaged
	}
	if f.Version > version {
		return record{}, errNewer
	}
	return record{
		secret.New(f.AccessToken), f.Expiry, secret.New(f.RefreshToken), secret.New(f.Previous), f.Scopes,
		f.ClientID, f.TokenURL, f.Obtained, f.Refreshed, f.RefreshEnds, f.Dead,
	}, nil
}

// usable reports whether the access token is good for another d, as far as we know, and is another
// one than refused.
func (r record) usable(now time.Time, d time.Duration, refused secret.Value) bool {
	return !r.access.IsZero() && !r.access.Equal(refused) && r.expiry.Sub(now) >= d
}
