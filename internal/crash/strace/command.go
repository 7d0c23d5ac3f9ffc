package strace

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// A Command says how strace runs a program. It logs the calls that change files, talk to others, or make
// and end processes.
type Command struct {
	Data bool // log what is read and written too
}

// wholly is more octets than one read or write has.
const wholly = 1 << 24

// Available returns why strace cannot be used here, or nil.
func Available() error {
	path, err := exec.LookPath("strace")
	if err != nil {
		return fmt.Errorf("strace is not here (apt-get install strace): %w", err)
	}
	if said, err := exec.Command(path, "-f", "-o", os.DevNull, path, "-V").CombinedOutput(); err != nil {
		return fmt.Errorf("strace may not trace here: %w: %.200q", err, said)
	}
	return nil
}

// Wrap makes cmd, which has not begun, run under strace, which writes its log to the file of that name.
// The log is complete once cmd is over.
func (c Command) Wrap(cmd *exec.Cmd, log string) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return err
	}
	cmd.Args = slices.Concat(c.args(log), []string{cmd.Path}, cmd.Args[1:])
	cmd.Path = strace
	return nil
}

// args are those of strace, up to the program's path.
func (c Command) args(log string) []string {
	calls := slices.Sorted(maps.Keys(arguments))
	size := 0
	if c.Data {
		size = wholly
	}
	return []string{
		"strace", "--follow-forks", "--seccomp-bpf", "--decode-fds=all", "--strings-in-hex=all",
		"--columns=1", "--string-limit=" + strconv.Itoa(size),
		"--trace=?" + strings.Join(calls, ",?"), // "?": this machine need not have it
		"--output=" + log, "--",
	}
}
