package command

import (
	"os"
	"sync"
	"time"
)

// An output is a pipe that a child writes into. Its beginning is kept, the rest thrown away, so
// that the child never waits for us.
type output struct {
	child, ours *os.File
	limit       int // octets to keep
	done        chan struct{}

	// Of the reader until done is closed.
	kept      []byte
	truncated bool
}

func newOutput(limit int) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &output{child: w, ours: r, limit: limit, done: make(chan struct{})}, nil
}

func (o *output) close() {
	o.child.Close()
	o.ours.Close()
}

// read begins to read, in the background, until every writer has closed the pipe or [output.stop].
// It sends on flood, once, when there is too much; it reads on, since the child may need that
// to hear a signal.
func (o *output) read(flood chan<- struct{}) {
	o.child.Close() // the child has its own; with ours open the pipe would never end
	go func() {
		defer close(o.done)
		buf := chunks.Get().(*[]byte)
		defer chunks.Put(buf)
		for total := 0; ; {
			n, err := o.ours.Read(*buf)
			o.keep((*buf)[:n])
			if total <= maxOutput && total+n > maxOutput {
				flood <- struct{}{}
			}
			total += n
			if err != nil {
				return
			}
		}
	}()
}

func (o *output) keep(p []byte) {
	room := min(o.limit-len(o.kept), len(p))
	o.kept = append(o.kept, p[:room]...)
	o.truncated = o.truncated || room < len(p)
}

func (o *output) ended() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// stop ends the reading, whoever still holds the pipe, and waits for the reader.
func (o *output) stop() {
	_ = o.ours.SetReadDeadline(time.Now()) // a pipe has deadlines wherever Go has a poller
	<-o.done
	o.ours.Close()
}

var chunks = sync.Pool{New: func() any {
	b := make([]byte, 32<<10)
	return &b
}}
