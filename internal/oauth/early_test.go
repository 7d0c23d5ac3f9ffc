package oauth

import (
	"testing"
	"testing/synctest"
	"time"

	"popsync/internal/oauth/oauthtest"
)

// A8: a token of which less than five minutes are left is renewed, and one of which more than six are
// left is not. The times are written out here.
func TestTokenIsRenewedFiveMinutesBeforeItsEnd(t *testing.T) {
	for left, requests := range map[time.Duration]int{
		time.Minute:                    1,
		4 * time.Minute:                1,
		4*time.Minute + 59*time.Second: 1,
		6*time.Minute + time.Second:    0,
		7 * time.Minute:                0,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := oauthtest.NewInProcess(oauthtest.Options{})
			s, first := loggedIn(t, p, left)
			for range 20 { // when exactly is a matter of chance
				got := token(t, s)
				if got.Equal(first) != (requests == 0) || !p.Good(got.Reveal()) {
					t.Fatalf("%v are left, and the token is another one: %v", left, !got.Equal(first))
				}
			}
			asked(t, p, requests)
		})
	}
}
