package uidl

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// A rescue is a state made of the remains of one that is damaged and of its good copy.
type rescue struct {
	origin
	mailboxes map[string]*rescued // by key
	fromGood  int                 // records
	lost      []string            // what is known to be missing, for people
}

// A rescued is one mailbox of it. Its values are whole, by their keys.
type rescued struct {
	mailbox Mailbox
	account string
	poll    []byte
	next    uint64 // number of the next intent or event
	values  [len(kinds)]map[string][]byte
}

// join makes a rescue of what could be read of a state and of its good copy; either may be empty.
//
// The copy only fills gaps. Where it is known that nothing is missing, what the copy has and the
// state has not was forgotten since.
func join(damaged, good *remains) *rescue {
	r := &rescue{mailboxes: make(map[string]*rescued)}
	if damaged.id != "" && good.id != "" && damaged.id != good.id {
		r.lose("the good copy is of another state, whose ID is %s: nothing is taken from it", good.id)
		good = newRemains()
	}
	fresh := birth()
	r.id = cmp.Or(damaged.id, good.id, fresh.id)
	r.created = cmp.Or(damaged.created, good.created, fresh.created)
	all := maps.Clone(damaged.mailboxes)
	if !damaged.complete() {
		r.loseMailboxes(damaged)
		all = maps.Clone(good.mailboxes)
		maps.Copy(all, damaged.mailboxes)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		d, g := damaged.mailboxes[key], cmp.Or(good.mailboxes[key], &remnant{})
		switch {
		case d != nil:
			r.loseParts(d)
		case damaged.nothing():
			d = &remnant{mailbox: g.mailbox}
		default:
			d = &remnant{mailbox: g.mailbox}
			r.lose("%v: what has changed since the good copy", d.mailbox)
		}
		r.mailboxes[key] = r.joined(d, g)
	}
	return r
}

func (r *rescue) lose(format string, args ...any) {
	r.lost = append(r.lost, fmt.Sprintf(format, args...))
}

// loseMailboxes says how many are missing.
func (r *rescue) loseMailboxes(damaged *remains) {
	have := len(damaged.mailboxes)
	switch {
	case damaged.nothing():
		r.lose("all that has changed since the good copy")
	case damaged.listed != nil && damaged.listed.n > uint64(have):
		r.lose("%d of %d mailboxes could not be read", damaged.listed.n-uint64(have), damaged.listed.n)
	default:
		r.lose("whether a mailbox is missing cannot be read; %d could", have)
	}
}

// loseParts says what is missing of a mailbox.
func (r *rescue) loseParts(d *remnant) {
	for _, k := range kinds {
		h := &d.heaps[k]
		have := h.there().n
		switch {
		case h.complete():
		case h.want != nil && h.want.n > have:
			r.lose("%v: %d of %d %vs could not be read", d.mailbox, h.want.n-have, h.want.n, k)
		default:
			r.lose("%v: whether %vs are missing cannot be read; %d could", d.mailbox, k, have)
		}
	}
	if d.poll == nil {
		r.lose("%v: what is remembered of the last polls", d.mailbox)
	}
}

// joined is what is known of one mailbox.
func (r *rescue) joined(d, g *remnant) *rescued {
	m := &rescued{mailbox: d.mailbox, account: cmp.Or(d.account, g.account), poll: d.poll, next: max(d.next, g.next)}
	if m.poll == nil {
		m.poll = g.poll
	}
	for _, k := range kinds {
		m.values[k] = d.heaps[k].values()
	}
	if h := d.heaps[intents]; !h.complete() && h.want != nil && h.there().n >= h.want.n {
		clear(m.values[intents]) // there are others among them: mail that is not ours to publish, or was published
	}
	r.fromGood += m.fill(records, d, g)
	m.fill(history, d, g)
	return m
}

// fill adds what only the good copy has, if something is missing, and says how much. Intents are
// never filled: those of the copy have come to their end, one way or the other. Nor is the record of
// a message with an intent: that one is not delivered, and the copy may tell of another message that
// had its UID.
func (m *rescued) fill(k kind, d, g *remnant) (n int) {
	if d.heaps[k].complete() {
		return 0
	}
	for key, sealed := range g.heaps[k].values() {
		_, known := m.values[k][key]
		_, open := m.values[intents][key]
		if !known && !(k == records && open) {
			m.values[k][key] = sealed
			n++
		}
	}
	return n
}

// tally counts what there is.
func (m *rescued) tally() tally {
	t := tally{next: m.next}
	for _, k := range kinds {
		for key, sealed := range m.values[k] {
			t.sets[k].add(sealOf(sealed))
			t.next = max(t.next, k.number([]byte(key), sealed)+1)
		}
	}
	return t
}

// done says what the rescue will have been.
func (r *rescue) done() Repaired {
	done := Repaired{Mailboxes: len(r.mailboxes), FromGood: r.fromGood, Lost: r.lost}
	for _, m := range r.mailboxes {
		done.Records += len(m.values[records])
	}
	return done
}

// manyAtOnce is how many values are written in one transaction.
const manyAtOnce = 50_000

// into writes the mailboxes into a new database.
func (r *rescue) into(b *bolt.DB) error {
	for _, key := range slices.Sorted(maps.Keys(r.mailboxes)) {
		m := r.mailboxes[key]
		if err := b.Update(func(tx *bolt.Tx) error { return m.create(tx, []byte(key)) }); err != nil {
			return err
		}
		for _, k := range kinds {
			keys := slices.Sorted(maps.Keys(m.values[k]))
			for some := range slices.Chunk(keys, manyAtOnce) {
				err := b.Update(func(tx *bolt.Tx) error { return m.put(tx, []byte(key), k, some) })
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// create writes all of a mailbox but its values.
func (m *rescued) create(tx *bolt.Tx, key []byte) error {
	box := &Box{mailbox: m.mailbox, account: m.account, key: key}
	s, err := box.create(tx)
	if err != nil {
		return err
	}
	s.tally = m.tally()
	if err := s.writeTally(); err != nil {
		return err
	}
	if m.poll != nil {
		return putSealed(s.bucket, keyPoll, m.poll)
	}
	// It has been polled before: nothing is to be done as at a first poll, such as to mark all that
	// lies there as seen.
	return s.writePoll(&Poll{Listed: true})
}

func (m *rescued) put(tx *bolt.Tx, key []byte, k kind, keys []string) error {
	b := tx.Bucket(bucketMailboxes).Bucket(key).Bucket(k.bucket())
	b.FillPercent = 0.9
	for _, key := range keys {
		if err := b.Put([]byte(key), m.values[k][key]); err != nil {
			return err
		}
	}
	return nil
}
