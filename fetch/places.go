package fetch

import (
	"cmp"
	"sync"
)

// Places bound the polls that run at once in one process, whoever asked for them.
type places struct {
	max, maxPerHost int

	mu      sync.Mutex
	running int
	onHost  map[string]int
	freed   chan struct{} // closed when somebody may go on, and renewed
}

func newPlaces(maxParallel, maxPerHost int) *places {
	return &places{
		max: cmp.Or(maxParallel, 16), maxPerHost: cmp.Or(maxPerHost, 4),
		onHost: make(map[string]int), freed: make(chan struct{}),
	}
}

// take takes a place for j if there is one. Each is followed by give.
func (p *places) take(j job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	beside := p.onHost[j.host]
	if p.running >= p.max || beside >= p.maxPerHost || j.alone && beside > 0 {
		return false
	}
	p.running++
	p.onHost[j.host]++
	return true
}

// give gives back the place of j.
func (p *places) give(j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	if p.onHost[j.host]--; p.onHost[j.host] == 0 {
		delete(p.onHost, j.host)
	}
	p.wake()
}

// over wakes those who wait for a mailbox.
func (p *places) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
}

// wake lets all who wait look again. The lock is held.
func (p *places) wake() {
	close(p.freed)
	p.freed = make(chan struct{})
}

// free is closed at the next give, or over.
func (p *places) free() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.freed
}
