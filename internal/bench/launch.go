package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// measureMode is the first argument with which this program starts one that is measured.
const measureMode = "bench-measure"

// A sample is what one run took.
type sample struct {
	Wall time.Duration `json:"wall"`
	CPU  time.Duration `json:"cpu"`  // user and system, with that of all children
	Peak int64         `json:"peak"` // octets of memory, of the largest process
}

// A report is what the measuring process finds out.
type report struct {
	Sample sample
	Status int // -1: ended by a signal
}

// launch runs a contender and waits for it. Its error is the launcher's own; what the contender
// has to say comes back with its status.
func (g *ground) launch(ctx context.Context, dir string, r run) (rep report, said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	results, w, err := os.Pipe()
	if err != nil {
		return report{}, "", err
	}
	defer results.Close()
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, g.self(), append([]string{measureMode}, r.argv...)...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, r.env...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &output, &output, []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: g.owner.credential()}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for output that a grandchild keeps open
	err = cmd.Run()
	w.Close()
	if ctx.Err() != nil {
		return report{}, "", fmt.Errorf("%s did not end in time: %w", r.argv[0], context.Cause(ctx))
	}
	if err != nil {
		return report{}, "", fmt.Errorf("measure %s: %w: %s", r.argv[0], err, &output)
	}
	err = json.NewDecoder(results).Decode(&rep)
	return rep, strings.TrimSpace(output.String()), err
}

// patience is the longest that one run may take.
const patience = 30 * time.Minute

// starter is the shell's script: a process that becomes the contender once it may.
const starter = `{ read -r go && exec "$@" </dev/null 3<&-; } <&3 >&2 & echo $!`

// measureHere runs argv and writes the [report] to descriptor 3.
//
// The kernel counts to the peak of a new program what its parent held at the fork. A shell, which
// holds next to nothing, forks it therefore, and goes away; the orphan falls to this process,
// which lets it begin, and waits for it and for nobody else.
func measureHere(argv []string) error {
	results := os.NewFile(3, "results")
	if results == nil || len(argv) == 0 {
		return errors.New("started by hand")
	}
	syscall.CloseOnExec(3)
	if err := adoptOrphans(); err != nil {
		return err
	}
	held, release, err := os.Pipe()
	if err != nil {
		return err
	}
	shell := exec.Command("sh", append([]string{"-c", starter, "sh"}, argv...)...)
	shell.Stderr, shell.ExtraFiles = os.Stderr, []*os.File{held}
	said, err := shell.Output()
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(said)))
	if err != nil {
		return err
	}
	begun := time.Now()
	if _, err := release.WriteString("go\n"); err != nil {
		return err
	}
	rep, err := await(pid)
	if err != nil {
		return err
	}
	rep.Sample.Wall = time.Since(begun)
	return json.NewEncoder(results).Encode(rep)
}

// await is what a process took once it is over, with all of its children that it has waited for.
func await(pid int) (report, error) {
	var (
		status syscall.WaitStatus
		usage  syscall.Rusage
	)
	for {
		_, err := syscall.Wait4(pid, &status, 0, &usage)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		return report{sample{CPU: cpu, Peak: int64(usage.Maxrss) << 10}, status.ExitStatus()}, err
	}
}

// self is the copy of this program that children are started from.
func (g *ground) self() string { return filepath.Join(g.bin(), "bench") }
