package main

import (
	"testing"
	"time"

	"popsync/internal/realtest"
)

// S1 of the requirements, in short; `make crash` makes more trials.
func TestKilledFetchesDeliverOnce(t *testing.T) {
	realtest.Need(t, "dovecot")
	popsync, err := realtest.Build(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), popsync, 20, uint64(time.Now().UnixNano()), t.Output()); err != nil {
		t.Error(err)
	}
}
