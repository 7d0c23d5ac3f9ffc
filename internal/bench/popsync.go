package main

import (
	"fmt"
	"os"
	"path/filepath"

	"popsync/internal/realtest"
)

var popsync = contender{
	name: "popsync", configure: configurePopsync,
	note: "syncs each message, and the folder, before it records the delivery",
}

// popsyncWide polls more accounts of one host at once than the default allows.
var popsyncWide = contender{
	name: "popsync-64", note: "popsync with `max_parallel: 64` and `max_per_host: 64`",
	configure: func(e errand) (run, error) {
		r, err := configurePopsync(e)
		if err != nil {
			return r, err
		}
		return r, appendTo(e.file(popsyncConfig), "max_parallel: %d\nmax_per_host: %[1]d\n", wide)
	},
}

const (
	popsyncConfig = "config.yaml"
	wide          = 64
)

func configurePopsync(e errand) (run, error) {
	accounts := make([]realtest.Account, len(e.users))
	for i, user := range e.users {
		a := realtest.Account{Name: user, Host: host, Port: e.port, TLS: e.tls, User: user, Keep: !e.remove, Maildir: e.maildir(user)}
		if e.secure() {
			a.CA = e.ca
		}
		if e.agent != "" {
			a.MDA = []string{e.agent, e.inbox(user)}
		}
		accounts[i] = a
	}
	config := e.file(popsyncConfig)
	return run{argv: []string{filepath.Join(e.bin, "popsync"), "fetch", "--config", config}}, realtest.WriteConfig(config, accounts...)
}

// appendTo adds to a file that is there.
func appendTo(name, format string, args ...any) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, format, args...)
	return err
}
