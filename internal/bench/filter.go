package main

import "bytes"

// A filter leaves out one line wherever it comes. A message that has it would be damaged; none of
// ours has, and the comparison of what arrives would show it.
type filter struct {
	line []byte // with its end
	held []byte // the beginning of what may become the line
	mid  bool   // what comes next continues a line
}

// pass is what is left of p. It is good until the next call.
func (f *filter) pass(p []byte) []byte {
	p = append(f.held, p...)
	f.held = nil
	var out []byte
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		switch {
		case end == 0 && !f.mid && bytes.HasPrefix(f.line, p):
			f.held = p
			return out
		case end == 0:
			f.mid = true
			return append(out, p...)
		case f.mid || !bytes.Equal(p[:end], f.line):
			out = append(out, p[:end]...)
		}
		f.mid, p = false, p[end:]
	}
	return out
}
