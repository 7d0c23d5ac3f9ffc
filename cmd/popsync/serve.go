package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"popsync/internal/config"
	"popsync/internal/owner"
)

// The codes of failures that this program's owners tell.
const (
	codeSettings = "settings" // an account is not the same in both configurations
	codeFailed   = "failed"   // what was asked for failed; the detail is what explain makes of it
)

// A service is an operation as another process asks for it.
type service struct {
	name string
	do   func(ctx context.Context, h *holder, r *owner.Request, query json.RawMessage) (any, error)
}

// services are all that a holder does for others.
func services() []service {
	return append(uidlServices(), fetchService())
}

func (op operation[Q, E, A]) service() service {
	return service{op.name, func(ctx context.Context, h *holder, r *owner.Request, query json.RawMessage) (any, error) {
		var q Q
		if err := json.Unmarshal(query, &q); err != nil {
			return nil, err
		}
		return op.do(ctx, h, q, func(e E) error {
			if op.lossy {
				r.Tell(e)
				return nil
			}
			return r.Emit(e)
		})
	}}
}

// serve answers other processes until the holder is closed. Where nobody can listen they wait for
// its end instead.
func (h *holder) serve(ctx context.Context, command string) {
	path, err := socketOf(h.config.State)
	if err == nil {
		h.socket, err = owner.Listen(path)
	}
	if err != nil {
		h.deaf = err
		return
	}
	h.ctx, h.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		h.stop(context.Cause(ctx))
		h.socket.Drain(ctx) // at once: from now on we say that we are about to end
	})
	byName := make(map[string]service)
	for _, s := range services() {
		byName[s.name] = s
	}
	hello := owner.Hello{Version: thisVersion(), Command: command, Config: configName(h.config)}
	go h.socket.Serve(func() owner.Hello { return hello }, func(ctx context.Context, r *owner.Request) (any, error) {
		return h.answer(ctx, byName[r.Do], r)
	})
}

// answer does what another process asks for.
func (h *holder) answer(ctx context.Context, s service, r *owner.Request) (any, error) {
	var q struct {
		Settings map[string]string `json:"settings"`
		Query    json.RawMessage   `json:"query"`
	}
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return nil, err
	}
	if s.do == nil || !h.sameSettings(q.Settings) {
		return nil, owner.NewFailure(codeSettings, nil)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.ctx, func() { cancel(context.Cause(h.ctx)) })()
	answer, err := s.do(ctx, h, r, q.Query)
	if err != nil && h.ctx.Err() != nil {
		return nil, owner.NewFailure(owner.CodeEnding, nil) // that we are told to end is no failure of theirs
	}
	if _, told := errors.AsType[*owner.Failure](err); err != nil && !told {
		err = owner.NewFailure(codeFailed, farOf(err))
	}
	return answer, err
}

// every calls f again and again until stop.
func every(d time.Duration, f func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}

// settings are digests of the accounts that the task is about, without their secrets.
func (t *task) settings() map[string]string {
	accounts := t.chosen
	if accounts == nil {
		accounts = t.config.Accounts
	}
	digests := make(map[string]string, len(accounts))
	for _, a := range accounts {
		digests[a.Name] = settingsOf(a)
	}
	return digests
}

// settingsOf is a digest of all that an account says. Secrets do not show themselves, and the line
// where it stands means nothing.
func settingsOf(a config.Account) string {
	a.Line = 0
	text, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// sameSettings says whether accounts are here as another process knows them, and need nobody there
// to give their passwords.
func (h *holder) sameSettings(theirs map[string]string) bool {
	ours := make(map[string]config.Account, len(h.config.Accounts))
	for _, a := range h.config.Accounts {
		ours[a.Name] = a
	}
	for name, digest := range theirs {
		if a, ok := ours[name]; !ok || settingsOf(a) != digest {
			return false
		}
	}
	return true
}
