package uidl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// The format of a bbolt file, which is in the machine's byte order.
const (
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	metaSize    = 64 // with its checksum, without the page's header

	headerSize  = 16
	elementSize = 16
	bucketSize  = 16 // root page and sequence; a bucket without a root page follows in line

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	bucketElement = 0x01

	noFreelist  = ^uint64(0)
	minPage     = 1 << 10
	maxPage     = 1 << 24
	maxCount    = 0xFFFF // of a free list: the count is in its first entry
	firstInTree = 2      // pages 0 and 1 are the meta pages
)

var native = binary.NativeEndian

// checkPages checks the shape of a bbolt file that nobody writes to: every page that can be
// reached is whole, of the right kind, reached once, and its keys are in order. bbolt believes
// what it reads, in goroutines of its own where a panic ends the program; after this check it may
// (what this reports, bbolt's own check does, and more: it sees an element that was cut off).
func checkPages(f *os.File) (err error) {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return errors.New("it is empty")
	}
	// A sector that cannot be read is a fault of memory here.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recoverAs(&err)
	file, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return &os.PathError{Op: "map", Path: f.Name(), Err: err}
	}
	defer unix.Munmap(file)
	return checkImage(file)
}

// checkImage is checkPages for the bytes of a file.
func checkImage(file []byte) error {
	m, err := newestMeta(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return err
	}
	if have := uint64(len(file)) / m.pageSize; m.high > have {
		return fmt.Errorf("it is cut short: %d pages of %d are there", have, m.high)
	}
	c := checker{file: file, meta: m, seen: make([]bool, m.high)}
	if err := c.bucket(m.root); err != nil {
		return err
	}
	return c.freelist()
}

// A meta is what a meta page says of the file.
type meta struct {
	pageSize uint64
	root     uint64
	freelist uint64
	high     uint64 // pages from here on are not in use
	tx       uint64
}

// newestMeta returns the meta page of the last transaction. One of the two may be broken: a power
// cut leaves that of a transaction that nobody was told of.
func newestMeta(file io.ReaderAt, size int64) (meta, error) {
	first, err := metaAt(file, size, 0)
	if err == nil {
		second, err := metaAt(file, size, int64(first.pageSize))
		if err == nil && second.tx > first.tx {
			return second, nil
		}
		return first, nil
	}
	for at := int64(minPage); at <= maxPage; at *= 2 {
		if second, err := metaAt(file, size, at); err == nil && int64(second.pageSize) == at {
			return second, nil
		}
	}
	return meta{}, err
}

func metaAt(file io.ReaderAt, size, at int64) (meta, error) {
	if at+headerSize+metaSize > size {
		return meta{}, fmt.Errorf("it is cut short: %d octets", size)
	}
	b := make([]byte, metaSize)
	if _, err := file.ReadAt(b, at+headerSize); err != nil {
		return meta{}, err
	}
	switch {
	case allZero(b):
		return meta{}, errors.New("there are zeros where its header was")
	case native.Uint32(b) != metaMagic:
		return meta{}, errors.New("it is not a UIDL database")
	case native.Uint32(b[4:]) != metaVersion:
		return meta{}, fmt.Errorf("its file format is %d, not %d", native.Uint32(b[4:]), metaVersion)
	case native.Uint64(b[56:]) != fnvSum(b[:56]):
		return meta{}, errors.New("the checksum of its header is wrong")
	}
	m := meta{
		pageSize: uint64(native.Uint32(b[8:])),
		root:     native.Uint64(b[16:]),
		freelist: native.Uint64(b[32:]),
		high:     native.Uint64(b[40:]),
		tx:       native.Uint64(b[48:]),
	}
	if m.pageSize < minPage || m.pageSize > maxPage || m.pageSize&(m.pageSize-1) != 0 {
		return meta{}, fmt.Errorf("its page size is %d", m.pageSize)
	}
	return m, nil
}

func fnvSum(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// A checker walks the trees of a file.
type checker struct {
	file []byte
	meta meta
	seen []bool // pages that were reached
}

// A page is one page, or several that belong together.
type page struct {
	id    uint64
	kind  uint16
	count int
	data  []byte // with the header
}

func (p page) wrong(format string, args ...any) error {
	return fmt.Errorf("page %d: %s", p.id, fmt.Sprintf(format, args...))
}

func header(id uint64, data []byte) page {
	return page{id: id, kind: native.Uint16(data[8:]), count: int(native.Uint16(data[10:])), data: data}
}

// page returns a page that is reached for the first time.
func (c *checker) page(id uint64) (page, error) {
	if id < firstInTree || id >= c.meta.high {
		return page{}, fmt.Errorf("page %d is not there", id)
	}
	p := header(id, c.file[id*c.meta.pageSize:][:c.meta.pageSize])
	more := uint64(native.Uint32(p.data[12:]))
	if native.Uint64(p.data) != id {
		return page{}, p.wrong("another page lies here")
	}
	if more >= c.meta.high-id {
		return page{}, p.wrong("it does not end")
	}
	for i := id; i <= id+more; i++ {
		if c.seen[i] {
			return page{}, p.wrong("it is used twice")
		}
		c.seen[i] = true
	}
	p.data = c.file[id*c.meta.pageSize:][:(more+1)*c.meta.pageSize]
	return p, nil
}

func (c *checker) bucket(root uint64) error {
	_, err := c.tree(root, nil, nil)
	return err
}

// tree checks the page id and all below it. Its keys are not below low and below high (nil: no
// bound). It returns the last key.
func (c *checker) tree(id uint64, low, high []byte) (last []byte, err error) {
	p, err := c.page(id)
	if err != nil {
		return nil, err
	}
	switch p.kind {
	case leafPage:
		return c.leaf(p, low, high)
	case branchPage:
		return c.branch(p, low, high)
	}
	return nil, p.wrong("kind %#x", p.kind)
}

func (c *checker) branch(p page, low, high []byte) (last []byte, err error) {
	if p.count == 0 {
		return nil, p.wrong("it is empty")
	}
	es, err := p.elements()
	if err != nil {
		return nil, err
	}
	key, child, err := es.branch()
	if err != nil {
		return nil, err
	}
	last = low
	for i := range p.count {
		if !inOrder(last, key, high, i == 0) {
			return nil, p.wrong("its keys are not in order")
		}
		bound, after, sibling := high, []byte(nil), uint64(0)
		if i+1 < p.count {
			if after, sibling, err = es.branch(); err != nil {
				return nil, err
			}
			bound = after
		}
		if last, err = c.tree(child, key, bound); err != nil {
			return nil, err
		}
		key, child = after, sibling
	}
	return last, nil
}

func (c *checker) leaf(p page, low, high []byte) (last []byte, err error) {
	es, err := p.elements()
	if err != nil {
		return nil, err
	}
	last = low
	for i := range p.count {
		key, value, isBucket, err := es.leaf()
		if err != nil {
			return nil, err
		}
		if !inOrder(last, key, high, i == 0) {
			return nil, p.wrong("its keys are not in order")
		}
		if isBucket {
			if err := c.nested(p, value); err != nil {
				return nil, err
			}
		}
		last = key
	}
	return last, nil
}

// inOrder reports whether key may follow last, which the first key of a page may repeat.
func inOrder(last, key, high []byte, first bool) bool {
	if high != nil && bytes.Compare(key, high) >= 0 {
		return false
	}
	if last == nil {
		return true
	}
	order := bytes.Compare(last, key)
	return order < 0 || first && order == 0
}

// nested checks a bucket that is an element of p.
func (c *checker) nested(p page, value []byte) error {
	if len(value) < bucketSize {
		return p.wrong("a bucket is cut short")
	}
	if root := native.Uint64(value); root != 0 {
		return c.bucket(root)
	}
	return c.inline(p, value[bucketSize:])
}

// inline checks a bucket that is small enough to lie in its parent's page.
func (c *checker) inline(p page, data []byte) error {
	if len(data) < headerSize {
		return p.wrong("a bucket is cut short")
	}
	in := header(p.id, data)
	if in.kind != leafPage {
		return p.wrong("a bucket of kind %#x", in.kind)
	}
	es, err := in.elements()
	if err != nil {
		return err
	}
	var last []byte
	for range in.count {
		key, _, isBucket, err := es.leaf()
		if err != nil {
			return err
		}
		if isBucket || !inOrder(last, key, nil, false) {
			return p.wrong("a bucket's keys are not in order")
		}
		last = key
	}
	if es.next != len(data) {
		return p.wrong("a bucket does not end where it should")
	}
	return nil
}

// elements reads the elements of a page, one after the other. bbolt writes their keys and values
// without gaps behind the last element: so a wrong count shows.
type elements struct {
	page page
	i    int
	next int // where the next key must begin
}

func (p page) elements() (*elements, error) {
	next := headerSize + p.count*elementSize
	if next > len(p.data) {
		return nil, p.wrong("%d elements", p.count)
	}
	return &elements{page: p, next: next}, nil
}

// element returns the next element and where it lies.
func (es *elements) element() (e []byte, at int) {
	at = headerSize + es.i*elementSize
	es.i++
	return es.page.data[at:][:elementSize], at
}

// content returns the n octets that begin at, or an error unless they follow the last ones.
func (es *elements) content(at, n uint64) ([]byte, error) {
	if at != uint64(es.next) || n > uint64(len(es.page.data)-es.next) {
		return nil, es.page.wrong("element %d is not where it should be", es.i-1)
	}
	b := es.page.data[es.next:][:n]
	es.next += int(n)
	return b, nil
}

func (es *elements) branch() (key []byte, child uint64, err error) {
	e, at := es.element()
	pos, size := uint64(native.Uint32(e)), uint64(native.Uint32(e[4:]))
	if size == 0 {
		return nil, 0, es.page.wrong("a key is empty")
	}
	key, err = es.content(uint64(at)+pos, size)
	return key, native.Uint64(e[8:]), err
}

func (es *elements) leaf() (key, value []byte, isBucket bool, err error) {
	e, at := es.element()
	flags, pos := native.Uint32(e), uint64(native.Uint32(e[4:]))
	keySize, valueSize := uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
	if flags&^bucketElement != 0 || keySize == 0 {
		return nil, nil, false, es.page.wrong("element %d is none", es.i-1)
	}
	both, err := es.content(uint64(at)+pos, keySize+valueSize)
	if err != nil {
		return nil, nil, false, err
	}
	return both[:keySize], both[keySize:], flags&bucketElement != 0, nil
}

// freelist checks the list of free pages. Without one, as in states of earlier versions, bbolt looks for them.
func (c *checker) freelist() error {
	if c.meta.freelist == noFreelist {
		return nil
	}
	p, err := c.page(c.meta.freelist)
	if err != nil {
		return err
	}
	ids, n := p.data[headerSize:], uint64(p.count)
	if p.count == maxCount {
		n, ids = native.Uint64(ids), ids[8:]
	}
	if p.kind != freelistPage || n > uint64(len(ids)/8) {
		return p.wrong("it is no list of free pages")
	}
	for i := range n {
		id := native.Uint64(ids[8*i:])
		if id < firstInTree || id >= c.meta.high || c.seen[id] {
			return p.wrong("page %d is not free", id)
		}
		c.seen[id] = true
	}
	return nil
}
