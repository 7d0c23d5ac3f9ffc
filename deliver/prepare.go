package deliver

import "sync"

// maxSpares is how many files wait for their messages at most.
const maxSpares = 256

// A spare is a file in the staging place that waits for its message.
type spare struct {
	name string
	file file
}

// prepare creates up to n files in a goroutine of its own: creating one costs more than to fill it,
// and while the first reply is on its way there is nothing else to do. What fails here is met again,
// and told, when a message is staged. done removes what was not needed; no Stage may run then.
func (s *staging) prepare(n int) (done func()) {
	spares := make(chan spare, min(n, maxSpares))
	stop := make(chan struct{})
	var making sync.WaitGroup
	making.Go(func() {
		for range cap(spares) {
			select {
			case <-stop:
				return
			default:
			}
			sp, ok := s.newSpare()
			if !ok {
				return
			}
			spares <- sp
		}
	})
	s.spares = spares
	return func() {
		close(stop)
		making.Wait()
		s.spares = nil
		close(spares)
		for sp := range spares {
			kept.Add(-1)
			sp.file.close()
			_ = s.remove(sp.name) // it is empty, and goes at the next start
		}
	}
}

// newSpare creates a file, as long as there are descriptors for it.
func (s *staging) newSpare() (spare, bool) {
	if kept.Add(1) > mayKeep()/2 {
		kept.Add(-1)
		return spare{}, false
	}
	name, f, err := s.create()
	if err != nil {
		kept.Add(-1)
		return spare{}, false
	}
	return spare{name, f}, true
}

// next is a file for the next message: a spare one, or else a new one.
func (s *staging) next() (name string, f file, err error) {
	select {
	case sp := <-s.spares:
		kept.Add(-1)
		return sp.name, sp.file, nil
	default:
		return s.create()
	}
}
