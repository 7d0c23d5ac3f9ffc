package owner

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleVariable makes a child of the test's binary play a role; its argument is the socket's path.
const roleVariable = "POPSYNC_OWNER_TEST"

// playRole is the child. What happened goes to its standard output, a line each.
func playRole(role, path string) {
	switch role {
	case "owner":
		l, err := Listen(path)
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := os.Stat(path + ".open"); err == nil {
			os.Chmod(path, 0o666)
		}
		fmt.Println("listening")
		l.Serve(func() Hello { return alice }, func(ctx context.Context, r *Request) (any, error) {
			if r.Do == "ask" {
				return "yours", nil
			}
			return untilEnd(ctx, r)
		})
	case "client":
		c, _, err := Dial(context.Background(), path, bob)
		if err == nil {
			_, err = c.Call(context.Background(), "ask", nil, nil)
		}
		fmt.Println(err)
	}
}

// play starts a child as user uid and returns its process and its first line.
func play(t testing.TB, role, path string, uid int) (*os.Process, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	if uid != os.Geteuid() {
		cmd.Path = "/proc/self/exe" // the folder of our own file is for us alone
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd.Process, strings.TrimSuffix(line, "\n")
}

// ownerAs starts an owner as user uid.
func ownerAs(t testing.TB, path string, uid int) *os.Process {
	t.Helper()
	p, said := play(t, "owner", path, uid)
	if said != "listening" {
		t.Fatal(said)
	}
	return p
}

func TestKilledOwnerIsNoticedAtOnceAndReplaced(t *testing.T) {
	path := socketPath(t)
	for range 3 {
		p := ownerAs(t, path, os.Geteuid())
		idle := dialled(t, path)
		_, err := dialled(t, path).Call(t.Context(), "work", nil, func(jsonEvent) error { return p.Kill() })
		if err != ErrGone {
			t.Errorf("its client is told %v", err)
		}
		if err := idle.WaitGone(t.Context()); err != nil {
			t.Errorf("who waits for its end is told %v", err)
		}
		if _, err := idle.Call(t.Context(), "work", nil, nil); err != ErrGone {
			t.Errorf("who asks then is told %v", err)
		}
		if _, _, err := Dial(t.Context(), path, bob); err != ErrNobody {
			t.Errorf("who comes then is told %v", err)
		}
	}
}

func TestStoppedOwnerIsSilent(t *testing.T) {
	path := socketPath(t)
	p := ownerAs(t, path, os.Geteuid())
	stop(t, p)
	if _, _, err := dial(t.Context(), path, bob, 100*time.Millisecond); err != ErrSilent {
		t.Errorf("got %v", err)
	}
	if err := p.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	dialled(t, path)
}

func TestOwnerThatIsStoppedInACallIsSilent(t *testing.T) {
	path := socketPath(t)
	p := ownerAs(t, path, os.Geteuid())
	c := dialled(t, path)
	c.owner.tick = 10 * time.Millisecond
	_, err := c.Call(t.Context(), "work", nil, func(jsonEvent) error { stop(t, p); return nil })
	if err != ErrSilent {
		t.Errorf("got %v", err)
	}
}

// Its owner's other work goes on, and its answer is there when it goes on itself.
func TestStoppedClientHoldsNothingUp(t *testing.T) {
	path := socketPath(t)
	const much = 4 * maxWaiting / 1000
	begun, stopped := make(chan bool), make(chan bool)
	serve(t, path, generous, func(_ context.Context, r *Request) (any, error) {
		if r.Do == "echo" {
			return r.Body, nil
		}
		close(begun)
		<-stopped
		for range much {
			r.Tell(strings.Repeat("x", 1000))
		}
		return nil, NewFailure("told", "much")
	})
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), roleVariable+"=client")
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	stop(t, cmd.Process)
	close(stopped)
	if got, err := dialled(t, path).Call(t.Context(), "echo", 1, nil); text(got) != "1" || err != nil {
		t.Errorf("another client is told %s, %v", got, err)
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "told: much\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// stop stops a child and returns once it is.
func stop(t testing.TB, p *os.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(p.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("not stopped: %v, %v", status, err)
	}
}

func TestStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("the test's binary is for us alone: ", err)
	}
	const john, jane = 64001, 64002 // of whom no system has heard
	for _, tt := range []struct {
		name          string
		owner, client int
		open          bool // the socket's mode lets everybody in
		want          string
	}{
		{"root asks root", 0, 0, false, "<nil>"},
		{"john asks himself", john, john, false, "<nil>"},
		{"root asks john", john, 0, false, "<nil>"},
		{"john asks root", 0, john, false, "connect to PATH: permission denied; the socket belongs to user root"},
		{"jane asks john", john, jane, false, "connect to PATH: permission denied; the socket belongs to user ID 64001"},
		{"john asks root by an open socket", 0, john, true, "stranger: the state is served to user root, not to process CLIENT of user ID 64001"},
		{"jane asks john by an open socket", john, jane, true, "at PATH listens process OWNER of user ID 64001, not of user ID 64002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := socketPath(t)
			if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if tt.open {
				write(t, path+".open")
			}
			owner := ownerAs(t, path, tt.owner)
			client, said := play(t, "client", path, tt.client)
			want := strings.NewReplacer("PATH", path, "OWNER", fmt.Sprint(owner.Pid), "CLIENT", fmt.Sprint(client.Pid)).Replace(tt.want)
			if said != want {
				t.Errorf("got  %s\nwant %s", said, want)
			}
		})
	}
}
