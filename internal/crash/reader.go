package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"popsync/internal/realtest"
)

// A habit is what a mail reader does to a message that it finds in new/.
type habit int

const (
	looks   habit = iota // leaves it there
	marks                // moves it to cur/
	files                // moves it to another Maildir
	deletes              // once it has had a look
	habits               // how many there are
)

func (h habit) String() string {
	return [habits]string{"looks", "marks as seen", "files", "deletes"}[h]
}

// A reader looks into new/ without a pause, as a mail program of the user would.
type reader struct {
	box   *box
	habit habit

	mu      sync.Mutex      // held while a message is looked at and moved
	known   realtest.Census // whole messages
	partial int             // files that were none; to be read after end

	stop   context.CancelFunc
	done   chan struct{}
	failed error // set when done is closed
}

func startReader(ctx context.Context, b *box, h habit) *reader {
	r := &reader{box: b, habit: h, known: realtest.Census{}, done: make(chan struct{})}
	ctx, r.stop = context.WithCancel(ctx)
	go func() {
		defer close(r.done)
		r.failed = r.read(ctx)
	}()
	return r
}

// knows tells the reader of messages that may arrive from now on.
func (r *reader) knows(messages realtest.Census) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.Add(messages)
}

// pause holds the reader's hand until what it returns is called.
func (r *reader) pause() (resume func()) {
	r.mu.Lock()
	return r.mu.Unlock
}

// end stops the reader. It may be called again.
func (r *reader) end() error {
	r.stop()
	<-r.done
	return r.failed
}

func (r *reader) read(ctx context.Context) error {
	seen := map[string]bool{}
	for ctx.Err() == nil {
		entries, err := os.ReadDir(filepath.Join(r.box.maildir, "new"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if seen[e.Name()] {
				continue
			}
			seen[e.Name()] = true
			if err := r.take(e.Name()); err != nil {
				return err
			}
		}
		time.Sleep(200 * time.Microsecond)
	}
	return nil
}

func (r *reader) take(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := filepath.Join(r.box.maildir, "new", name)
	sum, err := realtest.SumFile(path)
	if err != nil {
		return err
	}
	if r.known[sum] == 0 {
		r.partial++
	}
	return r.box.read(path, sum, r.habit)
}

// read does to a message what a mail reader would.
func (b *box) read(path string, sum realtest.Sum, h habit) error {
	name, _, _ := strings.Cut(filepath.Base(path), ":")
	switch h {
	case marks:
		return os.Rename(path, filepath.Join(b.maildir, "cur", name+":2,S"))
	case files:
		return os.Rename(path, filepath.Join(b.archive, "cur", name+":2,S"))
	case deletes:
		b.deleted[sum]++
		return os.Remove(path)
	case looks, habits:
	}
	return nil
}
