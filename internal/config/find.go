package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// systemPath is looked at last.
const systemPath = "/etc/popsync/config.yaml"

// Find returns the path of the configuration: flag (of --config), else $POPSYNC_CONFIG, else the
// first that exists of $XDG_CONFIG_HOME/popsync/config.yaml, ~/.config/popsync/config.yaml and
// /etc/popsync/config.yaml. A file that was asked for by name is the only one looked at. tried
// holds every path that was looked at, the one returned included.
func Find(flag string, getenv func(string) string) (path string, tried []string, err error) {
	for _, named := range []struct{ path, by string }{
		{flag, "--config"},
		{getenv("POPSYNC_CONFIG"), "$POPSYNC_CONFIG"},
	} {
		if named.path == "" {
			continue
		}
		if !exists(named.path) {
			err = fmt.Errorf("configuration %s, named by %s: %w", named.path, named.by, fs.ErrNotExist)
		}
		return named.path, []string{named.path}, err
	}
	places := usualPlaces(getenv)
	for i, path := range places {
		if exists(path) {
			return path, places[:i+1], nil
		}
	}
	return "", places, notFound(places, getenv)
}

func usualPlaces(getenv func(string) string) []string {
	var places []string
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) { // a relative one is to be ignored, says XDG
		places = append(places, filepath.Join(dir, "popsync", "config.yaml"))
	}
	if home := getenv("HOME"); home != "" {
		usual := filepath.Join(home, ".config", "popsync", "config.yaml")
		if len(places) == 0 || places[0] != usual {
			places = append(places, usual)
		}
	}
	return append(places, systemPath)
}

func notFound(places []string, getenv func(string) string) error {
	hint := ""
	if getenv("HOME") == "" {
		hint = "; $HOME is not set"
	}
	return &notFoundError{fmt.Sprintf("no configuration: looked for %s%s; name one with --config FILE",
		strings.Join(places, ", "), hint)}
}

// A notFoundError is an fs.ErrNotExist that says so in its own words.
type notFoundError struct{ text string }

func (e *notFoundError) Error() string { return e.text }
func (e *notFoundError) Unwrap() error { return fs.ErrNotExist }

// exists tells whether something is at path, be it out of reach: reading it says why.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
