package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"popsync/fetch"
	"popsync/fetch/pop3"
)

// C7: what people read in a table; programs have the code.
func TestInWords(t *testing.T) {
	no := errors.New("no")
	for want, e := range map[string]fetch.Error{
		"no password":         {Step: "password", Kind: fetch.Config, Err: no},
		"wrong password":      {Step: "log in", Kind: fetch.Refused, Err: &pop3.ResponseError{Code: "AUTH"}},
		"log-in refused":      {Step: "log in", Kind: fetch.Refused, Err: &pop3.ResponseError{}},
		"renumbered":          {Step: "list", Kind: fetch.Protocol, Err: fmt.Errorf("%w: 25 of 25", fetch.ErrRenumbered)},
		"list: bad reply":     {Step: "list", Kind: fetch.Protocol, Err: no},
		"mailbox refused":     {Step: "list", Kind: fetch.Refused, Err: no},
		"certificate refused": {Step: "TLS", Kind: fetch.Unreachable, Err: no, Certificates: []*x509.Certificate{{}}},
		"not logged in":       {Step: "token", Kind: fetch.Refused, Err: no},
		"no token yet":        {Step: "token", Kind: fetch.Busy, Err: no},
		"unreachable":         {Step: "connect", Kind: fetch.Unreachable, Err: no},
		"connection lost":     {Step: "retrieve", Kind: fetch.Unreachable, Err: no},
		"busy, later":         {Step: "log in", Kind: fetch.Busy, Err: no},
		"wrong configuration": {Step: "configuration", Kind: fetch.Config, Err: no},
		"cannot write":        {Step: "deliver", Kind: fetch.CannotWrite, Err: no},
		"disk failure":        {Step: "deliver", Kind: fetch.InputOutput, Err: no},
		"interrupted":         {Step: "list", Kind: fetch.Interrupted, Err: no},
		"fault of popsync":    {Step: "poll", Kind: fetch.Internal, Err: no},
	} {
		if got := inWords(&e); got != want {
			t.Errorf("%s: %v: got %q, want %q", e.Step, e.Kind, got, want)
		}
	}
}
