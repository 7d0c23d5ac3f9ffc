package shell

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/etc/popsync/config.yaml": "/etc/popsync/config.yaml",
		"my file":                  "'my file'",
		"it's":                     `'it'\''s'`,
		"-rf":                      "./-rf",
		"":                         "''",
		"$(id)`id`":                "'$(id)`id`'",
	} {
		got := Quote(path)
		if got != want {
			t.Errorf("%q becomes %s, not %s", path, got, want)
		}
		out, err := exec.Command("sh", "-c", "printf %s "+got).Output()
		if err != nil {
			t.Fatal(err)
		}
		if s := string(out); s != path && s != "./"+path {
			t.Errorf("a shell reads %s as %q", got, s)
		}
	}
}
