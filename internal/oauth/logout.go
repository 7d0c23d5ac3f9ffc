package oauth

import (
	"context"
	"errors"
	"net/url"
	"os"

	"popsync/internal/durable"
)

// Logout forgets the account's tokens. Where the provider takes tokens back it is asked to first;
// taken reports that it did, and told is why not. Neither keeps the file from going.
func (s *Source) Logout(ctx context.Context) (taken bool, told, err error) {
	r, err := s.load()
	if k, ok := kindOf(err); errors.Is(err, ErrNoTokens) || ok && k == Storage {
		return false, nil, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return false, nil, err
	}
	defer unlock()
	r, loaded := s.load()
	if loaded == nil && sameServer(r.tokenURL, s.set.Endpoints.TokenURL) {
		taken, told = s.revoke(ctx, r)
	}
	s.sweep()
	if err := os.Remove(s.path()); err != nil {
		return taken, told, s.storage(err)
	}
	if err := durable.SyncDir(s.set.Dir); err != nil {
		return taken, told, s.storage(err)
	}
	return taken, told, nil
}

// revoke has the provider take the refresh token back (RFC 7009), or what there is in its place.
func (s *Source) revoke(ctx context.Context, r record) (bool, error) {
	token := r.refresh
	if token.IsZero() {
		token = r.access
	}
	if s.set.Endpoints.RevokeURL == "" || token.IsZero() {
		return false, nil
	}
	form := url.Values{"token": {token.Reveal()}}
	got, err := s.post(ctx, revokeURL, form)
	if err != nil {
		return false, err
	}
	if got.status != 200 {
		_, err = s.read(got, nil, form)
		return false, err
	}
	return true, nil
}
