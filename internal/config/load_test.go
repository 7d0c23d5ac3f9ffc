package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// environment is what the tests find around them.
var environment = map[string]string{"HOME": "/home/alice", "MAIL": "/srv/mail", "EMPTY": ""}

func options() Options {
	return Options{Getenv: func(name string) string { return environment[name] }}
}

// load reads text as the file popsync.yaml of a fresh folder. Errors call it popsync.yaml.
func load(t testing.TB, text string) (*Config, error) {
	t.Helper()
	return loadMode(t, text, 0o600)
}

func loadMode(t testing.TB, text string, mode os.FileMode) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "popsync.yaml")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	return Load("popsync.yaml", options())
}

// with is a good configuration of one account with these lines in addition; a line whose key
// the account has takes its place. The account begins in line 2, the first line added is line 7,
// or 6 if one was replaced.
func with(lines ...string) string {
	var account []string
	for _, line := range []string{"name: work", "host: pop.example.org", "username: alice", "password: secret", "deliver: {maildir: /m}"} {
		if !replaced(line, lines) {
			account = append(account, line)
		}
	}
	account = append(account, lines...)
	return "accounts:\n  - " + strings.Join(account, "\n    ") + "\n"
}

func replaced(line string, by []string) bool {
	key, _, _ := strings.Cut(line, ":")
	for _, other := range by {
		k, _, _ := strings.Cut(other, ":")
		if k == key || key == "password" && strings.HasPrefix(k, "password") {
			return true
		}
	}
	return false
}

func wantErrors(t *testing.T, text, want string) {
	t.Helper()
	_, err := load(t, text)
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("configuration\n%s\ngives %s\nwant  %s", text, got, want)
	}
}

// prefixed is text with prefix before each line.
func prefixed(prefix, text string) string {
	return prefix + strings.ReplaceAll(text, "\n", "\n"+prefix)
}
