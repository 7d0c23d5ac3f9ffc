package fetch

import (
	"sync"
	"sync/atomic"

	"popsync/uidl"
)

// A desk sees to it that each mailbox has one session at a time, whoever asks for it. Who asks for
// a poll while one runs joins that one, as long as it has not logged in: that is when a server takes
// stock of the mailbox (RFC 1939, section 4), and mail that comes later is not in it.
type desk struct {
	mu    sync.Mutex
	under map[uidl.Mailbox]*visit
}

// A visit is one use of a mailbox.
type visit struct {
	open   atomic.Bool // it may be joined
	done   chan struct{}
	result Result // once it is done

	told []func(Event) // those who asked for it; guarded by Poller.notifying
}

// enter begins a visit of m, or gives the one that is under way.
func (d *desk) enter(m uidl.Mailbox, open bool) (v *visit, begun bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.under[m]; v != nil {
		return v, false
	}
	if d.under == nil {
		d.under = make(map[uidl.Mailbox]*visit)
	}
	v = &visit{done: make(chan struct{})}
	v.open.Store(open)
	d.under[m] = v
	return v, true
}

// find gives the visit of m that is under way, or nil.
func (d *desk) find(m uidl.Mailbox) *visit {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.under[m]
}

// beside is what somebody does at m.
func (d *desk) beside(m uidl.Mailbox) beside {
	switch v := d.find(m); {
	case v == nil:
		return nobody
	case v.open.Load():
		return joinable
	}
	return busy
}

// leave ends the visit v of m.
func (d *desk) leave(m uidl.Mailbox, v *visit, r Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.under, m)
	v.result = r
	close(v.done)
}
