package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"popsync/internal/config"
	"popsync/internal/term"
	"popsync/uidl"
)

// A summaryWire is what is known of one mailbox, in numbers, on its way from one process to another.
type summaryWire struct {
	place
	States  []int // records by state
	Intents int
	History int
	Missing int
	Poll    uidl.Poll
	Damage  string // what is wrong with it; the numbers are those of what could be read
}

func summaryWireOf(cfg *config.Config, s uidl.Summary) summaryWire {
	return summaryWire{placed(cfg, s.Mailbox, s.Account), s.States[:], s.Intents, s.History, s.Missing, s.Poll, damageOf(s.Err)}
}

// damageOf is what is wrong with a mailbox, without its name; empty: nothing.
func damageOf(err error) string {
	if d, ok := errors.AsType[*uidl.DamageError](err); ok {
		err = d.Err
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// records are how many there are.
func (w summaryWire) records() (n int) {
	for _, m := range w.States {
		n += m
	}
	return n
}

// states tell the records apart, the most advanced first, in words.
func (w summaryWire) states() string {
	var parts []string
	for state := len(w.States) - 1; state >= 0; state-- {
		if n := w.States[state]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+stateName(uidl.State(state)))
		}
	}
	return strings.Join(parts, ", ")
}

// remarks say what is unusual.
func (w summaryWire) remarks(accounts map[string]bool) term.Cell {
	var parts []string
	switch {
	case w.Damage != "":
		return term.Cell{Text: "damaged", Style: term.Bad}
	case !w.Configured && accounts[w.Account]:
		parts = append(parts, "an earlier mailbox")
	case !w.Configured:
		parts = append(parts, "not configured any more")
	}
	if w.Missing > 0 {
		parts = append(parts, strconv.Itoa(w.Missing)+" not listed any more")
	}
	if w.Intents > 0 {
		parts = append(parts, strconv.Itoa(w.Intents)+" being delivered")
	}
	return term.Cell{Text: strings.Join(parts, ", "), Style: term.Dim}
}

// A summaryJSON is the same for programs.
type summaryJSON struct {
	Name       string         `json:"name"`
	Server     string         `json:"server"`
	User       string         `json:"user"`
	Configured bool           `json:"configured"` // it is this account's mailbox
	Records    int            `json:"records"`
	States     map[string]int `json:"states"`
	Missing    int            `json:"missing"`
	Intents    int            `json:"intents"`
	History    int            `json:"history"`
	LastPoll   *time.Time     `json:"last_poll,omitempty"`
	LastGood   *time.Time     `json:"last_good_poll,omitempty"`
	Error      *errorJSON     `json:"error,omitempty"`
}

func (w summaryWire) json(state string) summaryJSON {
	j := summaryJSON{
		Name: w.Account, Server: serverName(w.Mailbox), User: w.Mailbox.User, Configured: w.Configured,
		Records: w.records(), States: make(map[string]int), Missing: w.Missing, Intents: w.Intents, History: w.History,
		LastPoll: stampJSON(w.Poll.Ended), LastGood: stampJSON(w.Poll.Good),
	}
	for state, n := range w.States {
		if n > 0 {
			j.States[stateName(uidl.State(state))] = n
		}
	}
	if err := w.err(state); err != nil {
		j.Error = explainOne(err).json()
	}
	return j
}

// err is what is wrong with the mailbox, or nil; state is the file.
func (w summaryWire) err(state string) error {
	if w.Damage == "" {
		return nil
	}
	return &uidl.DamageError{Path: state, Mailbox: &w.Mailbox, Err: textError(w.Damage)}
}

// A textError is an error of another process, in its words.
type textError string

func (e textError) Error() string { return string(e) }
