package secret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxNetrc is more than any netrc file has, in bytes.
const maxNetrc = 1 << 20

// Netrc is the password in the netrc file path of the first entry for the machine host, or the
// default one, with the login user or none. path "" is $NETRC, or ~/.netrc where that is not set.
// The file has to belong to the running user or root and be closed to others, as with [File].
// Errors name file and line, host and user, and show no word of the file.
func Netrc(path, host, user string) Source {
	return func(context.Context) (Value, error) {
		path, err := netrcPath(path)
		if err != nil {
			return Value{}, err
		}
		text, err := readFile(path, maxNetrc+1, private(path))
		if err != nil {
			hint := fileHint(path, err)
			if errors.Is(err, fs.ErrNotExist) {
				hint = "make it, for yourself alone (mode 0600), with: " + netrcLine(host, user)
			}
			return Value{}, behind("netrc file ", err, hint)
		}
		v, err := netrcPassword(text, host, user)
		return v, behind("netrc file "+path, err, "")
	}
}

// netrcPath is where the netrc file lies: path, $NETRC, or that of the home folder.
func netrcPath(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	if path = os.Getenv("NETRC"); path != "" {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", hinted("set one where popsync is started", "netrc file: neither $NETRC nor $HOME is set")
	}
	return filepath.Join(home, ".netrc"), nil
}

// netrcPassword finds the password in the text of a netrc file. Its errors go behind the file's
// name and begin with the line, or with a colon.
func netrcPassword(text, host, user string) (Value, error) {
	if len(text) > maxNetrc {
		return Value{}, hinted("see that it is a netrc file", ": longer than 1 MiB")
	}
	entries, err := parseNetrc(text)
	if err != nil {
		return Value{}, err
	}
	e, err := choose(entries, host, user)
	if err != nil {
		return Value{}, err
	}
	if e.stray != 0 {
		return Value{}, hinted(`write a password with blanks in "quotes"`, ":%d: there is a word that is no keyword of netrc", e.stray)
	}
	if err := check(e.password); err != nil {
		return Value{}, behind(fmt.Sprintf(":%d: ", e.line), err, "write the password behind the word password")
	}
	return New(e.password), nil
}

// choose finds the entry for user at host.
func choose(entries []netrcEntry, host, user string) (netrcEntry, error) {
	var other, bare int // lines of entries for host that do not serve: another login, no password
	for _, e := range entries {
		switch {
		case !e.serves(host):
		case e.hasLogin && e.login != user:
			other = cmp.Or(other, e.line)
		case !e.hasPassword:
			bare = cmp.Or(bare, e.line)
		default:
			return e, nil
		}
	}
	switch {
	case bare != 0:
		return netrcEntry{}, hinted("add: password PASSWORD", ":%d: the entry has no password", bare)
	case other != 0:
		return netrcEntry{}, hinted("add: "+netrcLine(host, user), ":%d: the entry is for another login than %q", other, user)
	}
	return netrcEntry{}, hinted("add: "+netrcLine(host, user), ": there is no entry for %s", host)
}

// netrcLine is the entry that is missing.
func netrcLine(host, user string) string {
	return fmt.Sprintf("machine %s login %s password PASSWORD", netrcWord(host), netrcWord(user))
}

// netrcWord writes text as one word of a netrc file. Line ends cannot be written.
func netrcWord(text string) string {
	if text != "" && !strings.ContainsAny(text, netrcBlank+`"\`) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// A netrcEntry is what follows "machine" or "default".
type netrcEntry struct {
	line            int    // of its keyword
	machine         string // "" with isDefault
	login, password string
	stray           int // the line of its first word that is no keyword; 0 without

	isDefault, hasLogin, hasPassword bool
}

// serves tells whether the entry is for host.
func (e netrcEntry) serves(host string) bool {
	return e.isDefault || strings.EqualFold(strings.TrimSuffix(e.machine, "."), strings.TrimSuffix(host, "."))
}

// parseNetrc reads the entries of a netrc file. A word that is no keyword is remembered with its
// entry only: programs have put their own keywords into the file ("port" is one).
func parseNetrc(text string) ([]netrcEntry, error) {
	s := netrcScanner{rest: text, line: 1}
	entries := []netrcEntry{{}} // before the first keyword: serves nobody but for its machine ""
	for {
		word, ok, err := s.keyword()
		if err != nil || !ok {
			return entries[1:], err
		}
		line := s.at
		e := &entries[len(entries)-1]
		switch word {
		case "machine":
			name, err := s.value(word)
			if err != nil {
				return nil, err
			}
			entries = append(entries, netrcEntry{line: line, machine: name})
		case "default":
			entries = append(entries, netrcEntry{line: line, isDefault: true})
		case "login", "user":
			e.login, err = s.value(word)
			e.hasLogin = true
		case "password", "passwd":
			e.password, err = s.value("password")
			e.hasPassword = true
		case "account", "port":
			_, err = s.value(word)
		case "macdef":
			s.skipMacro()
		default:
			e.stray = cmp.Or(e.stray, line)
		}
		if err != nil {
			return nil, err
		}
	}
}
