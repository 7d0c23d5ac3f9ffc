package agents

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"popsync/internal/realtest"
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "popsync-agents-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// A signal that is ignored here, as SIGHUP is below nohup, would be ignored by agents too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	build = sync.OnceValues(func() (realtest.Popsync, error) { return realtest.Build(dir, false) })
	flag.Parse()
	flag.Set("test.parallel", "16") // what runs in parallel here mostly waits
	status := m.Run()
	if err := goleak.Find(); status == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// build builds the program, once.
var build func() (realtest.Popsync, error)
