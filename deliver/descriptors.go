package deliver

import (
	"sync"
	"sync/atomic"
	"syscall"
)

// keep takes f over and holds it open for its fsync. A descriptor hears of every write that fails
// from now on; one that is opened later may not, if the kernel has dropped the file from memory
// meanwhile. Beyond the bound files are closed and opened again.
func (s *staging) keep(name string, f file) error {
	if kept.Add(1) > mayKeep() {
		kept.Add(-1)
		if err := f.close(); err != nil {
			return failed(s.dir, err)
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written == nil {
		s.written = make(map[string]file)
	}
	s.written[name] = f
	return nil
}

// held is the descriptor of a staged file, if one is held. It stays here.
func (s *staging) held(name string) (f file, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, held = s.written[name]
	return f, held
}

// take gives out the descriptor of a staged file, if one is held.
func (s *staging) take(name string) (f file, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, held = s.written[name]; held {
		delete(s.written, name)
		kept.Add(-1)
	}
	return f, held
}

// kept counts the descriptors that all stagings of this process hold, as the limit is the process's.
var kept atomic.Int64

// mayKeep is a quarter of what the process may open, 1024 at most: the wire and the database need some too.
var mayKeep = sync.OnceValue(func() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int64(min(limit.Cur/4, 1024))
})
