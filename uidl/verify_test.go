package uidl

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

func TestSoundStateHasNoFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	open, err := db.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sums, err := db.Summaries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	want := Report{Path: path, Size: info.Size(), Version: Version, Mailboxes: sums}
	if diff := cmp.Diff(want, open); diff != "" || open.Err() != nil {
		t.Errorf("open (-want +got):\n%s%v", diff, open.Err())
	}
	db.Close()
	before := readFile(t, path)
	closed, err := Verify(t.Context(), path, Options{})
	if diff := cmp.Diff(want, closed); err != nil || diff != "" {
		t.Errorf("closed: %v (-want +got):\n%s", err, diff)
	}
	if !bytes.Equal(before, readFile(t, path)) {
		t.Error("it was written to")
	}
	onlyThese(t, filepath.Dir(path), "state.db", "state.db.lock")
}

func TestVerifyTellsEachFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	for n := range maxTold + 5 {
		spoil(t, db, alice, records, many(2000).Update[1900+n].Ref.key())
	}
	spoil(t, db, bob, history, numberKey(17))
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		of := func(m Mailbox) *bolt.Bucket { return tx.Bucket(bucketMailboxes).Bucket(m.key()) }
		return errors.Join(
			of(alice).Put(keyPoll, []byte("damaged")),
			of(bob).Bucket(records.bucket()).Delete(Ref{UID: "uid-001999"}.key()),
			tx.Bucket(bucketMeta).Put(keyCreated, []byte("damaged")),
			putSealed(tx.Bucket(bucketMeta), keyMailboxes, set{n: 3}.append(nil)),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"when it was created: the checksum is wrong", "last poll: the checksum is wrong"}
	for n := range maxTold {
		want = append(want, "record of "+many(2000).Update[1900+n].Ref.String()+": the checksum is wrong")
	}
	want = append(want, "5 more records are damaged", "99 records of 100 are there, or others",
		"event 17: the checksum is wrong", "2 mailboxes of 3 are there, or others")
	open, err := db.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range open.Faults {
		got = append(got, f.What)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := open.Err(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "25 more") {
		t.Errorf("%v", err)
	}
	db.Close()
	closed, err := Verify(t.Context(), path, Options{})
	if diff := cmp.Diff(open.Faults, closed.Faults); err != nil || diff != "" {
		t.Errorf("closed: %v (-open +closed):\n%s", err, diff)
	}
}

// What bbolt must not see is read without it: what is in it still shows.
func TestVerifyOfAFileOutOfShape(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	filled(t, path).Close()
	file := readFile(t, path)
	at := bytes.LastIndex(file, []byte("uid-001950")) &^ 4095 // a page of records
	clear(file[at : at+4096])
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(t.Context(), path, Options{})
	if err != nil || len(report.Faults) == 0 || len(report.Mailboxes) != 2 || report.Version != Version || report.Size != int64(len(file)) {
		t.Fatalf("%+v, %v", report, err)
	}
	whole, damaged := 0, 0
	for _, m := range report.Mailboxes {
		switch {
		case m.Err == nil && m.Records() == 100 && m.History == 2000:
			whole++
		case m.Err != nil:
			damaged++
		}
	}
	if whole != 1 || damaged != 1 {
		t.Errorf("%+v", report.Mailboxes)
	}
}

func TestVerifyOfWhatIsNoState(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	if _, err := Verify(t.Context(), path, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	onlyThese(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"empty": "", "text": strings.Repeat("no state\n", 1000), "short": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"folder": "it is a folder",
		"pipe":   "it is not a file",
		"empty":  "it is empty",
		"text":   "it is not a UIDL database",
		"short":  "it is cut short: 1 octets",
	} {
		report, err := Verify(t.Context(), filepath.Join(dir, name), Options{})
		if diff := cmp.Diff([]Fault{{What: want}}, report.Faults); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// S5: whoever holds the state is named.
func TestVerifyOfAHeldState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	for range 2 {
		_, err := Verify(t.Context(), path, Options{Wait: time.Millisecond})
		if held, ok := errors.AsType[*HeldError](err); !ok || held.PID != os.Getpid() || held.Path != path {
			t.Errorf("%v", err)
		}
		if _, _, err := db.Compact(t.Context()); err != nil { // the file is another then
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := Verify(ctx, path, Options{Wait: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// S9: a state that a newer program wrote is none of ours to judge.
func TestVerifyOfANewerState(t *testing.T) {
	path := newer(t)
	if _, err := Verify(t.Context(), path, Options{}); !is[*VersionError](err) {
		t.Errorf("Verify: %v", err)
	}
	before := readFile(t, path)
	if _, err := Repair(t.Context(), path, RepairOptions{}); !is[*VersionError](err) {
		t.Errorf("Repair: %v", err)
	}
	if !bytes.Equal(before, readFile(t, path)) {
		t.Error("it was written to")
	}
}

// newer is a state of a version that is not known yet.
func newer(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	db := filled(t, path)
	err := db.bolt.Update(func(tx *bolt.Tx) error {
		return putSealed(tx.Bucket(bucketMeta), keyVersion, []byte(strconv.Itoa(Version+1)))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
