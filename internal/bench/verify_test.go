package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"popsync/internal/realtest"
)

// delivered is a row of three messages, and a lane with all of them in its Maildir.
func delivered(t *testing.T, c contender) (*lane, []realtest.Message) {
	t.Helper()
	w := workload{name: "row", accounts: 1, messages: 3, size: 2000}
	r := &row{ground: &ground{}, workload: w, sent: map[string]realtest.Census{"user0001": {}}}
	for _, m := range w.mail(0) {
		r.sent["user0001"][m.Sum()]++
	}
	l := &lane{contender: c, errand: errand{dir: t.TempDir(), users: w.users()}, want: r.expected(c)}
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(l.errand.maildir("user0001"), sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range w.mail(0) {
		var raw bytes.Buffer
		if _, err := m.WriteTo(&raw); err != nil {
			t.Fatal(err)
		}
		put(t, l, "new", string(rune('a'+i)), raw.Bytes())
	}
	return l, w.mail(0)
}

func put(t *testing.T, l *lane, sub, name string, msg []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.errand.maildir("user0001"), sub, name), msg, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestIncompleteDeliveryIsNoticed(t *testing.T) {
	for _, test := range []struct {
		name string
		does func(t *testing.T, l *lane, msg []byte) // msg lies in new/a
		want string                                  // in the error; "": there is none
	}{
		{"all is there", func(*testing.T, *lane, []byte) {}, ""},
		{"in cur/, with CRLF", func(t *testing.T, l *lane, msg []byte) {
			os.Remove(filepath.Join(l.errand.inbox("user0001"), "a"))
			put(t, l, "cur", "a:2,S", bytes.ReplaceAll(msg, []byte("\n"), []byte("\r\n")))
		}, ""},
		{"one is missing", func(t *testing.T, l *lane, _ []byte) {
			os.Remove(filepath.Join(l.errand.inbox("user0001"), "a"))
		}, "1 are lost"},
		{"one is there twice", func(t *testing.T, l *lane, msg []byte) { put(t, l, "new", "again", msg) }, "1 came too often"},
		{"an octet is another", func(t *testing.T, l *lane, msg []byte) {
			msg[len(msg)/2] ^= 1
			put(t, l, "new", "a", msg)
		}, "1 are lost, 0 came too often; 1 are there that nobody sent"},
		{"one is cut short", func(t *testing.T, l *lane, msg []byte) { put(t, l, "new", "a", msg[:len(msg)-1]) }, "1 are lost"},
		{"a header more", func(t *testing.T, l *lane, msg []byte) {
			put(t, l, "new", "a", append([]byte("Received: x\n"), msg...))
		}, "1 are lost"},
		{"one is half done", func(t *testing.T, l *lane, msg []byte) { put(t, l, "tmp", "b", msg[:10]) }, "1 files are left in tmp/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, _ := delivered(t, popsync)
			msg, err := os.ReadFile(filepath.Join(l.errand.inbox("user0001"), "a"))
			if err != nil {
				t.Fatal(err)
			}
			test.does(t, l, msg)
			err = l.arrived(l.want)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNothingMayComeWhereNothingIsNew(t *testing.T) {
	l, _ := delivered(t, popsync)
	if err := l.arrived(nil); err == nil {
		t.Error("three messages are no surprise")
	}
	if err := l.empty(); err != nil {
		t.Fatal(err)
	}
	if err := l.arrived(nil); err != nil {
		t.Error(err)
	}
}

func TestChangesOfAContenderAreExactlyThose(t *testing.T) {
	shout := contender{name: "shout", makes: bytes.ToUpper}
	l, messages := delivered(t, shout)
	if l.arrived(l.want) == nil {
		t.Error("unchanged messages are taken for changed ones")
	}
	for i, m := range messages {
		var raw bytes.Buffer
		m.WriteTo(&raw)
		put(t, l, "new", string(rune('a'+i)), bytes.ToUpper(raw.Bytes()))
	}
	if err := l.arrived(l.want); err != nil {
		t.Error(err)
	}
}

func TestDiscardedIsNotDelivered(t *testing.T) {
	l, _ := delivered(t, floorRead)
	if l.arrived(l.want) == nil {
		t.Error("what was to be thrown away may be there")
	}
}
