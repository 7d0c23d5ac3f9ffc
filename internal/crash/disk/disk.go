package disk

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// A Disk is a file system with what is durable of it and what is not.
type Disk struct {
	renames Renames
	root    *node
	changes []*change // of names, that are not durable yet; in their order
}

// A node is a file, a folder or a socket, whatever its name.
type node struct {
	mode    fs.FileMode
	inode   uint64           // see [Entry]
	names   map[string]*node // of a folder, as programs see them
	durable map[string]*node // of a folder
	content content          // of a file
}

func newNode(mode fs.FileMode) *node {
	n := &node{mode: mode}
	if mode.IsDir() {
		n.names, n.durable = make(map[string]*node), make(map[string]*node)
	}
	return n
}

// New is a disk on which all of t is durable.
func New(t Tree, renames Renames) *Disk {
	d := &Disk{renames: renames, root: newNode(fs.ModeDir)}
	for _, name := range slices.Sorted(maps.Keys(t)) { // a folder before what is in it
		e := t[name]
		n := newNode(e.Mode)
		n.inode, n.content.durable = e.Inode, e.Data
		at, err := d.slot(name)
		if err != nil {
			panic(fmt.Sprintf("disk: no tree: %v", err))
		}
		at.folder.names[at.name], at.folder.durable[at.name] = n, n
	}
	return d
}

// lookUp is the node at a path, nil where there is none.
func (d *Disk) lookUp(name string) *node {
	n := d.root
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." {
			continue
		}
		if n = n.names[part]; n == nil {
			return nil
		}
	}
	return n
}

// slot is where a path's last name stands.
func (d *Disk) slot(name string) (slot, error) {
	folder := d.lookUp(path.Dir(name))
	if folder == nil || !folder.mode.IsDir() {
		return slot{}, fmt.Errorf("%s: no folder has this name", name)
	}
	return slot{folder, path.Base(name)}, nil
}

// create gives a new node a name.
func (d *Disk) create(name string, mode fs.FileMode) (n *node, land func(), err error) {
	at, err := d.slot(name)
	if err != nil {
		return nil, nil, err
	}
	n = newNode(mode)
	return n, d.change(put{at, n}), nil
}

// link gives a node another name.
func (d *Disk) link(from, to string) (land func(), err error) {
	at, err := d.slot(to)
	if err != nil {
		return nil, err
	}
	n := d.lookUp(from)
	if n == nil {
		return nil, fmt.Errorf("%s: nothing is there", from)
	}
	return d.change(put{at, n}), nil
}

func (d *Disk) remove(name string) (land func(), err error) {
	at, err := d.slot(name)
	if err != nil {
		return nil, err
	}
	return d.change(put{at, nil}), nil
}

func (d *Disk) rename(from, to string) (land func(), err error) {
	old, err := d.slot(from)
	if err != nil {
		return nil, err
	}
	at, err := d.slot(to)
	if err != nil {
		return nil, err
	}
	n := old.folder.names[old.name]
	if n == nil {
		return nil, fmt.Errorf("%s: nothing is there", from)
	}
	return d.change(put{at, n}, put{old, nil}), nil
}

// Land has all calls return that were under way, as when their process is killed.
func (d *Disk) Land() {
	for _, c := range d.changes {
		c.landed = true
	}
	d.root.each(make(map[*node]bool), func(n *node) {
		for _, w := range n.content.news {
			w.landed = true
		}
	})
}

// each calls yield with all nodes that have a name.
func (n *node) each(seen map[*node]bool, yield func(*node)) {
	if seen[n] {
		return
	}
	seen[n] = true
	yield(n)
	for _, below := range n.names {
		below.each(seen, yield)
	}
}

// Tree is the disk as programs see it.
func (d *Disk) Tree() Tree {
	w := walk{
		tree:    make(Tree),
		names:   func(n *node) map[string]*node { return n.names },
		content: func(n *node) []byte { return n.content.now() },
	}
	w.below("", d.root)
	return w.tree
}

// Survivor is a disk as f leaves it when the power is cut now.
func (d *Disk) Survivor(r *rand.Rand, f Fate) Tree {
	files := make(map[*node][]byte) // one with two names has one content
	w := walk{
		tree:  make(Tree),
		names: d.survivors(r, f),
		content: func(n *node) []byte {
			if _, drawn := files[n]; !drawn {
				files[n] = n.content.survivor(r, f)
			}
			return files[n]
		},
	}
	w.below("", d.root)
	return w.tree
}

// A walk collects a tree, in an order that does not change.
type walk struct {
	tree    Tree
	names   func(folder *node) map[string]*node
	content func(file *node) []byte
}

func (w walk) below(prefix string, folder *node) {
	names := w.names(folder)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		n, at := names[name], prefix+name
		e := Entry{Mode: n.mode, Inode: n.inode}
		if n.mode.IsRegular() {
			e.Data = w.content(n)
		}
		w.tree[at] = e
		if n.mode.IsDir() {
			w.below(at+"/", n)
		}
	}
}
