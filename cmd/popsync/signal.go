package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// once is how long a signal may come again and still is the same one: timeout(1) sends its own
// to the program and to the program's group.
const once = 200 * time.Millisecond

// untilSignal is parent until SIGINT or SIGTERM comes; its cause is a *signalError then, and tell
// is called. A second signal ends the program at once, which is as safe as a kill. A signal that
// is ignored, as nohup and a script's & arrange, stays ignored. Stop waits for tell.
func untilSignal(parent context.Context, tell func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	caught := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) {
			signal.Notify(caught, s)
		}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer signal.Stop(caught)
		select {
		case s := <-caught:
			cancel(&signalError{signal: s.(syscall.Signal)})
			tell()
		case <-quit:
			return
		}
		select {
		case <-time.After(once):
		case <-quit:
		}
	}()
	return ctx, func() {
		close(quit)
		<-done
		cancel(nil)
	}
}
