package oauth

import (
	"bufio"
	"io"
	"log"
	"strings"
	"sync"
	"time"
)

// first offers v, unless there is a verdict already.
func first(verdicts chan<- verdict, v verdict) {
	select {
	case verdicts <- v:
	default:
	}
}

// nobodysLog is where net/http complains of browsers.
var nobodysLog = log.New(io.Discard, "", 0)

// maxPasted is the longest address that may be pasted, in bytes.
const maxPasted = 64 << 10

// readPasted reads lines until one is the answer to a. It goes on reading beyond the end of the
// flow where the reader has no deadline: the next line is lost then. The reader's end is the flow's
// where the answer can come in no other way: alone.
func (s *Source) readPasted(a authorization, p Person, alone bool, verdicts chan<- verdict) (shut func()) {
	if p.Paste == nil {
		return func() {}
	}
	var reader sync.WaitGroup
	over := make(chan struct{})
	reader.Go(func() {
		lines := bufio.NewScanner(p.Paste)
		lines.Buffer(nil, maxPasted)
		for lines.Scan() {
			select {
			case <-over:
				return
			default:
			}
			line := strings.TrimSpace(lines.Text())
			if line == "" {
				continue
			}
			v, ok := s.verdict(a, pasted(line))
			if !ok {
				say(p.Say, "That is not the answer that is waited for. Paste the whole address, from http:// to its end:\n")
				continue
			}
			first(verdicts, v)
			return
		}
		if alone {
			first(verdicts, verdict{err: errorf(NeedsLogin, s.again(), "nothing was pasted")})
		}
	})
	return func() {
		close(over)
		if d, ok := p.Paste.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Now()) == nil {
			reader.Wait()
		}
	}
}
