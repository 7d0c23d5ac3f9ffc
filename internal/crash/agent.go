package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// An agent is a delivery program (an MDA) that takes a message by one rename: wholly, or not at all.
type agent struct {
	dir   string
	moods int // in a hundred runs it is so often in a bad mood, before it has taken anything
}

// script is what the agent does. Of every hundred process IDs $2 are in a bad mood. Who runs
// has a file in running/ until nothing more will be done, so that those can be waited for that popsync
// has left behind.
const script = `#!/bin/sh
dir=$1
: >"$dir/running/$$"
if [ $(($$ % 100)) -lt "$2" ]; then
	case $(($$ % 5)) in
	0) rm "$dir/running/$$"; exit $(($$ % 120 + 1)) ;;
	1) rm "$dir/running/$$"; exit 75 ;;
	2) rm "$dir/running/$$"; kill -KILL $$ ;;
	3) rm "$dir/running/$$"; exec sleep 30 ;;
	4) rm "$dir/running/$$"; exec yes "what an agent should not say" ;;
	esac
fi
cat >"$dir/begun/$$" && mv "$dir/begun/$$" "$dir/taken/$$.$POPSYNC_UID"
status=$?
rm "$dir/running/$$"
exit $status
`

func newAgent(dir string, moods int) (*agent, error) {
	for _, sub := range []string{"running", "begun", "taken"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	return &agent{dir: dir, moods: moods}, os.WriteFile(filepath.Join(dir, "agent"), []byte(script), 0o700)
}

func (a *agent) argv() []string {
	return []string{filepath.Join(a.dir, "agent"), a.dir, strconv.Itoa(a.moods)}
}

// takes is the folder of what the agent has taken.
func (a *agent) takes() string { return filepath.Join(a.dir, "taken") }

// rest waits for those that popsync has left behind.
func (a *agent) rest() error {
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		left, err := a.running()
		if err != nil || left == 0 {
			return err
		}
		if time.Since(begun) > patience {
			return fmt.Errorf("%d agents go on for more than %v", left, patience)
		}
	}
}

// running is how many run. Of one that was killed only the file is left.
func (a *agent) running() (n int, err error) {
	dir := filepath.Join(a.dir, "running")
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if _, gone := os.Stat(filepath.Join("/proc", e.Name())); gone == nil {
			n++
		} else if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return n, err
		}
	}
	return n, err
}

// kill ends those that popsync has left behind, with all that they have started.
func (a *agent) kill() error {
	entries, err := os.ReadDir(filepath.Join(a.dir, "running"))
	for _, e := range entries {
		group, _ := strconv.Atoi(e.Name())
		if said, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")); bytes.Contains(said, []byte(a.dir)) {
			syscall.Kill(-group, syscall.SIGKILL) // it may have ended by now
		}
	}
	return err
}
