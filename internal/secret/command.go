package secret

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"
	"unicode/utf8"

	"popsync/internal/term"
)

// A Runner runs the program argv to its end and returns what it wrote. It ends the program, and
// all that the program started, when ctx is done; an exit status other than 0 is an error.
type Runner func(ctx context.Context, argv []string) (stdout, stderr []byte, err error)

// Command is the first line that the program argv prints, given timeout to do so. Errors name
// argv[0] only (its arguments may be secret) and show the first line of its standard error.
func Command(argv []string, timeout time.Duration, run Runner) Source {
	return func(ctx context.Context) (Value, error) {
		if len(argv) == 0 {
			return Value{}, hinted("write a program and its arguments", "command: no program is named")
		}
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		stdout, stderr, err := run(limited, argv)
		if err == nil {
			v, err := firstLine(string(stdout))
			return v, commandError(argv[0], stdout, stderr, err)
		}
		if limited.Err() != nil && ctx.Err() == nil {
			err = hinted("run it by hand to see what it waits for; timeout is how long it may take", "has not ended within %s and was stopped", term.Duration(timeout))
		}
		return Value{}, commandError(argv[0], stdout, stderr, err)
	}
}

// commandError adds to err which program it was and what that said for itself.
func commandError(program string, stdout, stderr []byte, err error) error {
	if err == nil {
		return nil
	}
	hint := "run it by hand: it has to print the password as its first line"
	if errors.Is(err, exec.ErrNotFound) {
		hint = "install it, or write where it lies"
	}
	err = behind("command "+program+": ", err, hint)
	if said := complaint(stdout, stderr); said != "" {
		err = hinted(err.(*Error).hint, "%w; it says %q", err, said)
	}
	return err
}

// complaint is the first line of stderr that is not blank, short enough for an error and
// without what the program printed as the secret.
func complaint(stdout, stderr []byte) string {
	const most = 200 // bytes
	said, _, _ := strings.Cut(strings.TrimSpace(string(stderr)), "\n")
	said = strings.TrimSpace(said)
	for line := range strings.Lines(string(stdout)) {
		if line = strings.TrimSpace(line); line != "" {
			said = strings.ReplaceAll(said, line, redacted)
		}
	}
	if len(said) <= most {
		return said
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(said[cut]) {
		cut--
	}
	return said[:cut] + "…"
}
