// Package delivertest is the suite that every [deliver.Target] passes.
package delivertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"popsync/deliver"
)

// A Place is where a target under test delivers, as the test sees it.
type Place struct {
	// Target is the place's target as a new process has it: it may be called again, and the
	// Targets have the same State and different Runs.
	Target func() deliver.Target

	// Delivered gives the SHA-256, in hexadecimal, of each message that a reader would find, in any order.
	Delivered func(t testing.TB) []string

	// Staged gives the names in the staging place.
	Staged func(t testing.TB) []string

	// KeepsCRLF says that the line ends of the wire are kept.
	KeepsCRLF bool

	// Trace is what the target puts in front of each message, with LF ends; "": nothing.
	Trace string

	// Remembers says that a message whose staged file is gone is known to have been delivered
	// (a Maildir), where another target has it fetched again (an MDA).
	Remembers bool
}

// Run runs the suite. newPlace makes a new, empty place for each test.
func Run(t *testing.T, newPlace func(t testing.TB) Place) {
	for _, test := range []struct {
		claim string
		check func(t *testing.T, p Place)
	}{
		{"open twice", openTwice},
		{"where a message is", whereIsWords},
		{"stage shows nothing to readers", stageShowsNothing},
		{"every byte arrives", everyByteArrives},
		{"an error of the reader leaves nothing", readerErrorLeavesNothing},
		{"batches are answered one by one and in order", batches},
		{"names from a damaged database lead nowhere", foreignNames},
		{"drop", drop},
		{"settle what is staged", settleStaged},
		{"settle what was published", settlePublished},
		{"settle what is gone", settleGone},
		{"clean", clean},
		{"stage while others are synced and published", overlapped},
	} {
		t.Run(test.claim, func(t *testing.T) {
			test.check(t, newPlace(t))
		})
	}
}

func openTwice(t *testing.T, p Place) {
	target := opened(t, p)
	if err := target.Open(t.Context()); err != nil {
		t.Errorf("opened again: %v", err)
	}
	if target.MaxBatch() < 1 {
		t.Errorf("MaxBatch is %d", target.MaxBatch())
	}
	if a, b := target.Location(), p.Target().Location(); a != b || a == "" {
		t.Errorf("Location is %q, and %q in the next process", a, b)
	}
}

// What the history says of a message is the same before and after, and in the next process.
func whereIsWords(t *testing.T, p Place) {
	target := opened(t, p)
	st := stage(t, target, "1", "a")
	before := target.Where(st)
	deliverOne(t, target, st)
	if after, next := target.Where(st), p.Target().Where(st); before == "" || after != before || next != before {
		t.Errorf("where: %q, then %q, and %q in the next process", before, after, next)
	}
}

func stageShowsNothing(t *testing.T, p Place) {
	target := opened(t, p)
	st := stage(t, target, "1", "Subject: a\r\n\r\nb\r\n")
	wantDelivered(t, p)
	sync(t, target, st)
	wantDelivered(t, p)
	publish(t, target, st)
	wantDelivered(t, p, "Subject: a\r\n\r\nb\r\n")
	if err := target.Drop([]deliver.Staged{st}); err != nil {
		t.Errorf("drop of what was delivered: %v", err)
	}
	wantDelivered(t, p, "Subject: a\r\n\r\nb\r\n")
	wantStaged(t, p)
}

// W2: the bytes that break other programs, in chunks that break converters.
func everyByteArrives(t *testing.T, p Place) {
	target := opened(t, p)
	var want []string
	for claim, message := range odd() {
		for _, reader := range []func(string) io.Reader{
			func(s string) io.Reader { return strings.NewReader(s) }, // a WriterTo
			func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
			func(s string) io.Reader { return iotest.HalfReader(strings.NewReader(s)) },
			func(s string) io.Reader { return iotest.DataErrReader(strings.NewReader(s)) },
		} {
			st, err := target.Stage(t.Context(), "uid", reader(message))
			if err != nil {
				t.Fatalf("%s: %v", claim, err)
			}
			if wantSize := int64(len(p.converted(message))); st.Size != wantSize {
				t.Errorf("%s: size %d, want %d", claim, st.Size, wantSize)
			}
			deliverOne(t, target, st)
			want = append(want, message)
		}
	}
	wantDelivered(t, p, want...)
	t.Run("a line of 50 MB", func(t *testing.T) { longLine(t, p, target) })
}

func odd() map[string]string {
	return map[string]string{
		"empty":                 "",
		"one byte":              "x",
		"a line end":            "\r\n",
		"a bare CR":             "\r",
		"a bare LF":             "\n",
		"bare ones inside":      "a\rb\nc\r\n",
		"CR CR LF":              "a\r\r\nb\r\r\r\nc",
		"LF CR":                 "a\n\rb",
		"a CR at the end":       "a\r\nb\r",
		"NUL and 8-bit":         "\x00\xff\xfe\x80\r\n\x00",
		"no final line end":     "Subject: x\r\n\r\nlast",
		"no header":             "\r\nbody\r\n",
		"no body":               "Subject: x\r\n\r\n",
		"dots":                  ".\r\n..\r\n.x\r\n\n.\n",
		"mbox":                  "From x\r\n\r\nFrom y\r\n",
		"CR at 64 KiB, then LF": strings.Repeat("x", 64<<10-1) + "\r\nrest",
		"CR at 64 KiB, alone":   strings.Repeat("x", 64<<10-1) + "\rrest",
		"CRs over 64 KiB":       strings.Repeat("\r", 64<<10+7) + "\n",
		"line ends over 64 KiB": strings.Repeat("\r\n", 64<<10),
	}
}

// longLine is generated and hashed, never in memory.
func longLine(t *testing.T, p Place, target deliver.Target) {
	const size = 50_000_000
	before := p.Delivered(t)
	hash := sha256.New()
	hash.Write(p.converted(""))
	// Without CR LF in it, so that the hash of what is sent is the hash of what arrives.
	st, err := target.Stage(t.Context(), "uid", io.TeeReader(io.LimitReader(endless{}, size), hash))
	if err != nil {
		t.Fatal(err)
	}
	deliverOne(t, target, st)
	want := append(before, hex.EncodeToString(hash.Sum(nil)))
	wantSums(t, p, want)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// D3: a connection that is lost within a message.
func readerErrorLeavesNothing(t *testing.T, p Place) {
	target := opened(t, p)
	lost := errors.New("connection lost")
	for _, size := range []int64{0, 10, 200_000} {
		cut := io.MultiReader(io.LimitReader(endless{}, size), iotest.ErrReader(lost))
		st, err := target.Stage(t.Context(), "uid", cut)
		if err != lost {
			t.Errorf("after %d octets: error %v, want the reader's own", size, err)
		}
		if st != (deliver.Staged{}) {
			t.Errorf("after %d octets: %+v, want nothing", size, st)
		}
	}
	wantStaged(t, p)
	wantDelivered(t, p)
}

func batches(t *testing.T, p Place) {
	target := opened(t, p)
	var batch []deliver.Staged
	var want []string
	for i := range min(3, target.MaxBatch()) {
		message := strings.Repeat("x", i) + "\r\n"
		batch = append(batch, stage(t, target, "uid", message))
		want = append(want, message)
	}
	sync(t, target, batch...)
	publish(t, target, batch...)
	wantDelivered(t, p, want...)
	if got := target.Sync(t.Context(), nil); len(got) != 0 {
		t.Errorf("sync of nothing: %v", got)
	}
	if got := target.Publish(t.Context(), nil); len(got) != 0 {
		t.Errorf("publish of nothing: %v", got)
	}
}

func foreignNames(t *testing.T, p Place) {
	target := opened(t, p)
	for _, name := range []string{"", ".", "..", "../x", "/etc/passwd", "x", "a/b"} {
		batch := []deliver.Staged{{Name: name}}
		if target.Sync(t.Context(), batch)[0] == nil {
			t.Errorf("sync of %q: no error", name)
		}
		if target.Publish(t.Context(), batch)[0] == nil {
			t.Errorf("publish of %q: no error", name)
		}
		if target.Drop(batch) == nil {
			t.Errorf("drop of %q: no error", name)
		}
		if outcome, err := target.Settle(t.Context(), batch[0], 0); err == nil || outcome != deliver.Unsettled {
			t.Errorf("settle of %q: %v, %v", name, outcome, err)
		}
	}
}

func drop(t *testing.T, p Place) {
	target := opened(t, p)
	batch := []deliver.Staged{stage(t, target, "1", "a"), stage(t, target, "2", "b")}
	sync(t, target, batch[1])
	for range 2 { // what is not there any more is no error
		if err := target.Drop(batch); err != nil {
			t.Errorf("drop: %v", err)
		}
	}
	wantStaged(t, p)
	wantDelivered(t, p)
}

// Killed between the intent and the publishing.
func settleStaged(t *testing.T, p Place) {
	target := opened(t, p)
	st := stage(t, target, "1", "a\r\n")
	sync(t, target, st)
	again := p.Target()
	wantOutcome(t, again, st, time.Hour, deliver.Delivered)
	wantDelivered(t, p, "a\r\n")
	if err := again.Drop([]deliver.Staged{st}); err != nil {
		t.Error(err)
	}
	wantStaged(t, p)
}

// Killed between the publishing and the record. An MDA's spool file is there until the record,
// and the message is handed over once more.
func settlePublished(t *testing.T, p Place) {
	target := opened(t, p)
	st := stage(t, target, "1", "a\r\n")
	deliverOnly(t, target, st)
	wantOutcome(t, p.Target(), st, 100*time.Hour, deliver.Delivered)
	if p.Remembers {
		wantDelivered(t, p, "a\r\n")
	} else {
		wantDelivered(t, p, "a\r\n", "a\r\n")
	}
}

// S2: gone from everywhere.
func settleGone(t *testing.T, p Place) {
	target := opened(t, p)
	st := stage(t, target, "1", "a\r\n")
	sync(t, target, st)
	if err := target.Drop([]deliver.Staged{st}); err != nil {
		t.Fatal(err)
	}
	young := deliver.Again
	if p.Remembers {
		young = deliver.Delivered
	}
	again := p.Target()
	wantOutcome(t, again, st, 36*time.Hour-1, young)
	wantOutcome(t, again, st, 36*time.Hour, deliver.Again)
	wantDelivered(t, p)
}

func clean(t *testing.T, p Place) {
	earlier := opened(t, p)
	left, kept := stage(t, earlier, "1", "left"), stage(t, earlier, "2", "kept")
	sync(t, earlier, left, kept)
	later := opened(t, p)
	own := stage(t, later, "3", "own")
	keep := func(name string) bool { return name == kept.Name }
	for range 2 {
		if err := later.Clean(keep); err != nil {
			t.Fatal(err)
		}
		wantStaged(t, p, kept.Name, own.Name)
	}
	wantDelivered(t, p)
	sync(t, later, own)
}

func overlapped(t *testing.T, p Place) {
	target := opened(t, p)
	const count = 40
	staged := make(chan deliver.Staged, 3)
	go func() {
		defer close(staged)
		for range count {
			st, err := target.Stage(t.Context(), "uid", strings.NewReader("message\r\n"))
			if err != nil {
				t.Error(err)
				return
			}
			staged <- st
		}
	}()
	for st := range staged {
		deliverOne(t, target, st)
	}
	wantDelivered(t, p, slices.Repeat([]string{"message\r\n"}, count)...)
	wantStaged(t, p)
}

func opened(t testing.TB, p Place) deliver.Target {
	t.Helper()
	target := p.Target()
	if err := target.Open(t.Context()); err != nil {
		t.Fatalf("open: %v", err)
	}
	return target
}

func stage(t testing.TB, target deliver.Target, uid, message string) deliver.Staged {
	t.Helper()
	st, err := target.Stage(t.Context(), uid, strings.NewReader(message))
	if err != nil {
		t.Fatalf("stage: %v", err)
	}
	if st.UID != uid {
		t.Errorf("staged with UID %q, want %q", st.UID, uid)
	}
	return st
}

func sync(t testing.TB, target deliver.Target, batch ...deliver.Staged) {
	t.Helper()
	noErrors(t, "sync", len(batch), target.Sync(t.Context(), batch))
}

func publish(t testing.TB, target deliver.Target, batch ...deliver.Staged) {
	t.Helper()
	noErrors(t, "publish", len(batch), target.Publish(t.Context(), batch))
}

func noErrors(t testing.TB, step string, n int, errs []error) {
	t.Helper()
	if len(errs) != n {
		t.Fatalf("%s: %d answers for %d messages", step, len(errs), n)
	}
	for i, err := range errs {
		if err != nil {
			t.Fatalf("%s: message %d: %v", step, i, err)
		}
	}
}

func deliverOnly(t testing.TB, target deliver.Target, st deliver.Staged) {
	t.Helper()
	sync(t, target, st)
	publish(t, target, st)
}

func deliverOne(t testing.TB, target deliver.Target, st deliver.Staged) {
	t.Helper()
	deliverOnly(t, target, st)
	if err := target.Drop([]deliver.Staged{st}); err != nil {
		t.Fatalf("drop: %v", err)
	}
}

func wantOutcome(t testing.TB, target deliver.Target, st deliver.Staged, age time.Duration, want deliver.Outcome) {
	t.Helper()
	got, err := target.Settle(context.WithoutCancel(t.Context()), st, age)
	if err != nil || got != want {
		t.Errorf("settled at the age of %v: outcome %d, %v; want %d", age, got, err, want)
	}
}

func wantStaged(t testing.TB, p Place, names ...string) {
	t.Helper()
	got := slices.Sorted(slices.Values(p.Staged(t)))
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("staged are %q, want %q", got, names)
	}
}

// wantDelivered compares what readers find with messages as they came over the wire.
func wantDelivered(t testing.TB, p Place, messages ...string) {
	t.Helper()
	var want []string
	for _, message := range messages {
		sum := sha256.Sum256(p.converted(message))
		want = append(want, hex.EncodeToString(sum[:]))
	}
	wantSums(t, p, want)
}

func wantSums(t testing.TB, p Place, want []string) {
	t.Helper()
	got := p.Delivered(t)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d messages are delivered, want %d with the same SHA-256:\n%q\n%q", len(got), len(want), got, want)
	}
}

// converted is what readers find of a message.
func (p Place) converted(message string) []byte {
	if p.KeepsCRLF {
		return []byte(strings.ReplaceAll(p.Trace, "\n", "\r\n") + message)
	}
	return []byte(p.Trace + strings.ReplaceAll(message, "\r\n", "\n"))
}
