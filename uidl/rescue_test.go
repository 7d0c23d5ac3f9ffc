package uidl

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

func repairAt(t testing.TB, path string) (Repaired, error) {
	t.Helper()
	return Repair(t.Context(), path, RepairOptions{Now: today, Wait: time.Millisecond})
}

// closedState is a state that nobody has open, and what is in it.
func closedState(t testing.TB) (path string, want [2]holding) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	want = holdings(t, db)
	db.Close()
	return path, want
}

// ruin makes a closed state one whose pages of a kind are zeros: those with this text in them.
func ruin(t testing.TB, path, text string) {
	t.Helper()
	file := readFile(t, path)
	n := 0
	for at := 2 * 4096; at < len(file); at += 4096 {
		if bytes.Contains(file[at:at+4096], []byte(text)) {
			clear(file[at : at+4096])
			n++
		}
	}
	if n == 0 {
		t.Fatalf("no page has %q", text)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSoundStateIsLeftAlone(t *testing.T) {
	path, _ := closedState(t)
	before := readFile(t, path)
	done, err := repairAt(t, path)
	if diff := cmp.Diff(Repaired{Sound: true, Records: 200, Mailboxes: 2}, done); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if !bytes.Equal(before, readFile(t, path)) {
		t.Error("it was written to")
	}
	onlyThese(t, filepath.Dir(path), "state.db", "state.db.lock")
}

// The good copy knows what the damaged pages held. What was forgotten since does not come back in a
// mailbox of which nothing is missing; what came since is kept where it can be read.
func TestGoodCopyFillsTheGaps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	kept(t, db, today)
	id := db.ID()
	old, again := Ref{UID: "uid-001950"}, Ref{UID: "uid-001951"} // the UID of the latter is that of a new message
	for _, m := range []Mailbox{alice, bob} {
		c := one("new")
		c.Forget = []Ref{old, again}
		c.Intend = []Intent{{Ref: Ref{UID: "i"}, Name: "1." + m.User}, {Ref: again, Name: "2." + m.User}}
		if err := boxOf(t, db, m).Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	want := holdings(t, filledGood(t, path))
	bobs := holdingOf(t, db, bob)
	db.Close()
	flipRecord(t, path, alice, Ref{UID: "uid-001960"})

	done, err := repairAt(t, path)
	if err != nil {
		t.Fatal(err)
	}
	// uid-001960 from the copy; and uid-001950, of which nobody knows that it is not missing.
	if done.Records != 100+99 || done.FromGood != 2 || done.Mailboxes != 2 || len(done.Lost) != 1 ||
		!strings.Contains(done.Lost[0], alice.String()) || !strings.Contains(done.Lost[0], "1 of 99 records") {
		t.Errorf("%+v", done)
	}
	db, err = Open(t.Context(), path, Options{History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sound(t, db)
	got := holdings(t, db)
	if diff := cmp.Diff(bobs, got[1]); diff != "" {
		t.Errorf("bob (-want +got):\n%s", diff)
	}
	alices := want[0]
	alices.Records = slices.Insert(alices.Records, 0, Entry{Ref: Ref{UID: "new"}, Record: one("new").Update[0].Record})
	alices.Records = slices.DeleteFunc(alices.Records, func(e Entry) bool { return e.Ref == again })
	alices.Intents = []Intent{{Ref: Ref{UID: "i"}, Name: "1.alice"}, {Ref: again, Name: "2.alice"}}
	if diff := cmp.Diff(alices, got[0]); diff != "" {
		t.Errorf("alice (-want +got):\n%s", diff)
	}
	if db.ID() != id {
		t.Errorf("its ID is %s, not %s", db.ID(), id)
	}
	if err := boxOf(t, db, alice).Commit(t.Context(), Change{Intend: []Intent{{Ref: Ref{UID: "j"}, Name: "3"}}}); err != nil {
		t.Error(err)
	}
	if all, err := boxOf(t, db, alice).Intents(t.Context()); err != nil || len(all) != 3 || all[2].UID != "j" {
		t.Errorf("intents are not numbered on: %v, %v", all, err)
	}
}

// flipRecord damages a record where it lies.
func flipRecord(t testing.TB, path string, m Mailbox, ref Ref) {
	t.Helper()
	file := readFile(t, path)
	w, err := openWreck(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range salvaged(w).mailboxes[string(m.key())].heaps[records].leaves {
		page := file[l.id*w.meta.pageSize:][:w.meta.pageSize]
		if i := bytes.Index(page, ref.key()); i >= 0 {
			page[i+len(ref.key())] ^= 1
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no %v", ref)
}

// filledGood opens a copy of the good copy.
func filledGood(t testing.TB, path string) *DB {
	t.Helper()
	as := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(as, readFile(t, goodPath(path)), 0o600); err != nil {
		t.Fatal(err)
	}
	return openAt(t, as)
}

// A mailbox that was moved since the copy is not there twice; one that is lost comes from the copy.
func TestGoodCopyFillsInMailboxes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	kept(t, db, today)
	carol := Mailbox{Host: "h", User: "carol"}
	if _, err := db.Move(t.Context(), alice, carol, "carol"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	whole := readFile(t, path)
	flipRecord(t, path, bob, Ref{UID: "uid-001960"})
	done, err := repairAt(t, path)
	if err != nil || done.Sound || done.Records != 200 || done.Mailboxes != 2 {
		t.Errorf("a record is damaged: %+v, %v", done, err)
	}

	at := bytes.LastIndex(whole, []byte("pop.example.org\x00995\x00bob")) // the key, in the newest page with it
	for ; at >= 0; at = bytes.LastIndex(whole[:at], []byte("pop.example.org\x00995\x00bob")) {
		whole[at] = 'P'
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	done, err = repairAt(t, path)
	if err != nil || done.Mailboxes != 3 || done.FromGood != 200 || !strings.Contains(strings.Join(done.Lost, "\n"), "1 of 2 mailboxes") {
		t.Errorf("a mailbox is gone: %+v, %v", done, err)
	}
	db, err = Open(t.Context(), path, Options{History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sound(t, db)
	for _, m := range []Mailbox{alice, bob, carol} { // nobody knows any more that alice moved
		if n := len(holdingOf(t, db, m).Records); n != 100 {
			t.Errorf("%v has %d records", m, n)
		}
	}
}

// S1: a crash of the repair leaves the damaged state or the new one, and never none.
func TestRepairSurvivesACrash(t *testing.T) {
	for _, name := range []string{"by a link", "where there are no links"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "state.db")
			db := filled(t, path)
			kept(t, db, today)
			want := holdings(t, db)
			spoil(t, db, alice, records, Ref{UID: "uid-001950"}.key())
			db.Close()
			damaged := readFile(t, path)
			n := 0
			o := RepairOptions{Now: today}
			var w *watch
			o.disk, w = crashes(t, dir, func(when string, c crash) {
				n++
				t.Run(when, func(t *testing.T) {
					if bytes.Equal(c["state.db"], damaged) {
						done, err := repairAt(t, c.in(t))
						if err != nil || done.Sound {
							t.Errorf("again: %+v, %v", done, err)
						}
						return
					}
					if !bytes.Equal(c["state.db.damaged-20261129T101500Z"], damaged) {
						t.Error("the damaged file is gone")
					}
					opensWith(t, c.in(t), want)
				})
			})
			o.disk.noLinks = name != "by a link"
			if _, err := Repair(t.Context(), path, o); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				t.Error("no step was looked at")
			}
			for _, c := range w.cuts() {
				if bytes.Equal(c["state.db"], damaged) {
					t.Error("a power cut afterwards brings back the damaged state")
				}
			}
			opensWith(t, path, want)
			onlyThese(t, dir, "state.db", "state.db.damaged-20261129T101500Z", "state.db.good", "state.db.lock")
		})
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	path, _ := closedState(t)
	ruin(t, path, "uid-001950")
	before := readFile(t, path)
	would, err := Repair(t.Context(), path, RepairOptions{Now: today, DryRun: true})
	if err != nil || would.Moved == "" || len(would.Lost) == 0 {
		t.Errorf("%+v, %v", would, err)
	}
	if !bytes.Equal(before, readFile(t, path)) {
		t.Error("it was written to")
	}
	onlyThese(t, filepath.Dir(path), "state.db", "state.db.lock")
	did, err := repairAt(t, path)
	if diff := cmp.Diff(would, did); err != nil || diff != "" {
		t.Errorf("%v (-would +did):\n%s", err, diff)
	}
}

// S3: what is damaged as a whole is made of the good copy, and only when somebody says so.
func TestStateIsMadeOfTheGoodCopy(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"missing": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"foreign": func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("a text\n", 2000)), 0o600) },
		"zeros at the beginning": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt(make([]byte, 8192), 0)
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			db := filled(t, path)
			c := Change{Intend: []Intent{{Ref: Ref{UID: "i"}, Name: "1"}}}
			if err := boxOf(t, db, alice).Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			kept(t, db, today)
			want := holdings(t, db)
			want[0].Intents = []Intent{} // those of the copy have come to their end
			db.Close()
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			done, err := repairAt(t, path)
			if err != nil || done.Sound || done.FromGood != 200 || done.Records != 200 || (done.Moved == "") != (name == "missing") {
				t.Errorf("%+v, %v", done, err)
			}
			opensWith(t, path, want)
		})
	}
}

// S3: the error says how to begin anew.
func TestNothingToRepair(t *testing.T) {
	path, _ := closedState(t)
	if err := os.Truncate(path, 4000); err != nil {
		t.Fatal(err)
	}
	_, err := repairAt(t, path)
	damage, ok := errors.AsType[*DamageError](err)
	if !ok || !strings.Contains(damage.Hint(), "mv "+path+" ") || !strings.Contains(err.Error(), goodPath(path)) {
		t.Errorf("%v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := repairAt(t, path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := repairAt(t, path); !is[*DamageError](err) {
		t.Errorf("a folder: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := repairAt(t, path); !is[*fs.PathError](err) {
		t.Errorf("a link to nothing: %v", err)
	}
}

func TestRepairOfAHeldState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	filled(t, path)
	_, err := repairAt(t, path)
	if held, ok := errors.AsType[*HeldError](err); !ok || held.PID != os.Getpid() {
		t.Errorf("%v", err)
	}
}

// S3: where a state began anew, there may be copies of several; popsync does not choose.
func TestCopiesOfSeveralStatesAreForAPersonToChoose(t *testing.T) {
	path, want := closedState(t)
	db := openAt(t, path)
	kept(t, db, today)
	id := db.ID()
	db.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, path)
	kept(t, db, today.AddDate(0, 0, 1))
	spoilMeta := func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyCreated, []byte("damaged")) }
	if err := errors.Join(db.bolt.Update(spoilMeta), db.Close()); err != nil {
		t.Fatal(err)
	}
	aside := goodPath(path) + "." + id
	if err := os.Rename(aside, goodPath(path)); err != nil {
		t.Fatal(err)
	}
	done, err := repairAt(t, path) // its own ID is another
	if err != nil || done.Records != 0 || !strings.Contains(strings.Join(done.Lost, "\n"), id) {
		t.Errorf("%+v, %v", done, err)
	}

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(aside, readFile(t, goodPath(path)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := repairAt(t, path); err == nil || !strings.Contains(err.Error(), aside) {
		t.Errorf("two copies: %v", err)
	}
	if err := os.Remove(aside); err != nil {
		t.Fatal(err)
	}
	if _, err := repairAt(t, path); err != nil {
		t.Fatal(err)
	}
	opensWith(t, path, want)
}

// Without a tally what is whole counts, and what comes later is numbered behind it.
func TestLostTallyIsMadeAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	intent := func(uid string) Change { return Change{Intend: []Intent{{Ref: Ref{UID: uid}, Name: uid}}} }
	for _, uid := range []string{"z", "y"} {
		if err := boxOf(t, db, alice).Commit(t.Context(), intent(uid)); err != nil {
			t.Fatal(err)
		}
	}
	want := holdings(t, db)
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketMailboxes).Bucket(alice.key()).Put(keyTally, []byte("damaged"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	done, err := repairAt(t, path)
	if err != nil || done.Records != 200 || len(done.Lost) != 3 {
		t.Errorf("%+v, %v", done, err)
	}
	opensWith(t, path, want)

	db, err = Open(t.Context(), path, Options{History: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := intent("a")
	c.History = []Event{told("last", 1)}
	if err := boxOf(t, db, alice).Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	got := holdingOf(t, db, alice)
	if n := len(got.Intents); n != 3 || got.Intents[2].UID != "a" {
		t.Errorf("intents %v", got.Intents)
	}
	if n := len(got.History); n != 2001 || got.History[n-1].UID != "last" {
		t.Errorf("%d events, the last %v", n, got.History[n-1])
	}
}

// What is not known of a mailbox is what keeps mail: it is no first poll, at which all may be marked
// as seen.
func TestLostPollIsNoFirstOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketMailboxes).Bucket(alice.key()).Put(keyPoll, []byte("damaged"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	done, err := repairAt(t, path)
	if err != nil || len(done.Lost) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	p, err := boxOf(t, openAt(t, path), alice).Poll(t.Context())
	if diff := cmp.Diff(Poll{Listed: true}, p); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// FuzzRepair: whatever a file holds, what is made of it is sound, or there is an error; never a
// crash.
func FuzzRepair(f *testing.F) {
	path := filepath.Join(f.TempDir(), "state.db")
	db := openAt(f, path)
	for _, m := range []Mailbox{alice, bob} {
		if err := boxOf(f, db, m).Commit(f.Context(), Change{Update: one("a").Update, Intend: []Intent{{Name: "1"}}}); err != nil {
			f.Fatal(err)
		}
	}
	db.Close()
	whole := readFile(f, path)
	f.Add([]byte(nil))
	f.Add(whole)
	f.Add(whole[:6*4096])
	for _, text := range []string{"mailboxes", "records", "pop.example.org", "tally"} {
		bad := bytes.Clone(whole)
		bad[bytes.LastIndex(bad, []byte(text))] ^= 1
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		done, err := repairAt(t, path)
		switch {
		case is[*DamageError](err), is[*VersionError](err):
		case err != nil:
			t.Fatal(err)
		default:
			report, err := Verify(t.Context(), path, Options{})
			if err != nil || len(report.Faults) > 0 || len(report.Mailboxes) != done.Mailboxes {
				t.Fatalf("%+v became %+v, %v", done, report, err)
			}
		}
	})
}
