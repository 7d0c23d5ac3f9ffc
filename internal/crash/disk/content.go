package disk

import (
	"math/rand/v2"
	"slices"
)

// A content is what is in a file: what is durable, and what has happened to it since.
type content struct {
	durable []byte
	news    []*write // in their order
}

// A write is one of a file's, or the setting of its size.
type write struct {
	offset   int64 // or the new size
	data     []byte
	truncate bool
	landed   bool // the call has returned: an fsync that is called from now on covers it
}

// on does the write to b.
func (w *write) on(b []byte) []byte {
	if w.truncate {
		return resize(b, w.offset)
	}
	b = resize(b, max(int64(len(b)), w.end()))
	copy(b[w.offset:], w.data)
	return b
}

func (w *write) end() int64 { return w.offset + int64(len(w.data)) }

// sizeAfter is the file's size after the write, where it was size before.
func (w *write) sizeAfter(size int64) int64 {
	if w.truncate {
		return w.offset
	}
	return max(size, w.end())
}

// resize cuts b, or adds zeros.
func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// size is the file's, as programs see it.
func (c *content) size() int64 {
	sizes := c.sizes()
	return sizes[len(sizes)-1]
}

// sizes are all that the file has had since it was durable, the durable one first.
func (c *content) sizes() []int64 {
	sizes := []int64{int64(len(c.durable))}
	for _, w := range c.news {
		sizes = append(sizes, w.sizeAfter(sizes[len(sizes)-1]))
	}
	return sizes
}

// now is what programs see.
func (c *content) now() []byte { return done(c.durable, c.news) }

// done is b after all of writes.
func done(b []byte, writes []*write) []byte {
	b = slices.Clone(b)
	for _, w := range writes {
		b = w.on(b)
	}
	return b
}

// sync begins an fsync, which covers what has landed by now. Its end makes that durable.
func (c *content) sync() (end func()) {
	covered := make(map[*write]bool)
	for _, w := range c.news {
		covered[w] = w.landed
	}
	return func() {
		var rest []*write
		b := slices.Clone(c.durable)
		for _, w := range c.news {
			if covered[w] {
				b = w.on(b)
			} else {
				rest = append(rest, w)
			}
		}
		c.durable, c.news = b, rest
	}
}

// survivor is what a power cut may leave.
func (c *content) survivor(r *rand.Rand, f Fate) []byte {
	if len(c.news) == 0 {
		return c.durable
	}
	b := slices.Clone(c.durable)
	for _, w := range c.news {
		for _, piece := range f.Bytes.of(r, w) {
			b = piece.on(b)
		}
	}
	sizes := c.sizes()
	return resize(b, sizes[f.Sizes.index(r, len(sizes))])
}
