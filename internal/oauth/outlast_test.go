package oauth

import (
	"context"
	"testing"
	"time"

	"popsync/internal/oauth/oauthtest"
)

// A8, P4: a signal while the provider answers does not lose the refresh token that it has just
// replaced: the answer is waited for a little, and saved.
func TestEndWhileAsking(t *testing.T) {
	p := oauthtest.New(t, oauthtest.Options{Rotate: true})
	s, _ := loggedIn(t, p, time.Minute)
	before := stored(t, s).refresh
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.Next("/token", p.After(func() { cancel(); time.Sleep(100 * time.Millisecond) }, p.Changed(nil)))
	if _, err := s.Token(ctx); err != nil {
		t.Error(err)
	}
	if after := stored(t, s).refresh; after.Equal(before) {
		t.Error("the new refresh token is lost")
	}
}
