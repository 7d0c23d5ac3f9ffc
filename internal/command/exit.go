package command

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// ExitError says that a program ran and did not succeed.
type ExitError struct {
	Program string
	Status  int            // of exit(3); -1 where it did not exit by itself
	Signal  syscall.Signal // that it died by; 0: none
	Ended   error          // why we ended it: [ErrTimeout], [ErrFlood] or a context's cause; nil: we did not
	Stderr  string         // the first line of standard error, raw: escape it before it reaches a terminal
}

// verdict is nil for a child that exited with 0. One that was told to end and did so with another
// status has said nothing about its input.
func (e ending) verdict(program string, stderr []byte) error {
	if e.state != nil && e.state.Success() {
		return nil
	}
	err := &ExitError{Program: program, Status: -1, Ended: e.ended, Stderr: firstLine(stderr)}
	if e.state == nil {
		return err
	}
	if e.ended == nil {
		err.Status = e.state.ExitCode()
	}
	err.Signal = signalOf(e.state)
	return err
}

func signalOf(state *os.ProcessState) syscall.Signal {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ws.Signal()
	}
	return 0
}

// firstLine is the first line of p with anything in it.
func firstLine(p []byte) string {
	for line := range bytes.Lines(p) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return string(line)
		}
	}
	return ""
}

func (e *ExitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Program, e.what())
	if e.Stderr != "" {
		fmt.Fprintf(&b, ": %s", e.Stderr)
	}
	return b.String()
}

func (e *ExitError) what() string {
	switch {
	case e.Ended != nil:
		return fmt.Sprintf("ended: %v", e.Ended)
	case e.Signal != 0:
		return fmt.Sprintf("died by signal %d (%v)", int(e.Signal), e.Signal)
	case sysexits[e.Status] != "":
		return fmt.Sprintf("exit status %d (%s)", e.Status, sysexits[e.Status])
	default:
		return fmt.Sprintf("exit status %d", e.Status)
	}
}

func (e *ExitError) Unwrap() error { return e.Ended }

// sysexits are the statuses of sysexits(3), in its words.
var sysexits = map[int]string{
	64: "usage error",
	65: "data error",
	66: "cannot open input",
	67: "no such user",
	68: "no such host",
	69: "service unavailable",
	70: "internal software error",
	71: "system error",
	72: "system file missing",
	73: "cannot create output",
	74: "input/output error",
	75: "temporary failure",
	76: "protocol error",
	77: "permission denied",
	78: "configuration error",
}
