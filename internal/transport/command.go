package transport

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"popsync/internal/command"
)

// Command starts the program argv; its standard input and output are the connection, whatever
// network and address are asked for. There is no shell. env is all of its environment; nil is
// [command.BaseEnv] and what ssh needs to find its agent.
//
// The program leads a session of its own, without a terminal: one that wants to ask for a
// password or a passphrase fails at once instead of being stopped for ever. Closing the connection
// ends it and all that it started. The connection has deadlines, and a method
//
//	Complaint() string
//
// that is what the program said on standard error, raw, and with which status it ended if that
// was no success; empty if there was neither. It is complete once the connection is closed.
func Command(argv, env []string) Dialer {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if len(argv) == 0 {
			return nil, &Error{"connect_command", errors.New("no program is named"), "write connect_command as a list, such as [ssh, gate, nc, pop.example.org, \"110\"]"}
		}
		via := "connect_command " + argv[0]
		if ctx.Err() != nil {
			return nil, &Error{via, context.Cause(ctx), ""}
		}
		conn, err := start(argv, env)
		if err != nil {
			return nil, &Error{via, startReason(err), startHint(err)}
		}
		return conn, nil
	}
}

// startReason is err without the program's name, which stands in front.
func startReason(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

func startHint(err error) string {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "connect_command needs a program that is installed and may be run; its full path is the safest"
	}
	return ""
}

// forSSH are the variables by which ssh finds its agent, a dialogue to ask with, and Kerberos
// tickets.
var forSSH = []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "KRB5CCNAME"}

func defaultEnv() []string {
	env := command.BaseEnv()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); slices.Contains(forSSH, name) {
			env = append(env, variable)
		}
	}
	return env
}

// start runs the program with one end of a pair of sockets.
func start(argv, env []string) (net.Conn, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	said, err := newStderr()
	if err != nil {
		ours.Close()
		return nil, err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	if env == nil {
		cmd.Env = defaultEnv()
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, said.child
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		ours.Close()
		said.close()
		return nil, err
	}
	said.read()
	return &child{UnixConn: ours, addr: Addr{Via: "connect_command " + argv[0]}, cmd: cmd, said: said}, nil
}

// pair is a connection, and a file that is its other end.
func pair() (*net.UnixConn, *os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	mine, theirs := os.NewFile(uintptr(fds[0]), "socketpair"), os.NewFile(uintptr(fds[1]), "socketpair")
	defer mine.Close() // FileConn has one of its own
	conn, err := net.FileConn(mine)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}
