package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// personCmd: person STATUS FILE ARGUMENT... runs popsync on a terminal of its own, where somebody
// does what FILE says, line by line:
//
//	see TEXT         waits until TEXT is shown behind what was seen before
//	press KEYS       with \r, \x04 and the like
//	paste            opens the address that is shown, and pastes the one where the browser ends
//	meanwhile N ...  runs popsync elsewhere, without a terminal, to its end with status N
//
// The file "screen" is what was shown in the end, with the terminal's CR LF as LF.
func personCmd(ts *testscript.TestScript, neg bool, args []string) {
	p, err := startOnTerminal(ts, args[2:])
	ts.Check(err)
	defer p.end()
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if err := p.do(ts, strings.TrimSpace(line)); err != nil {
			ts.Fatalf("%s: %v; the screen:\n%s", strings.TrimSpace(line), err, p.screen.String())
		}
	}
	status := p.wait()
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(strings.ReplaceAll(p.screen.String(), "\r\n", "\n")), 0o600))
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s; the screen:\n%s", status, args[0], p.screen.String())
	}
}

// A sitting is a program on a terminal, and the person before it.
type sitting struct {
	cmd     *exec.Cmd
	program string
	master  *os.File
	screen  sheet
	seen    int
	ended   chan error
	shown   chan struct{} // closed once there is nothing more to show
}

func startOnTerminal(ts *testscript.TestScript, args []string) (*sitting, error) {
	master, slave, err := openPTY()
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	p := &sitting{master: master, program: filepath.Join(filepath.Dir(os.Args[0]), "popsync"), ended: make(chan error, 1), shown: make(chan struct{})}
	if path, err := exec.LookPath("popsync"); err == nil {
		p.program = path
	}
	p.cmd = p.command(ts, args)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		master.Close()
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	go func() {
		defer close(p.shown)
		_, _ = io.Copy(&p.screen, master) // ends with EIO once nobody has the terminal any more
	}()
	return p, nil
}

func (p *sitting) command(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.Command(p.program, args...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"HOME=" + cmd.Dir, "PATH=" + ts.Getenv("PATH"), "LANG=C.UTF-8", "TERM=xterm"}
	return cmd
}

func openPTY() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	conn, err := master.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var n int
	controlled := conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err := errors.Join(controlled, err); err != nil {
		return nil, nil, err
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	return master, slave, err
}

// do is one line of what the person does.
func (p *sitting) do(ts *testscript.TestScript, line string) error {
	what, rest, _ := strings.Cut(line, " ")
	switch what {
	case "see":
		return p.see(rest)
	case "press":
		keys, err := strconv.Unquote(`"` + rest + `"`)
		if err == nil {
			_, err = io.WriteString(p.master, keys)
		}
		return err
	case "paste":
		return p.paste()
	case "meanwhile":
		words := strings.Fields(rest)
		out, err := p.command(ts, words[1:]).CombinedOutput()
		if got := exitStatus(err); strconv.Itoa(got) != words[0] {
			return fmt.Errorf("exit status %d: %s", got, out)
		}
		return nil
	}
	return errors.New("no such thing to do")
}

func (p *sitting) see(text string) error {
	if within(10*time.Second, func() bool {
		i := strings.Index(p.screen.String()[p.seen:], text)
		if i >= 0 {
			p.seen += i + len(text)
		}
		return i >= 0
	}) {
		return nil
	}
	return errors.New("not shown within 10 s")
}

var shownAddress = regexp.MustCompile(`http://\S*/authorize\?\S*`)

func (p *sitting) paste() error {
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Get(shownAddress.FindString(p.screen.String()))
	if err != nil {
		return err
	}
	res.Body.Close()
	_, err = io.WriteString(p.master, res.Header.Get("Location")+"\r")
	return err
}

// wait is the program's exit status.
func (p *sitting) wait() int {
	select {
	case err := <-p.ended:
		p.ended <- err
		<-p.shown
		return exitStatus(err)
	case <-time.After(20 * time.Second):
		return -2
	}
}

// end leaves nothing behind.
func (p *sitting) end() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	p.master.Close()
}
