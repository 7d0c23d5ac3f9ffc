package owner

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	maxWaiting = 1 << 20  // octets that wait for a client; one longer line may wait alone
	chunk      = 64 << 10 // octets a write: each one that is taken is progress
)

var (
	errStuck = errors.New("the client does not take what it is told")
	errOver  = errors.New("the request is over")
)

// An outbox holds the lines that a client has not taken yet. They are written by a goroutine of
// its own, so that nobody is held up who does not mean to wait.
type outbox struct {
	conn     net.Conn
	ending   <-chan struct{} // closed: the owner wants to end
	patience time.Duration   // from then on, for a client that takes nothing

	writer sync.WaitGroup
	filled *sync.Cond // of mu: there may be something to write, or no more to come

	mu      sync.Mutex
	waiting []byte        // whole lines, but for the first, which may be begun
	moved   chan struct{} // closed when something has been taken, and then made anew
	ended   bool          // the last line has been added
	err     error         // final
}

func newOutbox(conn net.Conn, ending <-chan struct{}, patience time.Duration) *outbox {
	o := &outbox{conn: conn, ending: ending, patience: patience, moved: make(chan struct{})}
	o.filled = sync.NewCond(&o.mu)
	o.writer.Go(o.write)
	return o
}

// offer adds a line unless too much waits already.
func (o *outbox) offer(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(line)
}

// put adds a line and waits until there is room for it.
func (o *outbox) put(ctx context.Context, line []byte) error {
	over := false
	err := o.await(ctx, func() bool {
		over = o.ended
		return over || o.add(line)
	})
	if over {
		return errOver
	}
	return err
}

// finish adds the last line, or none if it is nil, and waits until the client has taken all.
// The goroutine has ended when it returns.
func (o *outbox) finish(last []byte) error {
	ctx := context.Background() // the end of the request's is no reason to withhold its answer
	err := o.await(ctx, func() bool {
		o.ended = last == nil || o.add(last)
		return o.ended
	})
	if err == nil {
		err = o.await(ctx, func() bool { return len(o.waiting) == 0 })
	}
	if err != nil {
		o.fail(err)
	}
	o.filled.Signal()
	o.writer.Wait()
	return err
}

// add adds a line if there is room for it. The lock is held.
func (o *outbox) add(line []byte) bool {
	if o.ended || o.err != nil || len(o.waiting) > 0 && len(o.waiting)+len(line) > maxWaiting {
		return false
	}
	o.waiting = append(o.waiting, line...)
	o.filled.Signal()
	return true
}

// await waits until ready, which is called with the lock held.
func (o *outbox) await(ctx context.Context, ready func() bool) error {
	for {
		o.mu.Lock()
		err, is, moved := o.err, ready(), o.moved
		o.mu.Unlock()
		if err != nil || is {
			return err
		}
		if err := o.rest(ctx, moved); err != nil {
			return err
		}
	}
}

// rest waits until the client has taken something. It may stand still for as long as it likes, in
// a pager or stopped, and once the owner wants to end for as long as that has patience.
func (o *outbox) rest(ctx context.Context, moved <-chan struct{}) error {
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-o.ending:
	}
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(o.patience):
		o.fail(errStuck)
		return errStuck
	}
}

// write writes what waits, until the end or an error.
func (o *outbox) write() {
	for {
		part := o.next()
		if part == nil {
			return
		}
		n, err := o.conn.Write(part)
		o.wrote(n, err)
	}
}

// next waits for something to write; nil means that there is no more. What add appends meanwhile
// lies behind it.
func (o *outbox) next() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) == 0 && !o.ended && o.err == nil {
		o.filled.Wait()
	}
	if len(o.waiting) == 0 || o.err != nil {
		return nil
	}
	return o.waiting[:min(len(o.waiting), chunk)]
}

func (o *outbox) wrote(n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = o.waiting[n:]
	if len(o.waiting) == 0 {
		o.waiting = nil // and the memory
	}
	o.set(err)
	close(o.moved)
	o.moved = make(chan struct{})
}

// fail ends the outbox, with a write that is under way.
func (o *outbox) fail(err error) {
	o.mu.Lock()
	o.set(err)
	o.mu.Unlock()
	o.filled.Signal()
	o.conn.SetWriteDeadline(past)
}

// set keeps the first error. The lock is held.
func (o *outbox) set(err error) {
	if o.err == nil {
		o.err = err
	}
}
