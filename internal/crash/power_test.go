package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"popsync/internal/crash/strace"
)

// The sources change, and a mutant that does not follow would be popsync as it is.
func TestMutantsFitTheSources(t *testing.T) {
	for _, m := range knownBad {
		t.Run(m.name, func(t *testing.T) {
			overlay, err := overlayOf(t.TempDir(), m.edits)
			if err != nil {
				t.Fatal(err)
			}
			if said, err := os.ReadFile(overlay); err != nil || bytes.Count(said, []byte(".go\":")) == 0 {
				t.Errorf("%s, %v", said, err)
			}
		})
	}
}

func TestEditThatDoesNotFitIsAnError(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "source.go")
	if err := os.WriteFile(source, []byte("one two two"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "edited.go")
	for old, times := range map[string]string{"two": "2 times", "three": "0 times"} {
		err := edit{file: "source.go", old: old}.apply(source, to)
		if err == nil || !strings.Contains(err.Error(), times) {
			t.Errorf("%q: %v, want %s", old, err, times)
		}
	}
	if err := (edit{file: "source.go", old: "one", new: "three"}).apply(source, to); err != nil {
		t.Error(err)
	}
	if edited, err := os.ReadFile(to); err != nil || string(edited) != "three two two" {
		t.Errorf("%q, %v", edited, err)
	}
}

// Before its QUIT is sent a user's messages are all there, whatever others have sent.
func TestQuitIsOfOneUser(t *testing.T) {
	const first, second = "TCP:[127.0.0.1:1->127.0.0.1:110]", "TCP:[127.0.0.1:2->127.0.0.1:110]"
	talk := func(connection, said string) strace.Op {
		return strace.Op{Call: "write", Path: connection, Data: []byte(said)}
	}
	ops := []strace.Op{talk(first, "USER alice\r\nPASS x\r\n"), talk(second, "USER bob\r\n")}
	r := &recording{users: logIns(ops), mail: map[string]mailbox{
		"alice": {deleted: map[string]bool{"uid": true}},
		"bob":   {},
	}}
	for _, test := range []struct {
		op   strace.Op
		want string
	}{
		{talk(first, "DELE 1\r\nQUIT\r\n"), "alice"},
		{talk(first, "DELE 1\r\n"), ""},
		{talk(second, "QUIT\r\n"), ""}, // nothing was to be deleted
		{strace.Op{Call: "read", Path: first, Data: []byte("QUIT\r\n")}, ""},
		{strace.Op{Call: "write", Path: "/var/log/mail", Data: []byte("QUIT\r\n")}, ""},
	} {
		if got := r.quits(test.op); got != test.want {
			t.Errorf("%s %q: of %q, want %q", test.op.Call, test.op.Data, got, test.want)
		}
	}
}
