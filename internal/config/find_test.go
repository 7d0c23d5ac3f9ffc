package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	place := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, name := range []string{"flag.yaml", "env.yaml", "xdg/popsync/config.yaml", "home/.config/popsync/config.yaml"} {
		if err := os.MkdirAll(filepath.Dir(place(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		flag  string
		env   map[string]string
		tried []string // the last one is what is found
	}{
		"the flag wins": {
			place("flag.yaml"),
			map[string]string{"POPSYNC_CONFIG": place("env.yaml"), "HOME": place("home")},
			[]string{place("flag.yaml")},
		},
		"then the variable": {
			"",
			map[string]string{"POPSYNC_CONFIG": place("env.yaml"), "HOME": place("home")},
			[]string{place("env.yaml")},
		},
		"then XDG's folder": {
			"",
			map[string]string{"XDG_CONFIG_HOME": place("xdg"), "HOME": place("home")},
			[]string{place("xdg/popsync/config.yaml")},
		},
		"then ~/.config": {
			"",
			map[string]string{"XDG_CONFIG_HOME": place("other"), "HOME": place("home")},
			[]string{place("other/popsync/config.yaml"), place("home/.config/popsync/config.yaml")},
		},
		"a relative XDG folder is none": {
			"",
			map[string]string{"XDG_CONFIG_HOME": "xdg", "HOME": place("home")},
			[]string{place("home/.config/popsync/config.yaml")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, tried, err := Find(c.flag, func(name string) string { return c.env[name] })
			if err != nil {
				t.Fatal(err)
			}
			if want := c.tried[len(c.tried)-1]; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if diff := cmp.Diff(c.tried, tried); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindNothing(t *testing.T) {
	if _, err := os.Stat(systemPath); err == nil {
		t.Skip(systemPath + " is there")
	}
	dir := t.TempDir()
	for name, c := range map[string]struct {
		flag string
		env  map[string]string
		want string
	}{
		"what the flag names": {
			dir + "/none",
			map[string]string{"HOME": dir},
			"configuration " + dir + "/none, named by --config: file does not exist",
		},
		"what the variable names": {
			"",
			map[string]string{"POPSYNC_CONFIG": dir + "/none", "HOME": dir},
			"configuration " + dir + "/none, named by $POPSYNC_CONFIG: file does not exist",
		},
		"nowhere": {
			"",
			map[string]string{"HOME": dir, "XDG_CONFIG_HOME": dir + "/xdg"},
			"no configuration: looked for " + dir + "/xdg/popsync/config.yaml, " + dir + "/.config/popsync/config.yaml, " +
				"/etc/popsync/config.yaml; name one with --config FILE",
		},
		"XDG's is the usual one": {
			"",
			map[string]string{"HOME": dir, "XDG_CONFIG_HOME": dir + "/.config"},
			"no configuration: looked for " + dir + "/.config/popsync/config.yaml, " +
				"/etc/popsync/config.yaml; name one with --config FILE",
		},
		"without a home": {
			"", nil,
			"no configuration: looked for /etc/popsync/config.yaml; $HOME is not set; name one with --config FILE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Find(c.flag, func(name string) string { return c.env[name] })
			if textOf(err) != c.want || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}
