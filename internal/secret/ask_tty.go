package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lookAgain is how often the terminal is looked at for what was typed. Waiting for it in the
// kernel would take a way per system to end that with a context: macOS has neither poll nor
// kqueue for /dev/tty.
const lookAgain = 50 * time.Millisecond

var errBackground = errors.New("not in the foreground")

// openTerminal opens the terminal that popsync was started on. Its reads do not wait.
func openTerminal() (*os.File, error) {
	return os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
}

// A question is asked on a terminal, which is as before once it is answered.
type question struct{ tty *os.File }

// ask shows prompt and returns the line that is typed behind it, which the terminal does not show.
func (q question) ask(ctx context.Context, prompt string) (string, error) {
	fd, restore, err := silence(q.tty)
	if err != nil {
		return "", err
	}
	defer restore()
	if _, err := io.WriteString(q.tty, prompt); err != nil {
		return "", err
	}
	defer func() { _, _ = io.WriteString(q.tty, "\n") }()
	return readTyped(ctx, fd)
}

// silence has tty show nothing of what is typed, and give it at once, a key at a time. Its reads
// do not wait any more, as long as nobody asks tty for its descriptor again.
func silence(tty *os.File) (fd int, restore func(), err error) {
	fd = int(tty.Fd())
	if err := foreground(fd); err != nil {
		return 0, nil, err
	}
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return 0, nil, fmt.Errorf("%s is no terminal: %w", tty.Name(), err)
	}
	silent := *before
	silent.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON
	silent.Lflag |= unix.ISIG // Ctrl-C ends popsync, as everywhere
	silent.Cc[unix.VMIN], silent.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", tty.Name(), err)
	}
	restore = func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }
	if err := unix.SetNonblock(fd, true); err != nil {
		restore()
		return 0, nil, fmt.Errorf("%s: %w", tty.Name(), err)
	}
	return fd, restore, nil
}

// readTyped reads up to the end of the line, or until ctx is done.
func readTyped(ctx context.Context, fd int) (string, error) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	var line typedLine
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case err == nil && n == 0, err == unix.EIO: // hung up
			return "", errNoAnswer
		case err == unix.EAGAIN, err == unix.EINTR:
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("the question was taken back: %w", ctx.Err())
			case <-again.C:
			}
		case err != nil:
			return "", err
		}
		for _, c := range buf[:max(n, 0)] {
			if done, err := line.add(c); done || err != nil {
				return string(line.text), err
			}
		}
	}
}

// foreground refuses a terminal that another job has now: a question would stop the process.
// A terminal that is not ours in this sense has no such jobs.
func foreground(fd int) error {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err == nil && group != unix.Getpgrp() {
		return errBackground
	}
	return nil
}
