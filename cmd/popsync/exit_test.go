package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/uidl"
)

// C8
func TestExitStatus(t *testing.T) {
	poll := func(k fetch.Kind) error {
		return &fetch.Error{Account: "work", Server: "pop.example.org:995", Step: "log in", Kind: k, Err: errors.New("no")}
	}
	full := fmt.Errorf("state x: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"nothing wrong":             {nil, 0},
		"usage":                     {usagef("no"), 64},
		"unknown account":           {&config.UnknownAccountError{Name: "x"}, 64},
		"unreachable":               {poll(fetch.Unreachable), 69},
		"a fault of ours":           {poll(fetch.Internal), 70},
		"an unknown error":          {errors.New("no"), 70},
		"cannot write":              {poll(fetch.CannotWrite), 73},
		"a damaged state":           {&uidl.DamageError{Path: "x", Err: errors.New("no")}, 73},
		"a newer state":             {&uidl.VersionError{Path: "x", Version: 9}, 73},
		"a state out of reach":      {&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, 73},
		"a full disk":               {full, 74},
		"input/output error":        {poll(fetch.InputOutput), 74},
		"busy":                      {poll(fetch.Busy), 75},
		"a held state":              {&uidl.HeldError{Path: "x", PID: 1}, 75},
		"protocol":                  {poll(fetch.Protocol), 76},
		"refused":                   {poll(fetch.Refused), 77},
		"configuration":             {config.Errors{{File: "x", Message: "no"}}, 78},
		"no configuration":          {&configError{os.ErrNotExist, ""}, 78},
		"an account's own":          {poll(fetch.Config), 78},
		"interrupted":               {&signalError{signal: syscall.SIGINT}, 130},
		"terminated":                {&signalError{signal: syscall.SIGTERM}, 143},
		"the first counts":          {both(poll(fetch.Refused), poll(fetch.Unreachable)), 77},
		"a signal counts before":    {both(&signalError{signal: syscall.SIGTERM}, poll(fetch.Refused)), 143},
		"a reader that went away":   {&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}, 0},
		"a connection is no reader": {&fetch.Error{Account: "work", Kind: fetch.Unreachable, Err: fmt.Errorf("connection lost: %w", syscall.EPIPE)}, 69},
		"... after a failure":       {both(poll(fetch.Refused), syscall.EPIPE), 77},
		"standard output is full":   {&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, 74},
		"several inside of joined":  {both(both(nil, poll(fetch.Busy)), nil), 75},
	} {
		t.Run(name, func(t *testing.T) {
			if got := finish(new(strings.Builder), tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestErrorsAreTwoLinesEach(t *testing.T) {
	var b strings.Builder
	finish(&b, both(
		&fetch.Error{
			Account: "work", Server: "pop.example.org:995", Step: "log in", Kind: fetch.Refused,
			Err: errors.New("server says \"[AUTH] no\x1b[2J\r\n\""),
		},
		&configError{errors.New("c.yaml: no"), "write \x1b[2J"},
		&fetch.Error{
			Account: "home", Server: "pop.example.net:995", Step: "deliver", Kind: fetch.InputOutput,
			Err: errors.New("/mail/tmp: no space left on device"), Hint: "make room on /mail",
		},
	))
	want := `work: pop.example.org:995: log in: server says "[AUTH] no\x1b[2J\r\n"
  check username and password of the account
c.yaml: no
  write \x1b[2J
home: pop.example.net:995: deliver: /mail/tmp: no space left on device
  make room on /mail
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAllMistakesOfTheConfigurationAreTold(t *testing.T) {
	var b strings.Builder
	finish(&b, config.Errors{
		{File: "c.yaml", Line: 3, Column: 5, Key: "accounts[0].tsl", Message: `unknown key; did you mean "tls"?`},
		{File: "c.yaml", Line: 9, Column: 5, Key: "accounts[1]", Message: "host is missing"},
	})
	want := `c.yaml:3:5: accounts[0].tsl: unknown key; did you mean "tls"?
c.yaml:9:5: accounts[1]: host is missing
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// Every state has a way out.
func TestEveryFailureHasAHint(t *testing.T) {
	for k := fetch.Internal; k <= fetch.Interrupted; k++ {
		if h := hintOf(&fetch.Error{Account: "work", Kind: k}); (h == "") != (k == fetch.Interrupted) {
			t.Errorf("%v: hint %q", k, h)
		}
	}
}
