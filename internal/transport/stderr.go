package transport

import (
	"os"
	"strings"
	"sync"
	"time"
)

// keptStderr is how much of what a program complains of is kept, in octets.
const keptStderr = 4 << 10

// A stderr is the pipe into which a program complains. Its beginning is kept and the rest thrown
// away, so that the program never waits for us.
type stderr struct {
	child, ours *os.File
	done        chan struct{}

	mu   sync.Mutex
	kept []byte
}

func newStderr() (*stderr, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &stderr{child: w, ours: r, done: make(chan struct{})}, nil
}

func (s *stderr) close() {
	s.child.Close()
	s.ours.Close()
}

// read begins to read, in the background, until every writer has closed the pipe or [stderr.stop].
func (s *stderr) read() {
	s.child.Close() // the program has its own; with ours open the pipe would never end
	go func() {
		defer close(s.done)
		for buf := make([]byte, keptStderr); ; {
			n, err := s.ours.Read(buf)
			s.keep(buf[:n])
			if err != nil {
				return
			}
		}
	}()
}

func (s *stderr) keep(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, p[:min(len(p), keptStderr-len(s.kept))]...)
}

// stop ends the reading once all is read, and soon in any case: what the program left behind on
// purpose, such as ssh's ControlPersist, may hold the pipe for hours.
func (s *stderr) stop() {
	if !happens(s.done, 100*time.Millisecond) {
		_ = s.ours.SetReadDeadline(time.Unix(1, 0))
		<-s.done
	}
	s.ours.Close()
}

// lines are the last lines with anything in them, in one: the reason mostly stands at the end.
func (s *stderr) lines() string {
	const most = 3
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for line := range strings.Lines(string(s.kept)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-most):], "; ")
}
