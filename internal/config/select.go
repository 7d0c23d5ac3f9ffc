package config

import (
	"fmt"
	"slices"
	"strings"

	"popsync/internal/suggest"
)

// Select returns the accounts to work on, in the file's order: those named, disabled ones too,
// or without names all that are enabled. A name that no account has is an [*UnknownAccountError].
func (c *Config) Select(names []string) ([]Account, error) {
	known := make([]string, len(c.Accounts))
	for i, a := range c.Accounts {
		known[i] = a.Name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, &UnknownAccountError{Name: name, Suggestion: suggest.Nearest(name, known), Known: known}
		}
	}
	var chosen []Account
	for _, a := range c.Accounts {
		if slices.Contains(names, a.Name) || len(names) == 0 && a.Enabled {
			chosen = append(chosen, a)
		}
	}
	return chosen, nil
}

// An UnknownAccountError says that no account has this name.
type UnknownAccountError struct {
	Name       string
	Suggestion string   // the name that was probably meant, or ""
	Known      []string // all names, in the file's order
}

func (e *UnknownAccountError) Error() string {
	meant := ""
	if e.Suggestion != "" {
		meant = fmt.Sprintf("; did you mean %q?", e.Suggestion)
	}
	return fmt.Sprintf("unknown account %q%s (accounts: %s)", e.Name, meant, strings.Join(e.Known, ", "))
}
