package command

import (
	"os"
	"slices"
	"strings"
)

// inherited is what a program needs in order to find its way about. Nothing else of our own
// environment goes on: it may hold secrets (password_env).
var inherited = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"}

// BaseEnv is the harmless part of our own environment: PATH, HOME, USER, LOGNAME, SHELL, LANG,
// LC_*, TZ and TMPDIR, where they are set.
func BaseEnv() []string {
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if slices.Contains(inherited, name) || strings.HasPrefix(name, "LC_") {
			env = append(env, variable)
		}
	}
	return slices.Clip(env)
}
