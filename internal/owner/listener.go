package owner

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"
)

// limits are what an owner grants its clients.
type limits struct {
	clients  int           // at once
	pulse    time.Duration // between two signs of life
	promptly time.Duration // for a hello, and from the first octet of a request to its last
	patience time.Duration // for a client that takes nothing, once Drain waits for its request
	hurry    time.Duration // the same once the Listener closes
}

var usual = limits{clients: 256, pulse: pulse, promptly: 5 * time.Second, patience: 10 * time.Second, hurry: time.Second}

// A Listener is the socket of the process that holds a state.
type Listener struct {
	limits
	path   string
	file   fs.FileInfo // of the socket, to know it again
	socket *net.UnixListener

	hello  func() Hello
	handle Handler

	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	work  sync.WaitGroup // Serve and all sessions
	seats chan struct{}  // one taken for each client

	mu       sync.Mutex
	closed   bool
	ending   chan struct{} // closed by Drain
	requests int           // under way
	idle     chan struct{} // closed once ending, and no request is under way
}

// Listen listens at path with mode 0600. Its caller holds the state's lock, so a socket there is
// what an owner left behind that was killed, and is replaced; what is no socket is left alone.
// Until Serve, clients wait.
func Listen(path string) (*Listener, error) {
	socket, file, err := listen(path)
	if err != nil {
		return nil, err
	}
	l := &Listener{limits: usual, path: path, file: file, socket: socket}
	l.ending, l.idle = make(chan struct{}), make(chan struct{})
	l.seats = make(chan struct{}, l.clients)
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l, nil
}

// Close ends what Drain, if it was called, has not waited for: the contexts of requests end, a
// handler that succeeds nevertheless has its answer told, and all connections are closed.
// It removes the socket and returns when the handlers have returned, and Serve. The state's lock
// is let go of after that.
func (l *Listener) Close() error {
	l.mu.Lock()
	again := l.closed
	l.closed = true
	l.mu.Unlock()
	var err error
	if !again {
		err = errors.Join(l.remove(), l.socket.Close())
		l.stop()
	}
	l.work.Wait()
	return err
}

// remove removes the socket, unless it is another one by now.
func (l *Listener) remove() error {
	info, err := os.Lstat(l.path)
	if err != nil || !os.SameFile(info, l.file) {
		return nil
	}
	return os.Remove(l.path)
}
