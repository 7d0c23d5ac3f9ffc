package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"popsync/internal/command"
	"popsync/internal/durable"
	"popsync/internal/shell"
)

// MDAOptions say which program an [MDA] runs and how.
type MDAOptions struct {
	Argv    []string      // no shell; may hold placeholders, see [CheckArgv]
	Spool   string        // absolute; a folder of our own, 0700
	CRLF    bool          // line ends stay CR LF; otherwise LF, which is what agents expect
	Timeout time.Duration // of one run; 0: a minute
	Account string
	Owner   Owner
	Trace   Trace // nil: nothing is added
}

// An MDA hands each message to a program on its standard input and takes its exit status for
// the verdict. A crash between the verdict and its record hands the message over again: once,
// since there is one message to a batch.
type MDA struct {
	argv    []string
	timeout time.Duration
	account string
	spool   staging
}

var _ Target = (*MDA)(nil)

const mdaPrefix = "mda:"

// NewMDA touches no disk; [MDA.Open] does.
func NewMDA(o MDAOptions) *MDA {
	return &MDA{
		argv:    slices.Clone(o.Argv),
		timeout: cmp.Or(o.Timeout, time.Minute),
		account: o.Account,
		spool: staging{
			sys:   kernel{},
			dir:   filepath.Clean(o.Spool),
			mode:  0o600,
			lf:    !o.CRLF,
			owner: o.Owner,
			trace: o.Trace,
		},
	}
}

// MaxBatch is 1: each verdict is recorded before the next message is handed over.
func (m *MDA) MaxBatch() int { return 1 }

// Location is "mda:" and the spool's path.
func (m *MDA) Location() string { return mdaPrefix + m.spool.dir }

// Where is the program: what it did with the message only it can say.
func (m *MDA) Where(Staged) string {
	if len(m.argv) == 0 {
		return ""
	}
	return m.argv[0]
}

// Reader reads a staged message again from its beginning, as the agent does: one that was refused
// too often moves on from here.
func (m *MDA) Reader(st Staged) (io.ReadCloser, error) { return m.spool.reader(st.Name) }

// Open looks for the program, and creates the spool with what is missing above it.
func (m *MDA) Open(context.Context) error {
	if err := CheckArgv(m.argv); err != nil {
		return unusable("see deliver.mda in the configuration", "mda: %w", err)
	}
	if _, err := exec.LookPath(m.argv[0]); err != nil {
		return missingProgram(m.argv[0], err)
	}
	if err := durable.MkdirAll(m.spool.dir, 0o700); err != nil {
		return failed(m.spool.dir, err)
	}
	return m.checkSpool()
}

// checkSpool refuses a spool in which others could read or exchange mail.
func (m *MDA) checkSpool() error {
	dir := m.spool.dir
	if err := isFolder(dir); err != nil {
		return unusable("move it away", "%s: %w", dir, err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return failed(dir, err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return unusable("move it away, or run popsync as its owner", "%s: belongs to user ID %d", dir, st.Uid)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return unusable("chmod 700 "+shell.Quote(dir), "%s: open to other users (mode %04o)", dir, info.Mode().Perm())
	}
	return access(dir, unix.R_OK|unix.W_OK|unix.X_OK)
}

// Prepare creates files in the spool.
func (m *MDA) Prepare(n int) (done func()) { return m.spool.prepare(n) }

// Stage writes msg into the spool. The file stays open until Sync or Drop, which every staged message needs.
func (m *MDA) Stage(_ context.Context, uid string, msg io.Reader) (Staged, error) {
	return m.spool.stage(uid, msg)
}

// Sync makes files and names in the spool durable. It ignores ctx: half an fsync is none.
func (m *MDA) Sync(_ context.Context, batch []Staged) []error {
	errs := m.spool.syncFiles(batch)
	if !slices.Contains(errs, nil) {
		return errs
	}
	if err := m.spool.sys.syncDir(m.spool.dir); err != nil {
		return fill(len(batch), failed(m.spool.dir, err))
	}
	return errs
}

// Publish hands batch to the agent, one after the other.
func (m *MDA) Publish(ctx context.Context, batch []Staged) []error {
	errs := make([]error, len(batch))
	for i, st := range batch {
		errs[i] = m.hand(ctx, st)
	}
	return errs
}

// Drop removes batch from the spool.
func (m *MDA) Drop(batch []Staged) error { return m.spool.drop(batch) }

// Clean removes from the spool what earlier runs left.
func (m *MDA) Clean(keep func(name string) bool) error { return m.spool.clean(keep) }

// Settle hands the message over again if it is in the spool: whether the agent has had it is not
// known. If it is gone, it is to be fetched again.
func (m *MDA) Settle(ctx context.Context, st Staged, _ time.Duration) (Outcome, error) {
	if err := checkName(st.Name); err != nil {
		return Unsettled, err
	}
	_, there, err := m.spool.size(st.Name)
	switch {
	case err != nil:
		return Unsettled, err
	case !there:
		return Again, nil
	}
	if err := m.hand(ctx, st); err != nil {
		return Unsettled, err
	}
	return Delivered, nil
}

// hand runs the agent with one message.
func (m *MDA) hand(ctx context.Context, st Staged) error {
	f, err := m.spool.reader(st.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	argv, err := m.expandArgv(st, f)
	if err != nil {
		return err
	}
	_, err = command.Command{
		Argv:    argv,
		Env:     m.environment(st.UID),
		Stdin:   f,
		Timeout: m.timeout,
	}.Run(ctx)
	return verdict(err)
}

// verdict sorts the ways in which a run of the agent can fail.
func verdict(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*command.StartError](err); ok {
		if e.Temporary() {
			return &Error{Kind: Later, Err: err}
		}
		return missingProgram(e.Program, e.Err)
	}
	e, ok := errors.AsType[*command.ExitError](err)
	if ok && (e.Status == tempFail || e.Signal != 0 || e.Ended != nil) {
		return &Error{Kind: Later, Err: err}
	}
	return &Error{Kind: Refused, Err: err, Blameless: ok && (e.Status == cannotRun || e.Status == notFound)}
}

const (
	tempFail  = 75  // EX_TEMPFAIL of sysexits(3)
	cannotRun = 126 // a shell's, of a command in a script
	notFound  = 127
)

// missingProgram is about the whole account: no message can be handed over.
func missingProgram(program string, err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		err = e.Err
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return unusable("make it executable for the user who runs popsync", "%s: %w", program, cause(err))
	case errors.Is(err, syscall.ENOEXEC):
		return unusable("begin a script with #!/bin/sh; any other program has to be made for this machine", "%s: %w", program, cause(err))
	case errors.Is(err, fs.ErrNotExist) && there(program):
		return unusable("correct the line with #! that the program begins with", "%s: its interpreter: %w", program, cause(err))
	}
	return unusable("install it, or correct deliver.mda in the configuration", "%s: %w", program, cause(err))
}

// there tells whether a program that could not be started is where it should be.
func there(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// environment is what the agent sees: nothing of the mail but the UID, made harmless.
func (m *MDA) environment(uid string) []string {
	return append(command.BaseEnv(),
		"POPSYNC_ACCOUNT="+escapeEnv(m.account),
		"POPSYNC_UID="+escapeEnv(uid))
}

// escapeEnv keeps printable ASCII and writes every other byte as \xHH; 1 KiB at most.
func escapeEnv(value string) string {
	var b []byte
	for _, c := range []byte(value) {
		piece := []byte{c}
		if c < ' ' || c > '~' {
			piece = fmt.Appendf(nil, `\x%02X`, c)
		}
		if len(b)+len(piece) > 1<<10 {
			break
		}
		b = append(b, piece...)
	}
	return string(b)
}
