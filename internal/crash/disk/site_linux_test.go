package disk

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A folder that a tree had is the same one when it comes back, whatever was built in between and
// whatever a program left in it.
func TestFoldersKeepTheirInodes(t *testing.T) {
	s, root := newSite(t)
	build(t, s, shape{"Maildir/": "", "Maildir/tmp/": "", "Maildir/new/": ""}.tree())
	first := read(t, s)
	birth := birthOf(t, filepath.Join(root, "Maildir", "tmp"))
	for range 3 {
		build(t, s, nil)
		build(t, s, shape{"Maildir/": "", "Maildir/tmp/": "", "Maildir/tmp/strange": ""}.tree()) // another one
		build(t, s, first)
		if err := os.WriteFile(filepath.Join(root, "Maildir", "tmp", "left"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		build(t, s, first)
		if diff := cmp.Diff(first, read(t, s)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	if again := birthOf(t, filepath.Join(root, "Maildir", "tmp")); again != birth {
		t.Errorf("created at %v, and now at %v", birth, again)
	}
}

func birthOf(t *testing.T, path string) unix.StatxTimestamp {
	t.Helper()
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st); err != nil {
		t.Fatal(err)
	}
	return st.Btime
}
