package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"popsync/internal/samples"
	"popsync/internal/term"
)

// demonstrate runs the demo with a popsync that is right or wrong in one way.
func demonstrate(t *testing.T, mode string) (string, error) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv(fakeMode, mode)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits a second by default
	var out bytes.Buffer
	err = run(t.Context(), program, term.Screen{Writer: &out})
	return out.String(), err
}

func TestDemoOfAGoodProgram(t *testing.T) {
	out, err := demonstrate(t, "works")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"fetch --config", "会議の日程について", "16 of 16 files", "All is well: 16 messages"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestDemoNoticesWhatIsWrong(t *testing.T) {
	tests := []struct{ mode, want string }{
		{"fails", "step 3: "},
		{"loses one", "step 3: 13 new and 14 fetched"},
		{"leaves one in tmp", "step 3: .*was left there"},
		{"drops a byte", "step 5: message 01-plain is there 0 times"},
		{"fetches twice", "step 6: 0 new and 14 fetched"},
		{"deletes", "step 8: session 1: TLS true, QUIT true, deleted 14"},
		{"says no QUIT", "step 8: session 1: TLS true, QUIT false"},
	}
	for _, test := range tests {
		t.Run(test.mode, func(t *testing.T) {
			out, err := demonstrate(t, test.mode)
			if err == nil || !regexp.MustCompile(test.want).MatchString(err.Error()) {
				t.Errorf("got %v, want %q\n%s", err, test.want, out)
			}
			if !strings.Contains(out, "$ rm -r ") {
				t.Errorf("nothing on what stays in\n%s", out)
			}
		})
	}
}

func TestDemoNamesItsFolder(t *testing.T) {
	out, err := demonstrate(t, "works")
	if err != nil {
		t.Fatal(err)
	}
	folder := regexp.MustCompile(`(?m)^   \$ rm -r (\S+)$`).FindStringSubmatch(out)
	if folder == nil {
		t.Fatalf("no rm -r in\n%s", out)
	}
	info, err := os.Stat(filepath.Join(folder[1], "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("config.yaml has mode %v", info.Mode())
	}
}

func TestCompare(t *testing.T) {
	held := []samples.Sample{{Name: "a", Raw: []byte("a\r\n")}, {Name: "b", Raw: []byte("b\r\n.\r\n")}}
	a, b := newFile("1", []byte("a\n")), newFile("2", []byte("b\n.\n"))
	tests := []struct {
		name  string
		files []file
		want  string
	}{
		{"each once", []file{b, a}, ""},
		{"one missing", []file{a}, "message b is there 0 times"},
		{"one twice", []file{a, b, a}, "message a is there 2 times"},
		{"a stranger", []file{a, b, newFile("3", []byte("c\n"))}, "file 3 is no message of the server"},
		{"CRLF left", []file{a, newFile("2", []byte("b\r\n.\r\n"))}, "message b is there 0 times\nfile 2 is no message of the server"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := compare(test.files, held); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{"/tmp/a-b_1": "/tmp/a-b_1", "a b": "'a b'", "it's": `'it'\''s'`} {
		if got := quote(arg); got != want {
			t.Errorf("%q: got %s, want %s", arg, got, want)
		}
	}
}
