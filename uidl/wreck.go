package uidl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"popsync/internal/arena"
)

// maxRun bounds a page with what belongs to it: some elements with the longest keys and values.
const maxRun = 256 << 10

// maxDepth is more levels than any tree has.
const maxDepth = 32

// A wreck is a bbolt file in which anything may be wrong. What is read of it is what can be reached
// from its newest header; the pages that are not are of earlier transactions.
//
// No number in it is believed: a page has to be there, an element to lie within its page. Keys and
// values that carry no checksum are no more than a hint.
type wreck struct {
	file  io.ReaderAt
	meta  meta
	pages uint64 // that are there
	uids  arena.Strings
}

func openWreck(file io.ReaderAt, size int64) (*wreck, error) {
	if size == 0 {
		return nil, errors.New("it is empty")
	}
	m, err := newestMeta(file, size)
	if err != nil {
		return nil, err
	}
	return &wreck{file: file, meta: m, pages: min(m.high, uint64(size)/m.pageSize)}, nil
}

// page reads the page id, with what belongs to it.
func (w *wreck) page(id uint64) (page, error) {
	if id < firstInTree || id >= w.pages {
		return page{}, fmt.Errorf("page %d is not there", id)
	}
	data := make([]byte, w.meta.pageSize)
	if err := w.read(data, id); err != nil {
		return page{}, fmt.Errorf("page %d: %w", id, err)
	}
	p := header(id, data)
	if native.Uint64(data) != id {
		return page{}, p.wrong("another page lies here")
	}
	more := min(uint64(native.Uint32(data[12:])), w.pages-id-1, maxRun/w.meta.pageSize)
	if more > 0 {
		p.data = make([]byte, (more+1)*w.meta.pageSize)
		if err := w.read(p.data, id); err != nil {
			p.data = data
		}
	}
	return p, nil
}

func (w *wreck) read(b []byte, id uint64) error {
	_, err := w.file.ReadAt(b, int64(id*w.meta.pageSize))
	return err
}

// A value is an element of a leaf: a bucket, or a sealed value.
type value struct{ key, sealed []byte }

func (v value) intact() bool {
	_, err := unseal(v.key, v.sealed)
	return err == nil
}

// values yields the elements of a leaf that lie within it, each for itself, and their places.
func (p page) values() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		for i := range p.count {
			e, at, ok := p.elementAt(i)
			if !ok {
				return
			}
			from := at + uint64(native.Uint32(e[4:]))
			keySize, size := uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
			if b, ok := p.within(from, keySize+size); ok && keySize > 0 && !yield(i, value{b[:keySize], b[keySize:]}) {
				return
			}
		}
	}
}

// A child is an element of a branch: the first key of another page, and where that is.
type child struct {
	key []byte // nil: it cannot be read
	id  uint64
}

// children yields the elements of a branch.
func (p page) children() iter.Seq[child] {
	return func(yield func(child) bool) {
		for i := range p.count {
			e, at, ok := p.elementAt(i)
			if !ok {
				return
			}
			key, _ := p.within(at+uint64(native.Uint32(e)), uint64(native.Uint32(e[4:])))
			if !yield(child{key, native.Uint64(e[8:])}) {
				return
			}
		}
	}
}

func (p page) elementAt(i int) (e []byte, at uint64, ok bool) {
	at = headerSize + uint64(i)*elementSize
	e, ok = p.within(at, elementSize)
	return e, at, ok
}

func (p page) within(from, n uint64) ([]byte, bool) {
	have := uint64(len(p.data))
	if from > have || n > have-from {
		return nil, false
	}
	return p.data[from:][:n], true
}

// A grove is what was found of one bucket: its leaves, in the order of their keys, and what is wrong.
type grove struct {
	leaves []page
	faults []error
	used   map[uint64]bool // pages
	strict bool            // a page has to begin as the branch above says
}

// bucket reads the bucket that an element describes.
func (w *wreck) bucket(described []byte, strict bool) grove {
	g := grove{used: make(map[uint64]bool), strict: strict}
	switch {
	case len(described) < bucketSize:
		g.fault(errors.New("a bucket is cut short"))
	case native.Uint64(described) != 0:
		w.grow(&g, child{id: native.Uint64(described)}, 0)
	case len(described) < bucketSize+headerSize:
		g.fault(errors.New("a bucket is cut short"))
	default:
		g.leaves = append(g.leaves, header(0, described[bucketSize:]))
	}
	return g
}

func (g *grove) fault(err error) { g.faults = append(g.faults, err) }

// grow adds the page at and all below it.
func (w *wreck) grow(g *grove, at child, depth int) {
	p, err := w.page(at.id)
	switch {
	case err != nil:
		g.fault(err)
	case g.used[p.id], depth == maxDepth:
		g.fault(p.wrong("it is used twice"))
	case g.strict && !p.beginsWith(at.key):
		g.fault(p.wrong("it belongs elsewhere"))
	case p.kind == leafPage:
		g.used[p.id] = true
		g.leaves = append(g.leaves, p)
	case p.kind == branchPage:
		g.used[p.id] = true
		w.growAll(g, p, depth+1)
	default:
		g.fault(p.wrong("kind %#x", p.kind))
	}
}

// growAll adds the children of a branch. Either all of them are leaves or none is.
func (w *wreck) growAll(g *grove, branch page, depth int) {
	leaves, branches := 0, 0
	for c := range branch.children() {
		switch w.kind(c.id) {
		case leafPage:
			leaves++
		case branchPage:
			branches++
		}
	}
	for c := range branch.children() {
		if kind := w.kind(c.id); leaves >= branches && kind == branchPage || leaves < branches && kind == leafPage {
			g.fault(fmt.Errorf("page %d: kind %#x beside others", c.id, kind))
			continue
		}
		w.grow(g, c, depth)
	}
}

// kind is what the page id seems to be.
func (w *wreck) kind(id uint64) uint16 {
	b := make([]byte, headerSize)
	if id >= w.pages || w.read(b, id) != nil {
		return 0
	}
	return header(id, b).kind
}

// beginsWith reports whether first (nil: any) may be the first key of a page. bbolt writes it into
// the branch above, too, so another one is a sign that the branch points elsewhere; but not if the
// page's own is damaged.
func (p page) beginsWith(first []byte) bool {
	if first == nil {
		return true
	}
	if p.kind == branchPage {
		for c := range p.children() {
			return bytes.Equal(c.key, first)
		}
		return false
	}
	for i, v := range p.values() {
		return i > 0 || !v.intact() || bytes.Equal(v.key, first)
	}
	return true
}
