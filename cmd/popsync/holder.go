package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"popsync/deliver"
	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/owner"
	"popsync/internal/secret"
	"popsync/uidl"
)

// A holder is this process while it holds the state: what is asked of the state, by its own command
// or by another process, it does.
type holder struct {
	config  *config.Config
	secrets secrets
	store   *uidl.DB      // nil in a dry run without a state
	marks   deliver.Owner // of the files that this process stages
	poller  *fetch.Poller

	socket *owner.Listener // where others ask; nil where nobody can
	deaf   error           // why
	ctx    context.Context // of what is done for others
	stop   context.CancelCauseFunc

	asked []config.Account // whose passwords were asked for where nothing gives them

	mu       sync.Mutex
	accounts map[string]fetch.Account // by name; made once, for nobody else may use their targets
}

// newHolder is one of an open state, which it closes; nil where there is none and none is wanted.
func newHolder(cfg *config.Config, asker *secret.Asker, store *uidl.DB) *holder {
	h := &holder{config: cfg, secrets: newSecrets(cfg, asker), store: store, accounts: make(map[string]fetch.Account)}
	if store != nil {
		h.marks = deliver.NewOwner(store.ID())
	}
	h.poller = &fetch.Poller{Store: store, Owner: h.marks, MaxParallel: cfg.MaxParallel, MaxPerHost: cfg.MaxPerHost}
	return h
}

// note is what is to be told once of the state, or empty.
func (h *holder) note() string {
	if h.store == nil {
		return ""
	}
	return h.store.Note()
}

// close lets what is done for others come to its end, or ends it with ctx, and lets go of the state.
func (h *holder) close(ctx context.Context) error {
	if h.socket != nil {
		h.socket.Drain(ctx)
		h.stop(context.Cause(ctx))
		_ = h.socket.Close() // a socket that stays is taken over by the next
	}
	if h.store == nil {
		return nil
	}
	return h.store.Close()
}

// account is a as it is polled. What is wrong with it is its poll's failure.
func (h *holder) account(a config.Account) fetch.Account {
	h.mu.Lock()
	defer h.mu.Unlock()
	account, ok := h.accounts[a.Name]
	if !ok {
		account, _ = accountOrFailure(h.config, a, h.secrets)
		if h.store != nil {
			giveTarget(&account, a, h.config.State, h.marks)
		}
		h.accounts[a.Name] = account
	}
	return account
}

// all are those of chosen.
func (h *holder) all(chosen []config.Account) []fetch.Account {
	accounts := make([]fetch.Account, len(chosen))
	for i, a := range chosen {
		accounts[i] = h.account(a)
	}
	return accounts
}

// hasPasswords says whether nobody needs to be asked for a password of chosen any more.
func (h *holder) hasPasswords(chosen []config.Account) bool {
	return !slices.ContainsFunc(chosen, func(a config.Account) bool {
		return needsPassword(a) && !a.Password.Given() && !slices.ContainsFunc(h.asked, func(b config.Account) bool { return a.Name == b.Name })
	})
}

// keepGood makes the daily copy of a state that was found to be good. It is nobody's failure that
// there is no room for it.
func (h *holder) keepGood(ctx context.Context) {
	if h.store != nil {
		_, _ = h.store.KeepGood(ctx, time.Now())
	}
}
