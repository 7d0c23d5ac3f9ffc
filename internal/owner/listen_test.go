package owner

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSocketIsForItsUserOnly(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	path := socketPath(t)
	l := serve(t, path, generous, echo)
	if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	l.Close()
	if names := listDir(t, filepath.Dir(path)); len(names) != 0 {
		t.Errorf("Close leaves %q", names)
	}
}

func TestLeftOverSocketsAreReplaced(t *testing.T) {
	path := socketPath(t)
	for _, name := range []string{path, path + newSuffix} {
		leaveSocket(t, name)
	}
	if _, _, err := Dial(t.Context(), path, bob); !errors.Is(err, ErrNobody) {
		t.Errorf("before: %v", err)
	}
	serve(t, path, generous, echo)
	dialled(t, path)
	if names := listDir(t, filepath.Dir(path)); len(names) != 1 {
		t.Errorf("there are %q", names)
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	for _, tt := range []struct {
		want  string
		place func(t testing.TB, path string)
	}{
		{"is a file where", write},
		{"is a folder where", func(t testing.TB, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		{"is a link where", func(t testing.TB, path string) {
			leaveSocket(t, path+".real")
			if err := os.Symlink(path+".real", path); err != nil {
				t.Fatal(err)
			}
		}},
		{"is something else where", func(t testing.TB, path string) {
			if err := unix.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		for _, suffix := range []string{"", newSuffix} {
			path := socketPath(t)
			tt.place(t, path+suffix)
			before, err := os.Lstat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			l, err := Listen(path)
			if err == nil {
				l.Close()
			}
			if err == nil || !strings.Contains(err.Error(), path+suffix+" "+tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if after, err := os.Lstat(path + suffix); err != nil || !os.SameFile(before, after) {
				t.Errorf("%s: it is not there any more: %v", tt.want, err)
			}
		}
	}
}

func TestListenSaysWhatFailed(t *testing.T) {
	path := filepath.Join(socketPath(t), "state.db.sock")
	_, err := Listen(path)
	if want := "listen at " + path + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestCloseLeavesAnotherSocketAlone(t *testing.T) {
	path := socketPath(t)
	l := serve(t, path, generous, echo)
	if err := os.Rename(path, path+".old"); err != nil { // so that its inode is not used again
		t.Fatal(err)
	}
	leaveSocket(t, path)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestCloseWithoutServe(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	l.Serve(func() Hello { return alice }, echo) // returns
	if _, _, err := Dial(t.Context(), path, bob); !errors.Is(err, ErrNobody) {
		t.Errorf("after Close: %v", err)
	}
}

// A program that the owner starts must not hold its connections.
func TestDescriptorsAreCloseOnExec(t *testing.T) {
	path := socketPath(t)
	serve(t, path, generous, echo)
	if _, err := dialled(t, path).Call(t.Context(), "echo", nil, nil); err != nil {
		t.Fatal(err)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no list of our descriptors: ", err)
	}
	sockets := 0
	for _, fd := range fds {
		link, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil || !strings.HasPrefix(link, "socket:") {
			continue
		}
		sockets++
		if !closeOnExec(t, fd.Name()) {
			t.Errorf("descriptor %s, %s, is not", fd.Name(), link)
		}
	}
	if sockets < 3 { // the listener, and both ends
		t.Errorf("only %d sockets were looked at", sockets)
	}
}

func TestDrainLetsRequestsComeToTheirEnds(t *testing.T) {
	path := socketPath(t)
	begun, finish := make(chan bool), make(chan bool)
	l := serve(t, path, generous, func(context.Context, *Request) (any, error) {
		begun <- true
		<-finish
		return "finished", nil
	})
	early, late := dialled(t, path), dialled(t, path)
	answer := make(chan string)
	go func() {
		got, err := early.Call(context.Background(), "work", nil, nil)
		answer <- text(got) + errorText(err)
	}()
	<-begun

	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	l.Drain(short) // returns though the request goes on
	drained := make(chan bool)
	go func() { l.Drain(context.Background()); close(drained) }()

	if _, err := late.Call(t.Context(), "work", nil, nil); code(err) != CodeEnding {
		t.Errorf("a new request: %v", err)
	}
	later, hello, err := Dial(t.Context(), path, bob)
	if err != nil || !hello.Ending {
		t.Fatalf("a new client: %+v, %v", hello, err)
	}
	defer later.Close()
	select {
	case <-drained:
		t.Error("drained, with a request under way")
	default:
	}
	close(finish)
	if got := <-answer; got != `"finished"` {
		t.Errorf("the request under way: %s", got)
	}
	<-drained

	gone := make(chan error)
	for _, c := range []*Conn{early, late, later} { // answered, refused, and without a request
		go func() { gone <- c.WaitGone(context.Background()) }()
	}
	select {
	case err := <-gone:
		t.Errorf("gone before Close: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	l.Close()
	for range 3 {
		if err := <-gone; err != nil {
			t.Error(err)
		}
	}
}

func TestCloseEndsRequests(t *testing.T) {
	path := socketPath(t)
	l := serve(t, path, generous, untilEnd)
	_, err := dialled(t, path).Call(t.Context(), "work", nil, func(e jsonEvent) error {
		go l.Close()
		return nil
	})
	if !errors.Is(err, ErrGone) {
		t.Errorf("the client is told %v", err)
	}
	l.Close()
}

func TestCloseTellsWhatWasDoneNevertheless(t *testing.T) {
	path := socketPath(t)
	l := serve(t, path, generous, func(ctx context.Context, r *Request) (any, error) {
		_, err := untilEnd(ctx, r)
		return errorText(err), nil
	})
	got, err := dialled(t, path).Call(t.Context(), "work", nil, func(jsonEvent) error {
		go l.Close()
		return nil
	})
	if text(got) != `"context canceled"` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	l.Close()
}

// Close does not wait for a client that takes nothing any more.
func TestCloseDoesNotWaitForAStuckClient(t *testing.T) {
	path := socketPath(t)
	limits := generous
	limits.hurry = 50 * time.Millisecond
	full := make(chan bool)
	l := serve(t, path, limits, func(ctx context.Context, r *Request) (any, error) {
		for range 2 * maxWaiting / 1000 {
			r.Tell(strings.Repeat("x", 1000))
		}
		close(full)
		return nil, nil
	})
	w := newWire(t, path)
	w.put(`{"hello":{"schema":1}}` + "\n" + `{"do":"work"}` + "\n")
	<-full
	done := make(chan bool)
	go func() { l.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("Close hangs")
	}
}

func closeOnExec(t testing.TB, name string) bool {
	t.Helper()
	fd, err := strconv.Atoi(name)
	if err != nil {
		t.Fatal(err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		t.Fatal(err)
	}
	return flags&unix.FD_CLOEXEC != 0
}

// leaveSocket leaves a socket at path that nobody listens at.
func leaveSocket(t testing.TB, path string) {
	t.Helper()
	s, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	s.SetUnlinkOnClose(false)
	s.Close()
}

func listDir(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
