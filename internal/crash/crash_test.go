package main

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"popsync/internal/realtest"
)

// built is popsync, made once for all tests that need it.
var built = sync.OnceValues(func() (realtest.Popsync, error) {
	dir, err := os.MkdirTemp("", "popsync-built-")
	if err != nil {
		return "", err
	}
	atEnd = append(atEnd, func() error { return os.RemoveAll(dir) })
	return realtest.Build(dir, false)
})

// atEnd is done after all tests.
var atEnd []func() error

func TestMain(m *testing.M) {
	status := m.Run()
	for _, do := range atEnd {
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

func build(t testing.TB) realtest.Popsync {
	t.Helper()
	popsync, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return popsync
}

// shortSeed is what the short trials are drawn from: the same ones each time, so that a change is
// not held up by what it has not done. `make crash` draws others.
const shortSeed = 1

// S1 to S5 of the requirements, in short; `make crash` makes more trials.
func TestPromisesAreKept(t *testing.T) {
	o := options{popsync: build(t), seed: shortSeed, short: true}
	for _, c := range campaigns {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // they wait a lot
			for _, program := range c.needs {
				realtest.Need(t, program)
			}
			r := runOne(t.Context(), o, c, t.TempDir(), &lockedWriter{w: t.Output()})
			t.Logf("%v; %v", r, r.done)
			if r.skipped != "" {
				t.Skip(r.skipped)
			}
			if err := verdict([]result{r}); err != nil {
				t.Error(err)
			}
		})
	}
}
