package deliver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// openQuarantine is one whose parents are not there either.
func openQuarantine(t testing.TB) *Quarantine {
	t.Helper()
	q := NewQuarantine(MaildirOptions{
		Path:  filepath.Join(t.TempDir(), "state", "quarantine", "work"),
		Owner: NewOwner(testState),
	})
	if err := q.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return q
}

// D7: what an agent refused moves on byte by byte, with the line ends and the trace header that the
// agent was given.
func TestRefusedMessageMovesIntoTheQuarantine(t *testing.T) {
	for _, crlf := range []bool{false, true} {
		m := NewMDA(MDAOptions{
			Argv: []string{"/bin/false"}, Spool: filepath.Join(t.TempDir(), "spool"), CRLF: crlf, Owner: NewOwner(testState),
			Trace: func(uid string) string { return "X-UID: " + uid + "\n" },
		})
		if err := m.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused, err := handOver(t, m, "Subject: x\r\n\r\nbare\nand\r\r\n")
		wantError(t, err, Refused, "/bin/false: exit status 1", nil)
		handed := readAll(t, m.spool.path(refused.Name))

		spooled, err := m.Reader(refused)
		if err != nil {
			t.Fatal(err)
		}
		q := openQuarantine(t)
		st, err := q.Stage(t.Context(), refused.UID, spooled)
		if err := errors.Join(err, spooled.Close()); err != nil {
			t.Fatal(err)
		}
		if st.Size != refused.Size {
			t.Errorf("size %d, want %d", st.Size, refused.Size)
		}
		mustSync(t, q, []Staged{st})
		mustPublish(t, q, []Staged{st})
		if got := readAll(t, q.Where(st)); got != handed {
			t.Errorf("CRLF %v: set aside is %q, the agent was given %q", crlf, got, handed)
		}
	}
}

func TestReaderOfNothing(t *testing.T) {
	m := testMDA(t, "exit 0")
	batch := mustStage(t, m, "a")
	if err := m.Drop(batch); err != nil {
		t.Fatal(err)
	}
	for name, is := range map[string]error{batch[0].Name: fs.ErrNotExist, "../../etc/passwd": fs.ErrInvalid} {
		if _, err := m.Reader(Staged{Name: name}); !errors.Is(err, is) {
			t.Errorf("%s: error %v, want %v", name, err, is)
		}
	}
}

// The reason lies beside its message and is no message itself.
func TestReason(t *testing.T) {
	q := openQuarantine(t)
	batch := mustStage(t, q, "a")
	mustSync(t, q, batch)
	mustPublish(t, q, batch)
	for _, text := range []string{"first\n", "exit status 67 (no such user): no alice\n"} {
		if err := q.Reason(batch[0], text); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(q.path, "reason", batch[0].Name)
		if got := readAll(t, path); got != text {
			t.Errorf("reason %q, want %q", got, text)
		}
		wantMode(t, path, 0o600)
	}
	wantMode(t, q.sub("reason"), 0o700)
	wantCount(t, q.sub("reason"), 1)
	wantCount(t, q.sub("new"), 1)
	if err := q.Open(t.Context()); err != nil {
		t.Errorf("opened with reasons in it: %v", err)
	}
	if err := q.Reason(Staged{Name: "../x"}, "y"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("reason of ../x: error %v, want %v", err, fs.ErrInvalid)
	}
}

// What cannot be written down says where.
func TestReasonThatCannotBeWritten(t *testing.T) {
	q := openQuarantine(t)
	batch := mustStage(t, q, "a")
	defer func() {
		if err := q.Drop(batch); err != nil {
			t.Error(err)
		}
	}()
	if err := os.WriteFile(q.sub("reason"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if e, ok := errors.AsType[*Error](q.Reason(batch[0], "x")); !ok || e.Kind != Create || e.Error() != q.sub("reason")+": not a directory" {
		t.Errorf("error %v, want one that names %s", e, q.sub("reason"))
	}
}

func TestQuarantineInTheWay(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "quarantine")
	if err := os.WriteFile(parent, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	q := NewQuarantine(MaildirOptions{Path: filepath.Join(parent, "work"), Owner: NewOwner(testState)})
	wantError(t, q.Open(t.Context()), Create, parent+": not a directory", nil)
}

// S1: killed between the intent and the publishing, or before its record; the account may be gone.
func TestSettlingOfAQuarantine(t *testing.T) {
	q := openQuarantine(t)
	batch := mustStage(t, q, "staged", "published")
	mustSync(t, q, batch)
	mustPublish(t, q, batch[1:])
	if !IsQuarantine(q.Location()) || IsQuarantine(q.Maildir.Location()) || IsQuarantine("mda:/spool") {
		t.Errorf("%q is not told from the others", q.Location())
	}
	target, err := Settling(q.Location(), NewOwner(testState))
	if err != nil {
		t.Fatal(err)
	}
	if target.Location() != q.Location() {
		t.Errorf("location %q, want %q", target.Location(), q.Location())
	}
	for _, st := range batch {
		if outcome, err := target.Settle(t.Context(), st, time.Hour); err != nil || outcome != Delivered {
			t.Errorf("outcome %d, %v; want Delivered", outcome, err)
		}
	}
	wantCount(t, q.sub("new"), 2)
	wantCount(t, q.sub("tmp"), 0)
	if _, err := Settling("quarantine:relative", Owner{}); err == nil {
		t.Error("a relative path: no error")
	}
}

func readAll(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
