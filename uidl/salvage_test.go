package uidl

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// grown is a state that many commits made, as time does: two mailboxes with the same UIDs, records
// that come, change and go, intents, history. Pages of earlier commits lie about in it.
func grown(t testing.TB, commits int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := Open(t.Context(), path, Options{History: 1000 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range commits {
		for n, m := range []Mailbox{alice, bob} {
			c := one(fmt.Sprintf("uid-%06d", i))
			c.Update[0].Changed = Stamp(1000*n + i) // differs between the two
			c.Intend = []Intent{{Ref: Ref{UID: fmt.Sprint("in-", i)}, Target: "maildir:/" + m.User, Name: fmt.Sprint(i, ".", m.User)}}
			c.History = []Event{{At: Stamp(i + 1), What: HistoryDelivered, Ref: c.Update[0].Ref, Where: m.User}}
			c.Poll = &Poll{Begun: Stamp(i + 1), Listed: true, Message: m.User}
			if i > 25 { // more intents than fit in line
				c.Abandon = []Ref{{UID: fmt.Sprint("in-", i-26)}}
			}
			if i%5 == 4 {
				c.Forget = []Ref{{UID: fmt.Sprintf("uid-%06d", i-2)}}
			}
			if err := boxOf(t, db, m).Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return readFile(t, path)
}

// salvaged is what can be read of a wreck.
func salvaged(w *wreck) *remains {
	r := newRemains()
	r.readAll(w)
	return r
}

// rescueOf is what is made of a file's content without a good copy.
func rescueOf(file []byte) *rescue {
	w, err := openWreck(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return join(newRemains(), newRemains())
	}
	return join(salvaged(w), newRemains())
}

// invented names the values of a rescue that are not in another.
func (r *rescue) invented(from *rescue) (names []string) {
	for key, m := range r.mailboxes {
		there := from.mailboxes[key]
		for _, k := range kinds {
			for name, sealed := range m.values[k] {
				if there == nil || !bytes.Equal(there.values[k][name], sealed) {
					names = append(names, fmt.Sprintf("%q: %v %q", key, k, name))
				}
			}
		}
	}
	return names
}

func (r *rescue) size() (n int) {
	for _, m := range r.mailboxes {
		for _, k := range kinds {
			n += len(m.values[k])
		}
	}
	return n
}

// S3: of a sound file all is read; of one in which an octet is wrong, nothing that was not there.
func TestSalvageInventsNothing(t *testing.T) {
	file := grown(t, 160)
	whole := rescueOf(file)
	if len(whole.lost) > 0 || whole.size() != 2*(160-160/5+26+160) {
		t.Fatalf("%d values of a sound file, %q", whole.size(), whole.lost)
	}
	step := 29
	if testing.Short() {
		step = 499
	}
	tried, kept := 0, 0
	for at := 2 * 4096; at < len(file); at += step {
		mask := []byte{0x01, 0x80, 0xff, 0x02, 0x04, 0x10, 0x08}[tried%7]
		tried++
		file[at] ^= mask
		r := rescueOf(file)
		file[at] ^= mask
		kept += r.size()
		if names := r.invented(whole); len(names) > 0 {
			t.Errorf("octet %d of page %d, mask %#x: %q", at%4096, at/4096, mask, names)
		}
	}
	if most := tried * whole.size(); kept < most*95/100 {
		t.Errorf("only %d of %d values were kept", kept, most)
	}
}

// Where only a pointer is wrong, nothing is lost: the right page is found by what must be in it.
func TestPageBehindAWrongPointerIsFound(t *testing.T) {
	file := grown(t, 300)
	whole := rescueOf(file)
	w, err := openWreck(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	claims := salvaged(w).claims()
	tried := 0
	for id := uint64(firstInTree); id < w.pages; id++ {
		p, err := w.page(id)
		if err != nil || p.kind != branchPage || !leadsTo(p, claims) {
			continue
		}
		for i := range p.count {
			pointer := file[id*w.meta.pageSize+headerSize+uint64(i)*elementSize+8:][:8]
			right := slices.Clone(pointer)
			for _, mask := range []byte{1, 2, 3, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff} {
				pointer[0] = right[0] ^ mask
				r := rescueOf(file)
				if names := r.invented(whole); len(r.lost) > 0 || len(names) > 0 || r.size() != whole.size() {
					t.Fatalf("page %d, element %d, to %d: %q, %q", id, i, native.Uint64(pointer), r.lost, names)
				}
				tried++
			}
			copy(pointer, right)
		}
	}
	if tried == 0 {
		t.Error("no pointer leads to a leaf")
	}
}

// Where more than a pointer is wrong, a page of another mailbox, or of another time and place, is no
// part of this one.
func TestPagesOfOthersAreLeftOut(t *testing.T) {
	file := grown(t, 300)
	whole := rescueOf(file)
	w, err := openWreck(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	r := salvaged(w)
	claims := r.claims()
	used := func(m Mailbox) []leaf { return r.mailboxes[string(m.key())].heaps[records].leaves }
	tried := 0
	for i, l := range used(alice) {
		for id := uint64(firstInTree); id < w.pages; id++ {
			p, err := w.page(id)
			if err != nil || p.kind != leafPage || id == l.id {
				continue
			}
			v, ok := p.first()
			same := ok && bytes.Equal(v.key, l.values[0].key)
			if same && claims[id] == 0 {
				continue // an older one of the same place: its records were true
			}
			bad := bytes.Clone(file)
			clear(bad[l.id*w.meta.pageSize:][:w.meta.pageSize])
			native.PutUint64(pointerTo(t, w, bad, l.id), id)
			got := rescueOf(bad)
			if names := got.invented(whole); len(names) > 0 || got.size() >= whole.size() {
				t.Fatalf("leaf %d in the place of %d: %d values, %q", id, i, got.size(), names)
			}
			tried++
		}
	}
	if tried == 0 {
		t.Error("there are no other leaves")
	}
}

// A page that another mailbox has a better claim to may be all that is too much.
func TestPageTooManyIsLeftOut(t *testing.T) {
	of := func(id uint64, uid string) leaf {
		key := Ref{UID: uid}.key()
		return leaf{id: id, values: []value{{key, seal(key, Record{}.append(nil))}}}
	}
	alices, bobs := of(7, "a"), of(8, "b")
	having := func(m Mailbox, own leaf, leaves ...leaf) *remnant {
		want := own.set()
		left := &remnant{mailbox: m}
		left.heaps[records] = heap{leaves: leaves, want: &want}
		left.heaps[intents].want, left.heaps[history].want = &set{}, &set{}
		return left
	}
	r := newRemains()
	r.mailboxes["alice"] = having(alice, alices, alices, bobs)
	r.mailboxes["bob"] = having(bob, bobs, bobs)
	r.mend(&wreck{})
	for key, m := range r.mailboxes {
		if !m.heaps[records].complete() {
			t.Errorf("%s has %d records", key, m.heaps[records].there().n)
		}
	}
	if len(r.faults) > 0 {
		t.Error(r.faults)
	}
}

// S3: whatever is wrong, and at how many places, nothing crashes; and a state that is made of it is sound.
func TestAnyDamageIsSurvived(t *testing.T) {
	file := grown(t, 80)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	n := 3000
	if testing.Short() {
		n = 300
	}
	repairs := 0
	for i := range n {
		bad := bytes.Clone(file)
		for range 1 + random.IntN(20) {
			damage(random, bad)
		}
		got := rescueOf(bad)
		if i%20 == 0 && repairIsSound(t, bad, got, false) {
			repairs++
		}
	}
	if repairs == 0 {
		t.Error("nothing was repaired")
	}
}

// damage does to a page, not one of the header's, what disks and memory do.
func damage(random *rand.Rand, file []byte) {
	const size = 4096
	page := func() []byte { return file[(2+random.IntN(len(file)/size-2))*size:][:size] }
	p := page()
	switch random.IntN(5) {
	case 0:
		p[random.IntN(size)] ^= 1 << random.IntN(8)
	case 1:
		copy(p, page())
	case 2:
		copy(p[random.IntN(size):], page())
	case 3:
		clear(p[random.IntN(size):])
	case 4:
		for range 50 {
			p[random.IntN(size)] = byte(random.Uint32())
		}
	}
}

// first is the first value of a leaf.
func (p page) first() (value, bool) {
	for i, v := range p.values() {
		return v, i == 0
	}
	return value{}, false
}

// pointerTo is where the branch that is in use has the page id.
func pointerTo(t *testing.T, w *wreck, file []byte, id uint64) []byte {
	t.Helper()
	for at := uint64(firstInTree); at < w.pages; at++ {
		p, err := w.page(at)
		if err != nil || p.kind != branchPage || !leadsTo(p, salvaged(w).claims()) {
			continue
		}
		for i := range p.count {
			pointer := file[at*w.meta.pageSize+headerSize+uint64(i)*elementSize+8:][:8]
			if native.Uint64(pointer) == id {
				return pointer
			}
		}
	}
	t.Fatalf("nothing leads to page %d", id)
	return nil
}

// S3: records under another name make mail look delivered.
func TestMailboxOfNobodyIsLeftOut(t *testing.T) {
	file := grown(t, 20)
	w, err := openWreck(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	head := append(bob.key(), "\x00bob"...)
	for at := bytes.Index(file, head); at >= 0; at = bytes.Index(file, head) {
		file[at+len(head)-1] = 'B' // its checksum is wrong now
	}
	if r := salvaged(w); len(r.mailboxes) != 2 || r.mailboxes[string(bob.key())].sure {
		t.Fatalf("%d mailboxes by their keys", len(r.mailboxes))
	}
	for at := bytes.Index(file, bob.key()); at >= 0; at = bytes.Index(file, bob.key()) {
		file[at] = 'P'
	}
	if r := salvaged(w); len(r.mailboxes) != 1 || r.complete() || len(r.faults) == 0 {
		t.Errorf("%d mailboxes, of which one has a wrong key: %v", len(r.mailboxes), r.faults)
	}
}

// leadsTo reports whether all children of a branch are parts of the state as it is.
func leadsTo(p page, claims map[uint64]int) bool {
	for c := range p.children() {
		if claims[c.id] == 0 {
			return false
		}
	}
	return true
}

// A file may be cut anywhere, and pages may be zeros.
func TestSalvageOfALostPage(t *testing.T) {
	file := grown(t, 160)
	whole := rescueOf(file)
	most := 0
	for at := 2 * 4096; at < len(file); at += 2048 { // without a header the last transaction may be gone
		cut := rescueOf(file[:at])
		zeros := slices.Clone(file)
		clear(zeros[at:min(at+4096, len(file))])
		zeroed := rescueOf(zeros)
		if names := slices.Concat(cut.invented(whole), zeroed.invented(whole)); len(names) > 0 {
			t.Errorf("at %d: %q", at, names)
		}
		if n := zeroed.size(); n < whole.size() {
			most = max(most, n)
		}
	}
	if most < whole.size()*3/4 {
		t.Errorf("where something is missing, at most %d of %d are kept", most, whole.size())
	}
}

// FuzzSalvage: nothing that a file holds makes it crash, or allocate more than the file is.
func FuzzSalvage(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(grown(f, 3))
	f.Fuzz(func(_ *testing.T, file []byte) { rescueOf(file) })
}
