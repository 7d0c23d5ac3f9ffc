package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"popsync/internal/secret"
)

// A question is whether to go on.
type question struct {
	text    string // without its question mark
	command string // that does the same and does not ask
}

// confirm asks on the terminal; everything but y or yes is a no. Where nobody can be asked that is
// a *usageError.
func (o common) confirm(ctx context.Context, q question) (yes bool, err error) {
	refuse := func(why string) (bool, error) {
		return false, &usageError{q.text + ": " + why, "if that is meant: " + q.command}
	}
	if o.noInput || !term.IsTerminal(int(os.Stdin.Fd())) {
		return refuse("nobody can be asked")
	}
	lines, err := secret.OpenLines(nil)
	if err != nil {
		return refuse("nobody can be asked: " + err.Error())
	}
	defer lines.Close()
	defer context.AfterFunc(ctx, func() { _ = lines.SetReadDeadline(time.Now()) })()
	if _, err := fmt.Fprintf(os.Stderr, "%s? [y/N] ", q.text); err != nil {
		return false, err
	}
	answer, _ := bufio.NewReader(lines).ReadString('\n')
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}
