package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const helperVariable = "POPSYNC_TRANSPORT_HELPER"

// beHelper makes the test program the one at the other end of a connection.
func beHelper() {
	word, rest, _ := strings.Cut(os.Getenv(helperVariable), " ")
	in := bufio.NewReader(os.Stdin)
	switch word {
	case "":
		return
	case "nc": // to the address, both ways
		conn, err := net.Dial("tcp", rest)
		if err != nil {
			fmt.Fprintln(os.Stderr, "nc:", err)
			os.Exit(1)
		}
		go io.Copy(conn, in)
		io.Copy(os.Stdout, conn)
	case "echo":
		io.Copy(os.Stdout, in)
	case "die": // with a complaint
		fmt.Fprint(os.Stderr, rest)
		os.Exit(255)
	case "deaf": // never reads, and hears no SIGTERM
		signal.Ignore(syscall.SIGTERM)
		fmt.Println(os.Getpid())
		time.Sleep(time.Hour)
	case "flood": // complains without end, and works
		go func() {
			for {
				fmt.Fprintln(os.Stderr, strings.Repeat("x", 1000))
			}
		}()
		io.Copy(os.Stdout, in)
	case "environment":
		for _, v := range os.Environ() {
			fmt.Println(v)
		}
	}
	os.Exit(0)
}

func helper(t *testing.T, role string) (argv, env []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{self}, []string{helperVariable + "=" + role, "GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + t.TempDir()}
}

func open(t *testing.T, argv, env []string) net.Conn {
	t.Helper()
	conn, err := Command(argv, env)(t.Context(), "tcp", "pop.example.org:995")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func play(t *testing.T, role string) net.Conn {
	t.Helper()
	argv, env := helper(t, role)
	return open(t, argv, env)
}

func complaint(c net.Conn) string { return c.(interface{ Complaint() string }).Complaint() }

// there reports whether pid runs or is a zombie.
func there(pid int) bool { return syscall.Kill(pid, 0) == nil }

// runs reports whether pid runs; a zombie that init has not met yet does not.
func runs(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return there(pid)
	}
	return there(pid) && !strings.Contains(string(stat), ") Z ")
}

// ends waits until pid does not run any more.
func ends(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		if !runs(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

// T8: a program's standard input and output are the connection, with deadlines.
func TestCommand(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		server(c)
		_, _ = io.WriteString(c, "bye")
	}()
	c := play(t, "nc "+l.Addr().String())
	pid := c.(*child).cmd.Process.Pid
	in := bufio.NewReader(c)
	if got, err := in.ReadString('\n'); err != nil || got != greeting {
		t.Errorf("%q, %v", got, err)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read after its time: %v", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	if _, err := io.WriteString(c, "QUIT\r\n"); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(in); err != nil || string(got) != "bye" {
		t.Errorf("the end: %q, %v", got, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if complaint(c) != "" {
		t.Errorf("complaint %q", complaint(c))
	}
	if there(pid) {
		t.Error("it is still there, or a zombie")
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
}

// T7, T8: the address is no socket's, so that it never looks like one of this machine.
func TestCommandAddress(t *testing.T) {
	argv, env := helper(t, "echo")
	c := open(t, argv, env)
	for _, addr := range []net.Addr{c.RemoteAddr(), c.LocalAddr()} {
		if _, ok := addr.(Addr); !ok || addr.String() != "connect_command "+argv[0] {
			t.Errorf("%T %q", addr, addr)
		}
	}
}

// One that dies at once is the end of the connection, and says why.
func TestCommandThatDies(t *testing.T) {
	for said, want := range map[string]string{
		"":                           "exit status 255",
		"ssh: no such host gate\r\n": "exit status 255: ssh: no such host gate",
		"1\n\n2\n3 \n4":              "exit status 255: 2; 3; 4",
		strings.Repeat("x", 64<<10):  "exit status 255: " + strings.Repeat("x", 4<<10),
	} {
		c := play(t, "die "+said)
		if n, err := c.Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Errorf("read %d, %v", n, err)
		}
		c.Close()
		if got := complaint(c); got != want {
			t.Errorf("complaint %.100q, want %.100q", got, want)
		}
	}
	c := open(t, []string{"/bin/sh", "-c", "kill -KILL $$"}, nil)
	_, _ = c.Read(make([]byte, 1))
	c.Close()
	if got := complaint(c); got != "died by signal 9 (killed)" {
		t.Errorf("complaint %q", got)
	}
}

// What is sent to one that is dead already is an end of the connection too.
func TestWritingToADeadCommand(t *testing.T) {
	c := play(t, "die sorry")
	for {
		if _, err := io.WriteString(c, "QUIT\r\n"); err != nil {
			if err != io.EOF {
				t.Errorf("%v", err)
			}
			break
		}
	}
	c.Close()
	if got := complaint(c); got != "exit status 255: sorry" {
		t.Errorf("complaint %q", got)
	}
}

// One that never reads holds nobody up beyond the deadline, and one that hears no SIGTERM gets
// SIGKILL.
func TestDeafCommand(t *testing.T) {
	c := play(t, "deaf")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(line))
	_ = c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := c.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write after its time: %v", err)
	}
	c.Close()
	if there(pid) {
		t.Error("it is still there, or a zombie")
	}
	if complaint(c) != "" {
		t.Errorf("our SIGKILL is no complaint of the program: %q", complaint(c))
	}
}

// Close ends what the program has started, too, whether the program is still there or not.
func TestCommandLeavesNothingBehind(t *testing.T) {
	for name, script := range map[string]string{
		"alive":                   "sleep 100 & echo $!; wait",
		"gone":                    "sleep 100 & echo $!; exit 3",
		"gone, SIGTERM ignored":   "(trap '' TERM; sleep 100) & echo $!; exit 3",
		"stopped":                 "echo $$; kill -STOP $$",
		"holding nothing of ours": "sleep 100 </dev/null >/dev/null 2>&1 & echo $!; exit 3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, []string{"/bin/sh", "-c", script}, nil)
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			ends(t, pid)
			if there(c.(*child).cmd.Process.Pid) {
				t.Error("the program is still there, or a zombie")
			}
		})
	}
}

// A read that waits ends when another goroutine closes.
func TestCloseEndsRead(t *testing.T) {
	c := play(t, "echo")
	result := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		result <- err
	}()
	c.Close()
	if err := <-result; err == nil {
		t.Error("no error")
	}
}

// A flood of complaints takes no memory and holds nothing up.
func TestCommandFloodsStderr(t *testing.T) {
	c := play(t, "flood")
	text := strings.Repeat("0123456789", 1000)
	go io.WriteString(c, text)
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Errorf("%v", err)
	}
	c.Close()
	if n := len(complaint(c)); n > keptStderr+100 {
		t.Errorf("%d octets kept", n)
	}
}

func TestCommandThatCannotStart(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"/no/such/ssh"}, "connect_command /no/such/ssh: no such file or directory"},
		{[]string{"popsync-no-such-program"}, "connect_command popsync-no-such-program: executable file not found in $PATH"},
		{[]string{plain}, "connect_command " + plain + ": permission denied"},
		{nil, "connect_command: no program is named"},
	} {
		_, err := Command(c.argv, nil)(t.Context(), "tcp", "h:1")
		if e, ok := errors.AsType[*Error](err); !ok || e.Error() != c.want || e.Hint == "" {
			t.Errorf("%v: %v, want %s", c.argv, err, c.want)
		}
	}
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := Command([]string{"/bin/true"}, nil)(ctx, "tcp", "h:1"); !errors.Is(err, why) {
		t.Errorf("begun after the end: %v", err)
	}
}

// Without an environment of its own the program gets what ssh needs, and no password.
func TestDefaultEnvironment(t *testing.T) {
	t.Setenv("WORK_PASSWORD", "geheim")
	t.Setenv("SSH_AUTH_SOCK", "/run/agent")
	c := open(t, []string{"/bin/sh", "-c", "env"}, nil)
	text, _ := io.ReadAll(c)
	if strings.Contains(string(text), "geheim") || !strings.Contains(string(text), "SSH_AUTH_SOCK=/run/agent\n") || !strings.Contains(string(text), "PATH=") {
		t.Errorf("%s", text)
	}
	argv, env := helper(t, "environment")
	text, _ = io.ReadAll(open(t, argv, append(env, "A=b")))
	if string(text) != strings.Join(env, "\n")+"\nA=b\n" {
		t.Errorf("%s", text)
	}
}

// A program that asks on the terminal cannot, and says so, instead of being stopped.
func TestCommandHasNoTerminal(t *testing.T) {
	c := open(t, []string{"/bin/sh", "-c", "exec 3</dev/tty || exit 9"}, nil)
	_, _ = c.Read(make([]byte, 1))
	c.Close()
	if !strings.Contains(complaint(c), "/dev/tty") {
		t.Errorf("complaint %q", complaint(c))
	}
}
