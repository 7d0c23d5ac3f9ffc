package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strconv"

	"popsync/internal/config"
	"popsync/internal/term"
	"popsync/uidl"
)

// mailboxOf names the records of an account.
func mailboxOf(a config.Account) uidl.Mailbox {
	return uidl.Mailbox{Host: a.Host, Port: a.Port, User: a.Username}
}

// mailboxName is what uidl list shows of a mailbox, and what other commands take for its name:
// alice@pop.example.org:995, or alice@unix:/path.
func mailboxName(m uidl.Mailbox) string { return m.User + "@" + serverName(m) }

func serverName(m uidl.Mailbox) string {
	if m.Port == 0 {
		return m.Host
	}
	return net.JoinHostPort(m.Host, strconv.Itoa(m.Port))
}

// A place is a mailbox and how it is called.
type place struct {
	Account    string // its name in the configuration, or the one that it had last
	Mailbox    uidl.Mailbox
	Configured bool // it is that account's mailbox
}

// name is that of the account, where that says which mailbox is meant.
func (p place) name() string {
	if p.Configured {
		return p.Account
	}
	return mailboxName(p.Mailbox)
}

// A placeJSON is a mailbox's name for programs.
type placeJSON struct {
	Name   string `json:"name"`
	Server string `json:"server"`
	User   string `json:"user"`
}

func (p place) json() placeJSON { return placeJSON{p.Account, serverName(p.Mailbox), p.Mailbox.User} }

// placeOf is the mailbox that word names: by an account, or as uidl list shows it. An account that
// is not configured any more, or an earlier mailbox of one that is, has its name in the state only.
func (h *holder) placeOf(ctx context.Context, word string) (place, error) {
	p, unknown := h.configured(word)
	if unknown == nil {
		return p, nil
	}
	there, err := h.places(ctx)
	if err != nil {
		return place{}, err
	}
	var named []place
	for _, p := range there {
		name := mailboxName(p.Mailbox)
		if word == name || word == term.Escape(name) {
			return p, nil
		}
		if word == p.Account {
			named = append(named, p)
		}
	}
	switch len(named) {
	case 1:
		return named[0], nil
	case 0:
		return place{}, &advised{unknown, "popsync uidl list shows the mailboxes that are known"}
	}
	return place{}, &usageError{
		"several mailboxes were those of " + quoted(word) + ": " + placeNames(named),
		"name one of them",
	}
}

// configured is the mailbox of the account called name.
func (h *holder) configured(name string) (place, error) {
	chosen, err := h.config.Select([]string{name})
	if err != nil {
		return place{}, err
	}
	return place{name, mailboxOf(chosen[0]), true}, nil
}

// places are the mailboxes of the state, sorted by account.
func (h *holder) places(ctx context.Context) ([]place, error) {
	summaries, err := h.store.Summaries(ctx)
	if err != nil {
		return nil, err
	}
	there := make([]place, len(summaries))
	for i, s := range summaries {
		there[i] = placed(h.config, s.Mailbox, s.Account)
	}
	return there, nil
}

// placed is the mailbox m beside which the state has the name of account.
func placed(cfg *config.Config, m uidl.Mailbox, account string) place {
	for _, a := range cfg.Accounts {
		if mailboxOf(a) == m {
			return place{a.Name, m, true}
		}
	}
	return place{account, m, false}
}

func placeNames(places []place) string {
	text := ""
	for i, p := range places {
		if i > 0 {
			text += ", "
		}
		text += mailboxName(p.Mailbox)
	}
	return text
}

// An openBox is the box of a place, opened by its holder.
type openBox struct {
	*uidl.Box
	place place
	store *uidl.DB
}

// at opens the box of a place.
func (h *holder) at(ctx context.Context, p place) (openBox, error) {
	box, err := h.store.Box(ctx, p.Mailbox, p.Account)
	return openBox{box, p, h.store}, err
}

// each calls f for the records, by UID and rank. What is damaged is left out, with an error at the
// end.
func (b openBox) each(ctx context.Context, f func(uidl.Entry) error) error {
	if b.Note() == "" || !b.place.Configured {
		err := b.store.Each(ctx, b.place.Mailbox, f)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was never polled
		}
		return err
	}
	records, err := b.Records(ctx) // they lie in an earlier mailbox until the next poll
	if err != nil {
		return err
	}
	for _, e := range records {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// alone opens the box of a place for a change of its records; leave ends that. Nobody polls the
// mailbox meanwhile, who would write back what he has read before.
func (h *holder) alone(ctx context.Context, p place) (b openBox, leave func(), err error) {
	if leave, err = h.poller.Alone(ctx, p.Mailbox); err != nil {
		return openBox{}, nil, err
	}
	if b, err = h.at(ctx, p); err != nil {
		leave()
	}
	return b, leave, err
}

// An advised error knows better than its cause what to do.
type advised struct {
	err  error
	hint string
}

func (e *advised) Error() string { return e.err.Error() }
func (e *advised) Unwrap() error { return e.err }
func (e *advised) Hint() string  { return e.hint }
