package main

import (
	"io"
	"os"

	"popsync/internal/term"
)

// An output is where a command writes: what was asked for, and what it tells meanwhile.
type output struct {
	stdout term.Screen
	stderr term.Screen
}

func newOutput(o common) output {
	return output{
		stdout: term.NewScreen(os.Stdout, o.colour, os.Getenv),
		stderr: term.NewScreen(os.Stderr, o.colour, os.Getenv),
	}
}

// newLine ends the line in which the terminal has shown ^C.
func (o output) newLine() {
	if o.stderr.Terminal {
		_, _ = io.WriteString(o.stderr, "\n")
	}
}

// watched reports whether a person looks at either of the two.
func (o output) watched() bool { return o.stdout.Terminal || o.stderr.Terminal }
