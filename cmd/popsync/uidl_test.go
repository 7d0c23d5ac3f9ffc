package main

import (
	"testing"

	"popsync/fetch"
)

func TestRebound(t *testing.T) {
	for want, r := range map[string]fetch.Rebinding{
		"nothing to do: all known messages are listed under their UIDs":                          {},
		"nothing to do: all known messages are listed under their UIDs; the next fetch brings 3": {Unknown: 3},
		"25 of 25 messages that had gone are known again":                                        {Known: 25, Unknown: 25, Matched: 25},
		"24 of 25 messages that had gone are known again; the next fetch brings the other 2":     {Known: 25, Unknown: 26, Matched: 24},
	} {
		if got := rebound(r, false); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
