package uidl

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// A heap is what could be read of one kind in a mailbox. Each value in it is whole.
type heap struct {
	leaves []leaf
	want   *set // what there must be; nil: it could not be read
}

// A leaf is the whole values of a page. A bucket in line has one without a page, whose id is 0.
type leaf struct {
	id     uint64
	values []value
}

// heap reads the bucket of a kind, in which there must be what want says (nil: it is not known).
// Whether a page is the right one is looked at more closely unless it is known that all are.
func (w *wreck) heap(k kind, described []byte, want *set, found func(error)) heap {
	h := heap{want: want}
	h.leaves = w.leaves(k, w.bucket(described, false), func(error) {})
	if h.complete() {
		return h
	}
	g := w.bucket(described, true)
	for _, err := range g.faults {
		found(fmt.Errorf("%vs: %w", k, err))
	}
	h.leaves = w.leaves(k, g, found)
	return h
}

func (w *wreck) leaves(k kind, g grove, found func(error)) (leaves []leaf) {
	broken := 0
	for _, p := range g.leaves {
		leaves = append(leaves, w.leaf(k, p, func(err error) {
			if broken++; broken <= maxTold {
				found(err)
			}
		}))
	}
	if broken > maxTold {
		found(fmt.Errorf("%d more %vs are damaged", broken-maxTold, k))
	}
	return leaves
}

func (w *wreck) leaf(k kind, p page, found func(error)) leaf {
	l := leaf{id: p.id}
	for _, v := range p.values() {
		if err := k.whole(&w.uids, v.key, v.sealed); err != nil {
			found(k.at(v.key, err))
			continue
		}
		l.values = append(l.values, v)
	}
	return l
}

func (l leaf) set() (s set) {
	for _, v := range l.values {
		s.add(sealOf(v.sealed))
	}
	return s
}

func (h *heap) there() (s set) {
	for _, l := range h.leaves {
		s = s.plus(l.set())
	}
	return s
}

// complete reports whether it is all that there must be, and nothing else.
func (h *heap) complete() bool { return h.want != nil && *h.want == h.there() }

// mend looks after heaps that are not complete. A pointer that leads to a page of another time or
// mailbox shows by nothing else. Where it is the only fault, the page that it should lead to is
// still there, and is the one that makes the heap complete. Of a page that two heaps lay claim to,
// one that is not complete gets nothing.
func (r *remains) mend(w *wreck) {
	claims := r.claims()
	spare := sync.OnceValue(func() map[set]uint64 { return w.spare(claims) })
	for _, key := range slices.Sorted(maps.Keys(r.mailboxes)) {
		m := r.mailboxes[key]
		for _, k := range kinds {
			h := &m.heaps[k]
			if h.complete() || h.want != nil && w.exchange(k, h, spare()) {
				continue
			}
			h.leaves = slices.DeleteFunc(h.leaves, func(l leaf) bool { return claims[l.id] > 1 })
			if h.want == nil {
				continue
			}
			if err := k.compare(h.there(), *h.want); err != nil {
				r.fault(m.mailbox.String(), err)
			}
		}
	}
}

// claims counts how often each page is part of a heap.
func (r *remains) claims() map[uint64]int {
	claims := make(map[uint64]int)
	for _, m := range r.mailboxes {
		for _, h := range m.heaps {
			for _, l := range h.leaves {
				if l.id != 0 {
					claims[l.id]++
				}
			}
		}
	}
	return claims
}

// spare returns the pages that might be leaves and are part of no heap, by what is in them.
func (w *wreck) spare(claims map[uint64]int) map[set]uint64 {
	spare := make(map[set]uint64)
	for id := uint64(firstInTree); id < w.pages; id++ {
		if claims[id] > 0 {
			continue
		}
		if p, err := w.page(id); err == nil && p.kind == leafPage {
			if s, ok := p.sealed(); ok {
				spare[s] = id
			}
		}
	}
	return spare
}

// sealed is the set of a leaf's values, if all are intact.
func (p page) sealed() (s set, ok bool) {
	n := 0
	for _, v := range p.values() {
		if !v.intact() {
			return set{}, false
		}
		s.add(sealOf(v.sealed))
		n++
	}
	return s, n > 0 && n == p.count
}

// exchange makes a heap complete by a spare page, in the place of one of its own or beside them.
func (w *wreck) exchange(k kind, h *heap, spare map[set]uint64) bool {
	there := h.there()
	for i := range len(h.leaves) + 1 {
		rest := there
		if i < len(h.leaves) {
			rest = there.minus(h.leaves[i].set())
		}
		id, ok := spare[h.want.minus(rest)]
		if !ok {
			continue
		}
		whole := true
		p, err := w.page(id)
		l := w.leaf(k, p, func(error) { whole = false })
		if err == nil && whole {
			h.leaves = append(slices.Delete(h.leaves, i, min(i+1, len(h.leaves))), l)
			return true
		}
	}
	return false
}

// values are those of a heap by their keys. A key with two different ones, of which one must be of
// another time, has none: what is not known is fetched again.
func (h *heap) values() map[string][]byte {
	all := make(map[string][]byte)
	var twice []string
	for _, l := range h.leaves {
		for _, v := range l.values {
			old, ok := all[string(v.key)]
			if ok && !bytes.Equal(old, v.sealed) {
				twice = append(twice, string(v.key))
			}
			all[string(v.key)] = v.sealed
		}
	}
	for _, key := range twice {
		delete(all, key)
	}
	return all
}
