package uidl

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"popsync/internal/arena"
)

// Remains are what could be read of a state that may be damaged.
type remains struct {
	version   int                 // 0: it could not be read
	id        string              // empty: it could not be read
	created   string              // the same
	size      int64               // octets of the file
	listed    *set                // the keys of all mailboxes, as written down; nil: it could not be read
	mailboxes map[string]*remnant // by key
	faults    []Fault
}

func newRemains() *remains { return &remains{mailboxes: make(map[string]*remnant)} }

// A remnant is what could be read of one mailbox.
type remnant struct {
	mailbox Mailbox
	account string
	sure    bool   // whose it is does not only stand in a key, which has no checksum
	poll    []byte // nil: it could not be read
	next    uint64 // number of the next intent or event, as far as it could be read
	heaps   [len(kinds)]heap
}

// salvageFile reads what can be read of the state at path. An error says that there is no file, or
// that it cannot be opened.
func salvageFile(path string) (*remains, error) {
	r := newRemains()
	return r, r.readFile(path, r.readAll)
}

// idOf is the ID of the state at path, or empty if it cannot be read.
func idOf(path string) (string, error) {
	r := newRemains()
	err := r.readFile(path, func(w *wreck) { r.readTop(w) })
	return r.id, err
}

func (r *remains) readFile(path string, read func(*wreck)) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r.size = info.Size()
	w, err := openWreck(f, r.size)
	if err != nil {
		r.fault("", err)
		return nil
	}
	read(w)
	return nil
}

// readAll reads what can be read of a state.
func (r *remains) readAll(w *wreck) {
	top := r.readTop(w)
	boxes := r.bucket(w, top[string(bucketMailboxes)])
	for _, key := range slices.Sorted(maps.Keys(boxes)) {
		r.readMailbox(w, key, boxes[key])
	}
	r.dropUnsure()
	r.mend(w)
}

// readTop reads what concerns the state as a whole. It returns the elements of the topmost bucket.
func (r *remains) readTop(w *wreck) map[string][]byte {
	top := r.bucket(w, slices.Concat(native.AppendUint64(nil, w.meta.root), make([]byte, 8)))
	r.readMeta(r.bucket(w, top[string(bucketMeta)]))
	return top
}

func (r *remains) fault(where string, err error) {
	r.faults = append(r.faults, Fault{Where: where, What: err.Error()})
}

// bucket reads a bucket of few elements.
func (r *remains) bucket(w *wreck, described []byte) map[string][]byte {
	g := w.bucket(described, false)
	for _, err := range g.faults {
		r.fault("", err)
	}
	return g.named()
}

// named are the elements by their keys. Of two with the same key it is the one that is intact.
func (g grove) named() map[string][]byte {
	all := make(map[string][]byte)
	for _, p := range g.leaves {
		for _, v := range p.values() {
			if old, ok := all[string(v.key)]; !ok || !(value{v.key, old}).intact() {
				all[string(v.key)] = v.sealed
			}
		}
	}
	return all
}

func unsealed(all map[string][]byte, key []byte) ([]byte, error) {
	sealed, ok := all[string(key)]
	if !ok {
		return nil, errors.New("it is missing")
	}
	return unseal(key, sealed)
}

func (r *remains) readMeta(meta map[string][]byte) {
	read := func(key []byte) []byte {
		body, err := unsealed(meta, key)
		if err != nil {
			r.fault("", fmt.Errorf("%s: %w", key, err))
		}
		return body
	}
	r.version, _ = strconv.Atoi(string(read(keyVersion)))
	r.id = string(read(keyID))
	r.created = string(read(keyCreated))
	d := decoder{rest: read(keyMailboxes)}
	if listed := d.set(); d.end() == nil {
		r.listed = &listed
	}
}

// nothing reports whether there is nothing that could be read.
func (r *remains) nothing() bool { return r.id == "" && r.listed == nil && len(r.mailboxes) == 0 }

// complete reports whether no mailbox is missing, and none there that should not be.
func (r *remains) complete() bool {
	var there set
	for key := range r.mailboxes {
		there.add(sum([]byte(key), nil))
	}
	return r.listed != nil && *r.listed == there
}

func (r *remains) readMailbox(w *wreck, key string, described []byte) {
	g := w.bucket(described, false)
	faults := g.faults
	found := func(err error) { faults = append(faults, err) }
	parts := g.named()
	m := &remnant{}
	owner := key
	if head, err := unsealed(parts, keyHead); err != nil {
		found(fmt.Errorf("head: %w", err))
	} else if i := bytes.LastIndexByte(head, 0); i >= 0 {
		owner, m.account, m.sure = string(head[:i]), string(head[i+1:]), true
	}
	var err error
	if m.mailbox, err = parseMailbox(owner); err != nil {
		r.fault("", fmt.Errorf("mailbox %q: %w", key, err))
		return
	}
	m.readParts(w, parts, found)
	if owner != key && r.mailboxes[owner] != nil {
		found(errors.New("it is there twice"))
	} else {
		r.mailboxes[owner] = m
	}
	for _, err := range faults {
		r.fault(m.mailbox.String(), err)
	}
}

func (m *remnant) readParts(w *wreck, parts map[string][]byte, found func(error)) {
	poll, err := unsealed(parts, keyPoll)
	if _, bad := decodePoll(poll); err == nil {
		err = bad
	}
	if err == nil {
		m.poll = poll
	} else {
		found(fmt.Errorf("last poll: %w", err))
	}
	body, err := unsealed(parts, keyTally)
	t, bad := decodeTally(body)
	if err == nil {
		err = bad
	}
	if err != nil {
		found(fmt.Errorf("tally: %w", err))
	}
	m.next = t.next
	for _, k := range kinds {
		want := &t.sets[k]
		if err != nil {
			want = nil
		}
		m.heaps[k].want = want
		if described, ok := parts[string(k.bucket())]; ok {
			m.heaps[k] = w.heap(k, described, want, found)
		} else if k != history {
			found(fmt.Errorf("the %vs are missing", k))
		}
	}
}

// dropUnsure leaves out mailboxes of which only a key without a checksum says whose they are, if the
// list of mailboxes does not say so, too: records under another name make mail look delivered.
func (r *remains) dropUnsure() {
	if r.complete() {
		return
	}
	maps.DeleteFunc(r.mailboxes, func(_ string, m *remnant) bool {
		if !m.sure {
			r.fault(m.mailbox.String(), errors.New("whether it is this one's cannot be told"))
		}
		return !m.sure
	})
}

// summary counts what could be read of a mailbox.
func (r *remains) summary(path string, m *remnant) Summary {
	s := Summary{Mailbox: m.mailbox, Account: m.account}
	stored, _ := decodePoll(m.poll)
	s.Poll = stored.Poll
	var uids arena.Strings
	for _, k := range kinds {
		for _, l := range m.heaps[k].leaves {
			for _, v := range l.values {
				_ = s.add(k, &uids, v.key, v.sealed)
			}
		}
	}
	for _, f := range r.faults {
		if f.Where == m.mailbox.String() {
			s.Err = &DamageError{Path: path, Mailbox: &m.mailbox, Err: errors.New(f.What)}
			break
		}
	}
	return s
}
