package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"popsync/internal/secret"
)

// maxSize is the most that a configuration may be, in bytes: some times what 1,000 accounts need.
const maxSize = 1 << 20

// Options are what a configuration depends on besides its file.
type Options struct {
	Getenv func(string) string // nil: os.Getenv
	Getuid func() int          // nil: os.Getuid
}

func (o Options) getenv() func(string) string {
	if o.Getenv == nil {
		return os.Getenv
	}
	return o.Getenv
}

func (o Options) uid() int {
	if o.Getuid == nil {
		return os.Getuid()
	}
	return o.Getuid()
}

// Load reads the configuration in the file path. Its error is [Errors] and holds all that is wrong.
//
// The file belongs to the running user or root; with a secret in it nobody else may read it, but
// its group where root owns it (C3). That is asked of the open file, so that it cannot be another
// one by the time it is read.
func Load(path string, o Options) (*Config, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, failure(path, err)
	}
	text, info, err := readFile(abs, path, o.uid())
	if err != nil {
		return nil, failure(path, err)
	}
	d := &decoder{report: newReport(path), base: base{filepath.Dir(abs), o.getenv()}}
	c := d.config(text)
	if d.secret {
		if err := secret.CheckMode(path, info, o.uid()); err != nil {
			d.wrong(position{}, "%s", secret.OneLine(err))
		}
	}
	if len(d.errors) > 0 {
		d.errors.sort()
		return nil, d.errors
	}
	d.warnings.sort()
	c.Path, c.Warnings = abs, d.warnings
	return c, nil
}

func failure(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err // the path stands in front
	}
	return Errors{{File: path, Message: err.Error()}}
}

// readFile reads the file at path, which people call name, if its owner may be trusted.
func readFile(path, name string, uid int) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return nil, nil, errors.New("is a folder, expected a file")
	}
	if err := secret.CheckOwner(name, info, uid); err != nil {
		return nil, nil, errors.New(secret.OneLine(err))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if len(text) > maxSize {
		err = fmt.Errorf("is larger than %d MiB, which no configuration is", maxSize>>20)
	}
	return text, info, err
}

// config reads a configuration from text. It is of use only if no error was reported.
func (d *decoder) config(text []byte) *Config {
	root, lines, at, err := parse(text)
	if err != nil {
		d.wrong(at, "%v", err)
		return nil
	}
	if root == nil {
		d.wrong(position{}, "is empty; write accounts: and an account; %s", anAccountNeeds)
		return nil
	}
	d.lines = lines
	top, ok := d.top(root)
	if !ok {
		return nil
	}
	accounts := d.accounts(top)
	if !top.has("state") {
		d.defaultState(top)
	}
	return build(top, accounts)
}

func (d *decoder) top(root *yaml.Node) (object, bool) {
	at := position{line: root.Line, column: root.Column}
	if d.machinery(root, at) {
		return object{}, false
	}
	return d.mapping(root, at, topKeys)
}

func (d *decoder) defaultState(top object) {
	path, err := d.base.state()
	if err != nil {
		d.wrong(position{key: "state"}, "%v", err)
		return
	}
	top.entries["state"] = entry{value: path}
}

// accounts returns the accounts with the defaults under them, checked.
func (d *decoder) accounts(top object) []object {
	list := get[[]object](top, "accounts", nil)
	if len(list) == 0 {
		d.noAccounts(top)
	}
	defaults := get(top, "defaults", object{partial: top.has("defaults")})
	var accounts []object
	for _, o := range list {
		if o.entries == nil {
			continue // told before
		}
		o = merge(o, defaults)
		d.checkAccount(o)
		accounts = append(accounts, o)
	}
	d.checkTwins(accounts)
	return accounts
}

// noAccounts reports that there are none, unless accounts was given wrongly.
func (d *decoder) noAccounts(top object) {
	switch given, ok := top.entries["accounts"]; {
	case !ok && !top.partial:
		d.wrong(position{key: "accounts"}, "is missing; %s", anAccountNeeds)
	case ok && given.value != nil:
		d.wrong(given.position, "is empty; %s", anAccountNeeds)
	}
}
