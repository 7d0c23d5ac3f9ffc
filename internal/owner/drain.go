package owner

import "context"

// Drain lets the requests come to their ends: from now on hellos say "ending", and new requests
// are refused with [CodeEnding]. It returns when the last one is over, or ctx. A client that takes
// nothing for 10 seconds of what its request has for it is given up.
func (l *Listener) Drain(ctx context.Context) {
	l.mu.Lock()
	if !l.isEnding() {
		close(l.ending)
		l.checkIdle()
	}
	l.mu.Unlock()
	select {
	case <-l.idle:
	case <-ctx.Done():
	}
}

func (l *Listener) isEnding() bool {
	select {
	case <-l.ending:
		return true
	default:
		return false
	}
}

// begin counts a request in, unless we are about to end.
func (l *Listener) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isEnding() {
		return false
	}
	l.requests++
	return true
}

func (l *Listener) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests--
	l.checkIdle()
}

// checkIdle says so when the last request is over. The lock is held.
func (l *Listener) checkIdle() {
	if l.isEnding() && l.requests == 0 {
		close(l.idle)
	}
}
