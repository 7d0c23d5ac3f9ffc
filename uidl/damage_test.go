package uidl_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"popsync/uidl"
)

var other = uidl.Mailbox{Host: "pop.example.org", Port: 995, User: "bob"}

// filled makes a state with records and intents in two mailboxes, several pages of them, and
// returns it as it was before the last commit and after.
func filled(t testing.TB, records int) (before, after []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	db := open(t, path)
	c := uidl.Change{Poll: &uidl.Poll{Begun: 1, Listed: true}}
	for i := range records {
		c.Update = append(c.Update, entry(fmt.Sprintf("uid-%06d", i)))
	}
	c.Intend = []uidl.Intent{{Ref: uidl.Ref{UID: "z"}, Target: "maildir:/m", Name: "1.a"}}
	for _, m := range []uidl.Mailbox{mailbox, other} {
		if err := accountBox(t, db, m).Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	before = read(t, path)
	put(t, accountBox(t, db, mailbox), "last")
	after = read(t, path)
	db.Close()
	return before, after
}

// accountBox opens a mailbox under an account of its own.
func accountBox(t testing.TB, db *uidl.DB, m uidl.Mailbox) *uidl.Box {
	t.Helper()
	b, err := db.Box(t.Context(), m, m.User)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A content is what was read of a mailbox, or why it could not be.
type content struct {
	Records []uidl.Entry
	Intents []uidl.Intent
	Poll    uidl.Poll
}

// contents reads both mailboxes of a state. An error is damage, and of another kind nowhere.
func contents(t testing.TB, path string) (all [2]*content, err error) {
	t.Helper()
	db, err := uidl.Open(t.Context(), path, uidl.Options{Wait: time.Second})
	if err != nil {
		mustBeDamage(t, err)
		return all, err
	}
	defer db.Close()
	for i, m := range []uidl.Mailbox{mailbox, other} {
		c, e := contentOf(t, db, m)
		if e != nil {
			mustBeDamage(t, e)
			err = e
			continue
		}
		all[i] = &c
	}
	return all, err
}

func contentOf(t testing.TB, db *uidl.DB, m uidl.Mailbox) (c content, err error) {
	b, err := db.Box(t.Context(), m, m.User)
	if err != nil {
		return c, err
	}
	c.Records, err = b.Records(t.Context())
	if err != nil {
		return c, err
	}
	c.Intents, err = b.Intents(t.Context())
	if err != nil {
		return c, err
	}
	c.Poll, err = b.Poll(t.Context())
	return c, err
}

func mustBeDamage(t testing.TB, err error) {
	t.Helper()
	damage, ok := errors.AsType[*uidl.DamageError](err)
	if !ok || damage.Hint() == "" || !strings.Contains(err.Error(), damage.Path) {
		t.Fatalf("not said to be damage: %v", err)
	}
}

// S3: a state that is no state any more is refused, whole, and left as it is.
func TestDamagedFileIsRefused(t *testing.T) {
	_, good := filled(t, 300)
	zeroed := func(from, to int) []byte {
		b := bytes.Clone(good)
		clear(b[from:min(to, len(b))])
		return b
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":                         {nil, "it is empty"},
		"one octet":                     {good[:1], "cut short"},
		"cut within the header":         {good[:60], "cut short"},
		"cut after the first page":      {good[:4096], "cut short"},
		"cut after the second page":     {good[:8192], "cut short"},
		"cut within a page":             {good[:3*4096+100], "cut short"},
		"cut to a third":                {good[:16384], "cut short"},
		"zeros":                         {make([]byte, len(good)), "zeros"},
		"zeros at the beginning":        {zeroed(0, 8192), "zeros"},
		"zeros behind the header":       {zeroed(8192, len(good)), "page"},
		"text":                          {[]byte(strings.Repeat("not a database\n", 1000)), "it is not a UIDL database"},
		"short text":                    {[]byte("hello\n"), "cut short"},
		"a database of another program": {foreign(t), "of another program"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			write(t, path, c.file)
			for range 2 { // the second try finds no lock of the first
				_, err := uidl.Open(t.Context(), path, uidl.Options{Wait: time.Millisecond})
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v; want %q", err, c.says)
				}
				mustBeDamage(t, err)
			}
			if !bytes.Equal(read(t, path), c.file) {
				t.Error("it was written to")
			}
		})
	}
}

// S3: a folder, and what is no file at all.
func TestNoFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"folder", "pipe"} {
		_, err := uidl.Open(t.Context(), filepath.Join(dir, name), uidl.Options{})
		mustBeDamage(t, err)
	}
}

// The state may lie on a disk that is not mounted yet.
func TestLinkToNothingIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.Symlink("/nonexistent/state.db", path); err != nil {
		t.Fatal(err)
	}
	_, err := uidl.Open(t.Context(), path, uidl.Options{})
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		t.Errorf("%v", err)
	}
}

// S3: whatever octet is wrong, nothing crashes or hangs, and what is read is right or an error.
// Only a broken header may give back the state before the last commit: a power cut leaves just that.
func TestFlippedOctetIsNoticed(t *testing.T) {
	before, good := filled(t, 300)
	path := filepath.Join(t.TempDir(), "state.db")
	want, older := wanted(t, path, good), wanted(t, path, before)
	step := 41
	if testing.Short() {
		step = 401
	}
	noticed, tried := 0, 0
	for at := 0; at < len(good); at += step {
		mask := []byte{0x01, 0x80, 0xff}[tried%3]
		tried++
		bad := bytes.Clone(good)
		bad[at] ^= mask
		write(t, path, bad)
		got, err := contents(t, path)
		if err != nil {
			noticed++
		}
		for i, c := range got {
			if c == nil || reflect.DeepEqual(*c, want[i]) {
				continue
			}
			if inHeader := at < 8192; !inHeader || !reflect.DeepEqual(*c, older[i]) {
				t.Fatalf("octet %d, mask %#x: another content of mailbox %d:\n%s", at, mask, i, cmp.Diff(want[i], *c))
			}
		}
	}
	if noticed == 0 {
		t.Error("none was noticed: are they where the content is?")
	}
	t.Logf("%d of %d flips noticed; the others hit nothing that is in use", noticed, tried)
}

func wanted(t *testing.T, path string, file []byte) (all [2]content) {
	t.Helper()
	write(t, path, file)
	got, err := contents(t, path)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range got {
		all[i] = *c
	}
	return all
}

// S3: the other accounts go on, and can be committed to.
func TestDamageStaysInItsMailbox(t *testing.T) {
	_, good := filled(t, 300)
	at := bytes.Index(good, []byte("uid-000100")) + len("uid-000100") + 5 + 5
	path := filepath.Join(t.TempDir(), "state.db")
	good[at] ^= 0x10
	write(t, path, good)
	db := open(t, path)
	bad, whole := 0, 0
	for _, m := range []uidl.Mailbox{mailbox, other} {
		b := accountBox(t, db, m)
		if _, err := b.Records(t.Context()); err != nil {
			mustBeDamage(t, err)
			if !strings.Contains(err.Error(), m.String()) || !strings.Contains(err.Error(), "uid-000100") {
				t.Errorf("it does not say what is damaged: %v", err)
			}
			mustBeDamage(t, b.Commit(t.Context(), uidl.Change{Update: []uidl.Entry{entry("uid-000100")}}))
			bad++
			continue
		}
		put(t, b, "uid-000100")
		put(t, b, "new")
		whole++
	}
	if bad != 1 || whole != 1 {
		t.Errorf("%d mailboxes are damaged, %d whole", bad, whole)
	}
}

// S3: a state that is taken away while in use is no place to write to.
func TestStateThatChangesUnderneathIsNoticed(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return os.Rename(path+".copy", path) },
		"cut":      func(path string) error { return os.Truncate(path, 8192) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			db := open(t, path)
			b := box(t, db, mailbox)
			put(t, b, "a")
			write(t, path+".copy", read(t, path))
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			_, err := b.Records(t.Context())
			mustBeDamage(t, err)
			mustBeDamage(t, b.Commit(t.Context(), uidl.Change{Update: []uidl.Entry{entry("b")}}))
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// foreign is a bbolt file that popsync did not write.
func foreign(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foreign.db")
	b, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("things"))
		return err
	})
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
