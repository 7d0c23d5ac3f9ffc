package uidl

import (
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(Record{}.append(nil))
	f.Add(Record{State: Quarantined, Attempts: 65535, Deletions: 255, DeleteSent: true, Told: true, Size: -1, Changed: 1 << 40, MissingSince: -1, Header: 1 << 63, Shared: true, Seen: 1 << 40}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := decodeRecord(r.append(nil))
		if err != nil || again != r {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	})
}

func FuzzDecodeIntent(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(appendIntent(nil, Intent{Size: -1, Target: "maildir:/m", Name: "1.a"}, 7))
	f.Add(appendIntent(nil, Intent{Target: "maildir:/m", Name: "1.a", Header: 1, Shared: true}, 1<<40))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, n, err := decodeIntent(b)
		if err != nil {
			return
		}
		again, m, err := decodeIntent(appendIntent(nil, in, n))
		if err != nil || again != in || n != m {
			t.Errorf("%+v (%d) became %+v (%d), %v", in, n, again, m, err)
		}
	})
}

func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(Event{What: HistoryDelivered}.append(nil))
	f.Add(Event{At: 1 << 40, What: HistoryForgotten, Ref: Ref{UID: "a", Rank: 1<<32 - 1}, Size: -1, MessageID: "<a@b>", Where: "w", Note: "n"}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEvent(b)
		if err != nil || len(e.MessageID) > maxNote || len(e.Where) > maxWhere || len(e.Note) > maxNote {
			return
		}
		again, err := decodeEvent(e.append(nil))
		if err != nil || again != e {
			t.Errorf("%+v became %+v, %v", e, again, err)
		}
	})
}

// FuzzCheckImage: a file of any content is refused or walked to its end, never a crash.
func FuzzCheckImage(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(make([]byte, 8192))
	path := filepath.Join(f.TempDir(), "state.db")
	db := openAt(f, path)
	if err := boxOf(f, db, alice).Commit(f.Context(), one("a")); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:6*4096])
	f.Fuzz(func(t *testing.T, file []byte) { _ = checkImage(file) })
}

func TestWrongSealIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		sealed := seal(key, body)
		if _, err := unseal(key, sealed); err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, 8*len(sealed)-1).Draw(t, "bit")
		sealed[at/8] ^= 1 << (at % 8)
		if _, err := unseal(key, sealed); err == nil {
			t.Fatal("a flipped bit was not noticed")
		}
	})
}
