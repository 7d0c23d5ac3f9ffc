package disk

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newSite(t *testing.T) (*Site, string) {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := NewSite(root, filepath.Join(dir, "shelf"))
	if err != nil {
		t.Fatal(err)
	}
	return s, root
}

func build(t *testing.T, s *Site, tree Tree) {
	t.Helper()
	if err := s.Build(tree); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *Site) Tree {
	t.Helper()
	tree, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestSiteHoldsWhatWasBuilt(t *testing.T) {
	s, _ := newSite(t)
	for _, want := range []shape{
		{"Maildir/": "", "Maildir/tmp/": "", "Maildir/tmp/a": "mail", "b": "old"},
		{"Maildir/": "", "b": "new"},
		{},
		{"Maildir/": "", "Maildir/tmp/": ""},
	} {
		build(t, s, want.tree())
		if diff := cmp.Diff(want, shapeOf(read(t, s))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestSocketsAreLeftAsTheirOwnersDied(t *testing.T) {
	s, root := newSite(t)
	build(t, s, Tree{"sock": {Mode: fs.ModeSocket | 0o600}})
	if _, err := net.Dial("unix", filepath.Join(root, "sock")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want %v", err, syscall.ECONNREFUSED)
	}
	if got := read(t, s)["sock"].Mode.Type(); got != fs.ModeSocket {
		t.Errorf("it is %v", got)
	}
	build(t, s, nil)
	if got := read(t, s); len(got) != 0 {
		t.Errorf("then there is\n%v", got)
	}
}
