// Package arena makes many short strings with few allocations: a listing of a million UIDs is
// twenty megabytes, not a million pieces.
package arena

import "strings"

const chunk = 64 << 10

// Strings makes strings that share chunks of memory. A chunk lives as long as any of its strings.
// The zero value is ready for use.
type Strings struct{ free strings.Builder }

// String is b as a string.
func (s *Strings) String(b []byte) string {
	if s.free.Cap()-s.free.Len() < len(b) {
		s.free = strings.Builder{}
		s.free.Grow(max(chunk, len(b)))
	}
	from := s.free.Len()
	s.free.Write(b)
	return s.free.String()[from:]
}
