// Command demo shows popsync at work: a POP3 server of its own on loopback, a first poll, a second one, and a third
// after two more messages have come. It checks all that arrives, and its exit status is 1 if anything
// is not as it should be.
//
//	go run ./internal/demo -popsync build/popsync
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"popsync/internal/term"
)

// limit is more than all steps take on a slow machine.
const limit = 2 * time.Minute

func main() {
	popsync := flag.String("popsync", "build/popsync", "the program to show")
	flag.Parse()
	if err := show(*popsync); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// show runs the demo on standard output, until a signal comes or the time is up.
func show(popsync string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return run(ctx, popsync, term.NewScreen(os.Stdout, term.Auto, os.Getenv))
}

// run shows everything on out, in a new folder that stays.
func run(ctx context.Context, popsync string, out term.Screen) (err error) {
	folder, err := os.MkdirTemp("", "popsync-demo-")
	if err != nil {
		return err
	}
	d := &demo{out: out, popsync: popsync, folder: folder}
	defer d.close()
	defer func() { d.leave(err) }()
	for i, step := range steps {
		d.say("")
		d.say("%d. %s", i+1, step.title)
		d.say("")
		if err := step.do(d, ctx); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}
