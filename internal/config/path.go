package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// A base is what paths of the file are relative to.
type base struct {
	dir    string // of the file, absolute
	getenv func(string) string
}

// variable is $NAME or ${NAME}, a dollar that is meant ($$), or the beginning of what is none of them.
var variable = regexp.MustCompile(`\$\$|\$[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$`)

// expand makes path absolute: a leading ~ is $HOME, $NAME and ${NAME} are variables of the
// environment, $$ is a dollar, and what is relative then is relative to the file.
func (b base) expand(path string) (string, error) {
	if path == "" {
		return "", errors.New("is empty; write a path")
	}
	if strings.ContainsRune(path, 0) {
		return "", errors.New("holds a NUL byte, which no path may")
	}
	home := ""
	if strings.HasPrefix(path, "~") {
		rest := path[1:]
		if rest != "" && rest[0] != '/' {
			return "", errors.New("begins with ~ and a name; only ~ alone and ~/ are understood")
		}
		if home = b.getenv("HOME"); home == "" {
			return "", errors.New("begins with ~, and $HOME is not set; write the whole path")
		}
		path = rest
	}
	path, err := b.variables(path)
	if err != nil {
		return "", err
	}
	if path = home + path; !filepath.IsAbs(path) {
		path = filepath.Join(b.dir, path)
	}
	return filepath.Clean(path), nil
}

// variables puts the environment's values in place of $NAME and ${NAME}.
func (b base) variables(path string) (string, error) {
	var problem error
	path = variable.ReplaceAllStringFunc(path, func(found string) string {
		switch name := strings.Trim(found, "${}"); {
		case found == "$$":
			return "$"
		case name == "":
			problem = errors.New("holds a $ that begins no ${VARIABLE}; write $$ for a dollar sign")
			return ""
		default:
			value := b.getenv(name)
			if value == "" {
				problem = fmt.Errorf("needs the variable %s, which is not set", name)
			}
			return value
		}
	})
	return path, problem
}

// state is where the UIDL database lies if the file does not say.
func (b base) state() (string, error) {
	if dirs := b.getenv("STATE_DIRECTORY"); dirs != "" { // systemd: several are separated by colons
		first, _, _ := strings.Cut(dirs, ":")
		return filepath.Join(first, "state.db"), nil
	}
	if dir := b.getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "popsync", "state.db"), nil
	}
	if home := b.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "popsync", "state.db"), nil
	}
	return "", errors.New("has no default: none of $STATE_DIRECTORY, $XDG_STATE_HOME and $HOME is set; write state: PATH")
}
