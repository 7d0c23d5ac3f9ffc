package main

import (
	"context"
	"os/signal"
	"syscall"
	"testing"
)

func TestUntilSignal(t *testing.T) {
	told := make(chan struct{}, 1)
	ctx, stop := untilSignal(t.Context(), func() { told <- struct{}{} })
	defer stop()
	if s := signalled(ctx); s != nil {
		t.Fatalf("%v before any signal", s)
	}
	for range 2 { // timeout(1) sends it twice; the second is no other one
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	<-ctx.Done()
	<-told
	if s := signalled(ctx); s == nil || s.signal != syscall.SIGTERM {
		t.Errorf("cause %v", context.Cause(ctx))
	}
}

// nohup and a script's & arrange that a signal is ignored.
func TestIgnoredSignalStaysIgnored(t *testing.T) {
	signal.Ignore(syscall.SIGINT)
	defer signal.Reset(syscall.SIGINT)
	ctx, stop := untilSignal(t.Context(), func() {})
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	stop()
	if s := signalled(ctx); s != nil {
		t.Errorf("%v though it is ignored", s)
	}
}

func TestStopIsNoSignal(t *testing.T) {
	ctx, stop := untilSignal(t.Context(), func() { t.Error("told") })
	stop()
	if s := signalled(ctx); s != nil || ctx.Err() == nil {
		t.Errorf("cause %v", context.Cause(ctx))
	}
}
