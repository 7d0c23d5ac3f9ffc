package main

import (
	"errors"

	"popsync/fetch"
	"popsync/fetch/pop3"
	"popsync/internal/term"
)

// inWords is a failure in a few words, for a table. Programs have its code.
func inWords(e *fetch.Error) string {
	if words := wordsFrom(e); words != "" {
		return words
	}
	switch {
	case e.Kind == fetch.Interrupted:
		return "interrupted"
	case e.Certificates != nil:
		return "certificate refused"
	case errors.Is(e, fetch.ErrRenumbered):
		return "renumbered"
	case e.Step == "password":
		return "no password"
	case e.Step == "token":
		return tokenWords(e.Kind)
	case e.Step == "configuration", e.Kind == fetch.Config:
		return "wrong configuration"
	case e.Step == "log in" && e.Kind == fetch.Refused:
		return logInWords(e)
	}
	return kindWords(e)
}

// logInWords tell a server that refuses from one that offers nothing to log in with.
func logInWords(e *fetch.Error) string {
	if refusal, ok := errors.AsType[*pop3.ResponseError](e); ok && refusal.Code == "AUTH" {
		return "wrong password"
	}
	return "log-in refused"
}

func tokenWords(k fetch.Kind) string {
	switch k {
	case fetch.Refused:
		return "not logged in"
	case fetch.Config:
		return "wrong configuration"
	case fetch.Busy:
		return "no token yet"
	}
	return "tokens not readable"
}

func kindWords(e *fetch.Error) string {
	switch e.Kind {
	case fetch.Unreachable:
		if e.Step != "connect" {
			return "connection lost"
		}
		return "unreachable"
	case fetch.Protocol:
		return term.Escape(e.Step) + ": bad reply"
	case fetch.Busy:
		return "busy, later"
	case fetch.Refused:
		return "mailbox refused"
	case fetch.CannotWrite:
		return "cannot write"
	case fetch.InputOutput:
		return "disk failure"
	}
	return "fault of popsync"
}
