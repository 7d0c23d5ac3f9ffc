package deliver

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// D1: the order of the steps, and no call too many.
func TestOrderOfSystemCalls(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	mustSync(t, m, mustStage(t, m, "first")) // which once a process looks after more folders
	sys.calls = nil
	batch := mustStage(t, m, "a\r\n", "b\r\n")
	mustSync(t, m, batch)
	mustPublish(t, m, batch)
	want := []string{
		"create tmp/", "write",
		"create tmp/", "write",
		"writeback", "writeback",
		"fsync", "fsync", "fsync tmp/",
		"rename new/", "rename new/", "fsync new/",
	}
	if diff := cmp.Diff(want, sys.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// D4: what a killed process left half done, the Maildir in its parent too, is made durable before
// anything in tmp/ is.
func TestFirstSyncOfAProcess(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	batch := mustStage(t, m, "a")
	g, err := m.gate()
	if err != nil {
		t.Fatal(err)
	}
	g.passed = false // an earlier test's folder may have had the same inode
	sys.calls = nil
	mustSync(t, m, batch)
	parent := filepath.Base(filepath.Dir(m.path)) + "/"
	want := []string{"fsync", "fsync new/", "fsync cur/", "fsync Maildir/", "fsync " + parent, "fsync tmp/"}
	if diff := cmp.Diff(want, sys.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// D1
func TestModeIsExact(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		for _, mode := range []fs.FileMode{0, 0o600, 0o640, 0o666} {
			t.Run(fmt.Sprintf("umask %03o mode %03o", umask, mode), func(t *testing.T) {
				defer syscall.Umask(syscall.Umask(umask))
				m := NewMaildir(MaildirOptions{Path: filepath.Join(t.TempDir(), "m"), Mode: mode, Owner: NewOwner(testState)})
				if err := m.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				batch := mustStage(t, m, "first", "second")
				mustSync(t, m, batch)
				mustPublish(t, m, batch)
				want := mode
				if mode == 0 {
					want = 0o600
				}
				for _, name := range list(t, m.sub("new")) {
					wantMode(t, filepath.Join(m.sub("new"), name), want)
				}
				for _, dir := range append([]string{""}, subfolders...) {
					wantMode(t, m.sub(dir), 0o700)
				}
			})
		}
	}
}

func wantMode(t testing.TB, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %03o, want %03o", filepath.Base(path), got, want)
	}
}

// D1
func TestNameInNewCarriesTheSize(t *testing.T) {
	m := faultyMaildir(t, &faulty{})
	batch := mustStage(t, m, "12\r\n45\r\n")
	mustSync(t, m, batch)
	mustPublish(t, m, batch)
	if got, want := list(t, m.sub("new")), []string{batch[0].Name + ",S=6"}; !slices.Equal(got, want) {
		t.Errorf("new/ holds %q, want %q", got, want)
	}
}

// D10: a file's time is that of its arrival here, whatever the message says of itself.
func TestFileTimesAreLeftAlone(t *testing.T) {
	m := faultyMaildir(t, &faulty{})
	begun := time.Now().Add(-time.Minute) // file systems have clocks of their own
	batch := mustStage(t, m, "Received: by x; Sat, 1 Jan 2000 00:00:00 +0000\r\nDate: Sat, 1 Jan 2000 00:00:00 +0000\r\n\r\n")
	mustSync(t, m, batch)
	mustPublish(t, m, batch)
	info, err := os.Stat(m.Where(batch[0]))
	if err != nil {
		t.Fatal(err)
	}
	if at := info.ModTime(); at.Before(begun) || at.After(begun.Add(2*time.Minute)) {
		t.Errorf("the file's time is %v", at)
	}
}

// D2: a failed fsync of a file concerns that file.
func TestFailedFsyncOfAFile(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	batch := mustStage(t, m, "a", "b", "c")
	var once sync.Once
	sys.fail = func(call string) (err error) {
		if call == "fsync" {
			once.Do(func() { err = syscall.EIO })
		}
		return err
	}
	failedOnes := 0
	for _, err := range m.Sync(t.Context(), batch) {
		if err != nil {
			failedOnes++
			wantError(t, err, IO, m.sub("tmp")+": input/output error", syscall.EIO)
		}
	}
	if failedOnes != 1 {
		t.Errorf("%d failed, want 1", failedOnes)
	}
}

// D2: what fails when writing begins stays failed, whatever the fsync says then.
func TestFailedWritebackOfAFile(t *testing.T) {
	for name, stage := range map[string]func(t *testing.T, m *Maildir) error{
		"of a batch": func(t *testing.T, m *Maildir) error {
			errs := m.Sync(t.Context(), mustStage(t, m, "a", "b"))
			return errors.Join(errs...)
		},
		"of a large message": func(t *testing.T, m *Maildir) error {
			_, err := m.Stage(t.Context(), "uid", strings.NewReader(strings.Repeat("x", 3*writebackStep)))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := kept.Load()
			m := faultyMaildir(t, &faulty{fail: failing(syscall.EIO, "writeback")})
			if err := stage(t, m); !errors.Is(err, syscall.EIO) {
				t.Errorf("error %v", err)
			}
			if got := kept.Load(); got != before {
				t.Errorf("%d descriptors are held, and %d before", got, before)
			}
		})
	}
}

// D2: a failed fsync of tmp/ concerns them all.
func TestFailedFsyncOfTmp(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	batch := mustStage(t, m, "a", "b")
	sys.fail = failing(syscall.EIO, "fsync tmp/")
	for _, err := range m.Sync(t.Context(), batch) {
		wantError(t, err, IO, m.sub("tmp")+": input/output error", syscall.EIO)
	}
}

// D2: nothing is visible after an fsync of new/ that failed, and all is staged as before, even
// though a second fsync would succeed.
func TestFailedFsyncOfNew(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	batch := mustStage(t, m, "a", "b")
	mustSync(t, m, batch)
	sys.fail = failing(syscall.EIO, "fsync new/")
	for _, err := range m.Publish(t.Context(), batch) {
		wantError(t, err, IO, m.sub("new")+": input/output error", syscall.EIO)
	}
	wantCount(t, m.sub("new"), 0)
	wantCount(t, m.sub("tmp"), 2)
	sys.fail = nil
	if err := m.Drop(batch); err != nil {
		t.Error(err)
	}
	wantCount(t, m.sub("tmp"), 0)
}

// The rename back may find that a reader was faster.
func TestFailedFsyncOfNewAfterAReader(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	batch := mustStage(t, m, "a")
	mustSync(t, m, batch)
	sys.fail = func(call string) error {
		if call != "fsync new/" {
			return nil
		}
		moveToCur(t, m, ":2,S")
		return syscall.EIO
	}
	if err := m.Publish(t.Context(), batch)[0]; !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v, want %v", err, syscall.EIO)
	}
	wantCount(t, m.sub("cur"), 1)
}

// A rename that fails concerns its message.
func TestFailedRename(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	batch := mustStage(t, m, "a", "b", "c")
	mustSync(t, m, batch)
	renames := 0
	sys.fail = func(call string) error {
		if call == "rename new/" {
			if renames++; renames == 2 {
				return syscall.ENOSPC
			}
		}
		return nil
	}
	errs := m.Publish(t.Context(), batch)
	if errs[0] != nil || errs[2] != nil {
		t.Errorf("the others failed: %v, %v", errs[0], errs[2])
	}
	wantError(t, errs[1], IO, m.sub("new")+": no space left on device", syscall.ENOSPC)
	if got, want := list(t, m.sub("tmp")), []string{batch[1].Name}; !slices.Equal(got, want) {
		t.Errorf("tmp/ holds %q, want %q", got, want)
	}
}

// D3: a full disk in the middle leaves nothing, whichever call finds it out.
func TestFailedStage(t *testing.T) {
	inMaildir := func(t testing.TB, sys *faulty) (Target, string) {
		m := faultyMaildir(t, sys)
		return m, m.sub("tmp")
	}
	inSpool := func(t testing.TB, sys *faulty) (Target, string) {
		m := testMDA(t, "exit 0")
		m.spool.sys = sys
		return m, m.spool.dir
	}
	for _, tt := range []struct {
		claim, call string
		open        func(testing.TB, *faulty) (Target, string)
	}{
		{"no file in tmp/", "create tmp/", inMaildir},
		{"no octet in tmp/", "write", inMaildir},
		{"no file in the spool", "create spool/", inSpool},
		{"no octet in the spool", "write", inSpool},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			target, dir := tt.open(t, &faulty{fail: failing(syscall.ENOSPC, tt.call)})
			_, err := target.Stage(t.Context(), "1", strings.NewReader(strings.Repeat("x", 200_000)))
			wantError(t, err, IO, dir+": no space left on device", syscall.ENOSPC)
			wantCount(t, dir, 0)
			if kept.Load() != 0 {
				t.Errorf("%d descriptors are held", kept.Load())
			}
		})
	}
}

func TestDescriptorsAreBounded(t *testing.T) {
	defer func(before func() int64) { mayKeep = before }(mayKeep)
	mayKeep = func() int64 { return 3 }
	m := faultyMaildir(t, &faulty{})
	batch := mustStage(t, m, "a", "b", "c", "d", "e")
	if got := kept.Load(); got != 3 {
		t.Errorf("%d descriptors are held, want 3", got)
	}
	mustSync(t, m, batch[:4])
	if err := m.Drop(batch[4:]); err != nil {
		t.Error(err)
	}
	mustPublish(t, m, batch[:4])
	if got := kept.Load(); got != 0 {
		t.Errorf("%d descriptors are held at the end", got)
	}
}

// The fsync of one account's tmp/ never comes between another's rename and its fsync of new/,
// however the two spell the folder.
func TestSyncWaitsForPublish(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(m.path, link); err != nil {
		t.Fatal(err)
	}
	other := NewMaildir(MaildirOptions{Path: link, Owner: m.tmp.owner})
	other.sys, other.tmp.sys = sys, sys

	mustSync(t, m, mustStage(t, m, "first"))
	sys.calls = nil
	sys.fail = func(call string) error {
		if call == "rename new/" {
			time.Sleep(time.Millisecond) // gives the other one its chance
		}
		return nil
	}
	var accounts sync.WaitGroup
	for _, target := range []*Maildir{m, other} {
		accounts.Go(func() {
			for range 20 {
				batch := mustStage(t, target, "a", "b")
				mustSync(t, target, batch)
				mustPublish(t, target, batch)
			}
		})
	}
	accounts.Wait()
	wantCount(t, m.sub("new"), 80)

	renames, fsyncs := 0, 0
	for _, call := range sys.calls {
		switch call {
		case "rename new/":
			renames++
		case "fsync new/":
			fsyncs++
		case "fsync tmp/":
			if renames != 2*fsyncs { // two publishers may overlap; each has two renames and one fsync
				t.Fatalf("fsync of tmp/ after %d renames and %d fsyncs of new/: %q", renames, fsyncs, sys.calls)
			}
		}
	}
}

// S2: whatever a reader has made of the name.
func TestSettleFindsWhatReadersMoved(t *testing.T) {
	for _, rename := range []func(name string) string{
		func(name string) string { return name + ":2,S" },
		func(name string) string { return name + ":2," },
		func(name string) string { return strings.TrimSuffix(name, ",S=2") },
		func(name string) string { return strings.Replace(name, ",S=2", ",S=2,W=3", 1) + ":2,RSab" },
		func(name string) string { return strings.Replace(name, ",S=2", ":2,T", 1) },
	} {
		sys := &faulty{}
		m := faultyMaildir(t, sys)
		batch := mustStage(t, m, "a\n")
		mustSync(t, m, batch)
		mustPublish(t, m, batch)
		from := list(t, m.sub("new"))[0]
		to := rename(from)
		if err := os.Rename(filepath.Join(m.sub("new"), from), filepath.Join(m.sub("cur"), to)); err != nil {
			t.Fatal(err)
		}
		sys.calls = nil
		outcome, err := m.Settle(t.Context(), batch[0], 100*time.Hour)
		if err != nil || outcome != Delivered {
			t.Errorf("%s: outcome %d, %v; want Delivered", to, outcome, err)
		}
		if !slices.Contains(sys.calls, "fsync cur/") {
			t.Errorf("%s: cur/ was not synced: %q", to, sys.calls)
		}
	}
}

func TestSettleOfALongerName(t *testing.T) {
	m := faultyMaildir(t, &faulty{})
	batch := mustStage(t, m, "a", "b")
	mustSync(t, m, batch)
	mustPublish(t, m, batch[:1])
	longer := Staged{Name: strings.TrimSuffix(batch[0].Name, batch[0].Name[len(batch[0].Name)-1:])}
	if outcome, err := m.Settle(t.Context(), longer, 100*time.Hour); err != nil || outcome != Again {
		t.Errorf("outcome %d, %v; want Again", outcome, err)
	}
}

// A crash may undo the removal from tmp/ where a file system keeps the two halves of a rename
// apart: the message is in both places and was delivered.
func TestSettleOfBothHalvesOfARename(t *testing.T) {
	m := faultyMaildir(t, &faulty{})
	batch := mustStage(t, m, "a")
	mustSync(t, m, batch)
	mustPublish(t, m, batch)
	moveToCur(t, m, ":2,S")
	if err := os.WriteFile(m.tmp.path(batch[0].Name), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if outcome, err := m.Settle(t.Context(), batch[0], 0); err != nil || outcome != Delivered {
		t.Errorf("outcome %d, %v; want Delivered", outcome, err)
	}
	wantCount(t, m.sub("tmp"), 0)
	wantCount(t, m.sub("new"), 0)
	wantCount(t, m.sub("cur"), 1)
}

func TestSettleFails(t *testing.T) {
	for _, call := range []string{"rename new/", "fsync new/"} {
		sys := &faulty{}
		m := faultyMaildir(t, sys)
		batch := mustStage(t, m, "a")
		mustSync(t, m, batch)
		sys.fail = failing(syscall.EIO, call)
		outcome, err := m.Settle(t.Context(), batch[0], 0)
		if outcome != Unsettled {
			t.Errorf("%s fails: outcome %d, want Unsettled", call, outcome)
		}
		wantError(t, err, IO, m.sub("new")+": input/output error", syscall.EIO)
		wantCount(t, m.sub("tmp"), 1)
	}
}

// An unmounted Maildir says nothing about its messages.
func TestSettleWithoutTheMaildir(t *testing.T) {
	for _, gone := range []string{"", "tmp", "new", "cur"} {
		m := faultyMaildir(t, &faulty{})
		if err := os.RemoveAll(m.sub(gone)); err != nil {
			t.Fatal(err)
		}
		st := Staged{Name: m.tmp.owner.newName(time.Now(), 7)}
		outcome, err := m.Settle(t.Context(), st, time.Hour)
		if outcome != Unsettled {
			t.Errorf("without %q: outcome %d, want Unsettled", gone, outcome)
		}
		wantError(t, err, Create, m.path+": the Maildir is not there any more: no such file or directory", fs.ErrNotExist)
	}
}

// S2: a reader that takes mail away all the time.
func TestSettleAgainstAReader(t *testing.T) {
	m := faultyMaildir(t, &faulty{})
	batch := mustStage(t, m, slices.Repeat([]string{"message"}, 100)...)
	mustSync(t, m, batch)
	mustPublish(t, m, batch)
	var reader sync.WaitGroup
	reader.Go(func() {
		for _, st := range batch {
			from := m.newPath(st)
			if err := os.Rename(from, filepath.Join(m.sub("cur"), filepath.Base(from)+":2,")); err != nil {
				t.Error(err)
			}
		}
	})
	for _, st := range batch {
		if outcome, err := m.Settle(t.Context(), st, 100*time.Hour); err != nil || outcome != Delivered {
			t.Errorf("outcome %d, %v; want Delivered", outcome, err)
		}
	}
	reader.Wait()
	wantCount(t, m.sub("cur"), 100)
}

func moveToCur(t testing.TB, m *Maildir, flags string) {
	t.Helper()
	for _, name := range list(t, m.sub("new")) {
		if err := os.Rename(filepath.Join(m.sub("new"), name), filepath.Join(m.sub("cur"), name+flags)); err != nil {
			t.Fatal(err)
		}
	}
}

// D4: only our own leavings are removed, and one that cannot be does not save the others.
func TestClean(t *testing.T) {
	sys := &faulty{}
	m := faultyMaildir(t, sys)
	earlier := NewOwner(testState)
	left := []string{earlier.newName(time.Now(), 7), earlier.newName(time.Now(), 7)}
	foreign := []string{"1790000000.M12P34Q1.host", NewOwner("ffffffff").newName(time.Now(), 7), m.tmp.owner.newName(time.Now(), 7)}
	for _, name := range slices.Concat(left, foreign) {
		if err := os.WriteFile(m.tmp.path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var once sync.Once
	sys.fail = func(call string) (err error) {
		once.Do(func() { err = syscall.EIO })
		return err
	}
	nothing := func(string) bool { return false }
	if err := m.Clean(nothing); !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v, want %v", err, syscall.EIO)
	}
	wantCount(t, m.sub("tmp"), len(foreign)+1)
	if err := m.Clean(nothing); err != nil {
		t.Error(err)
	}
	got := slices.Sorted(slices.Values(list(t, m.sub("tmp"))))
	if slices.Sort(foreign); !slices.Equal(got, foreign) {
		t.Errorf("tmp/ holds %q, want %q", got, foreign)
	}
	if err := os.RemoveAll(m.path); err != nil {
		t.Fatal(err)
	}
	if err := m.Clean(nothing); err != nil {
		t.Errorf("clean of no Maildir: %v", err)
	}
}

func TestSettling(t *testing.T) {
	m := faultyMaildir(t, &faulty{})
	batch := mustStage(t, m, "a", "b")
	mustSync(t, m, batch)
	target, err := Settling(m.Location(), NewOwner(testState))
	if err != nil {
		t.Fatal(err)
	}
	if target.Location() != m.Location() {
		t.Errorf("location %q, want %q", target.Location(), m.Location())
	}
	if outcome, err := target.Settle(t.Context(), batch[0], time.Hour); err != nil || outcome != Delivered {
		t.Errorf("outcome %d, %v; want Delivered", outcome, err)
	}
	if err := target.Clean(func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	wantCount(t, m.sub("new"), 1)
	wantCount(t, m.sub("tmp"), 0)
	if _, err := target.Stage(t.Context(), "1", bytes.NewReader(nil)); !errors.Is(err, errSettlingOnly) {
		t.Errorf("stage: %v, want %v", err, errSettlingOnly)
	}
	for _, err := range []error{target.Open(t.Context()), target.Sync(t.Context(), batch)[0], target.Publish(t.Context(), batch)[1]} {
		if !errors.Is(err, errSettlingOnly) {
			t.Errorf("error %v, want %v", err, errSettlingOnly)
		}
	}
	for _, location := range []string{"", "maildir:", "maildir:relative", "mbox:/x", "/x", "mda:", "mda:x"} {
		if _, err := Settling(location, Owner{}); err == nil {
			t.Errorf("%q: no error", location)
		}
	}
}

func wantError(t testing.TB, err error, kind Kind, text string, is error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		t.Errorf("error %v, want a *Error", err)
	case e.Kind != kind || e.Error() != text || is != nil && !errors.Is(err, is):
		t.Errorf("error %q of the kind %d, want %q, %d", e, e.Kind, text, kind)
	}
}

// The cost of all that deliver does for a batch: stage, sync, publish.
func BenchmarkMaildirBatch(b *testing.B) { benchmarkMaildir(b, maxBatch) }

func BenchmarkMaildirOne(b *testing.B) { benchmarkMaildir(b, 1) }

func benchmarkMaildir(b *testing.B, n int) {
	m := realMaildir(b)
	b.ReportAllocs()
	for b.Loop() {
		batch := stageMail(b, m, n)
		mustSync(b, m, batch)
		mustPublish(b, m, batch)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/message")
}

// What stands between one message of the server and the next.
func BenchmarkStage(b *testing.B) {
	m := realMaildir(b)
	b.ReportAllocs()
	for b.Loop() {
		batch := stageMail(b, m, maxBatch)
		b.StopTimer()
		if err := m.Drop(batch); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*maxBatch), "µs/message")
}

func realMaildir(b *testing.B) *Maildir {
	b.Helper()
	m := NewMaildir(MaildirOptions{Path: filepath.Join(b.TempDir(), "Maildir"), Owner: NewOwner(testState)})
	if err := m.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	return m
}

// stageMail stages n messages of 3000 octets.
func stageMail(b *testing.B, m *Maildir, n int) []Staged {
	b.Helper()
	batch := make([]Staged, n)
	for i := range batch {
		var err error
		if batch[i], err = m.Stage(b.Context(), "uid", bytes.NewReader(letter)); err != nil {
			b.Fatal(err)
		}
	}
	return batch
}

var letter = bytes.Repeat([]byte("This is a line of some sixty characters, as mail has them.\r\n"), 50)

// S1: another Maildir at the same path, as under a mount point, proves nothing: what was staged in
// the real one is neither confirmed nor lost.
func TestSettleInAnotherMaildir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Maildir")
	m := NewMaildir(MaildirOptions{Path: path, Owner: NewOwner("01234567")})
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := m.Stage(t.Context(), "uid", strings.NewReader("mail\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Sync(t.Context(), []Staged{st})...); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".unmounted"); err != nil {
		t.Fatal(err)
	}
	later := func() *Maildir {
		return NewMaildir(MaildirOptions{Path: path, Owner: NewOwner("01234567")})
	}
	if err := later().Open(t.Context()); err != nil { // a skeleton below the mount point
		t.Fatal(err)
	}
	outcome, err := later().Settle(t.Context(), st, time.Hour)
	if e, ok := errors.AsType[*Error](err); outcome != Unsettled || !ok || e.Kind != Create {
		t.Errorf("in another Maildir: %v, %v", outcome, err)
	}
	if outcome, err := later().Settle(t.Context(), st, 37*time.Hour); outcome != Again || err != nil {
		t.Errorf("after 36 hours: %v, %v", outcome, err)
	}
	if err := os.RemoveAll(path); err != nil { // and one that was made anew, perhaps with the same inode
		t.Fatal(err)
	}
	if err := later().Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if outcome, err := later().Settle(t.Context(), st, time.Hour); outcome != Unsettled || err == nil {
		t.Errorf("in a new Maildir: %v, %v", outcome, err)
	}
	if err := errors.Join(os.Rename(path, path+".skeleton"), os.Rename(path+".unmounted", path)); err != nil {
		t.Fatal(err)
	}
	if outcome, err := later().Settle(t.Context(), st, time.Hour); outcome != Delivered || err != nil {
		t.Errorf("mounted again: %v, %v", outcome, err)
	}
}
