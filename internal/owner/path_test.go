package owner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPathLiesBesideTheState(t *testing.T) {
	dir := realTemp(t)
	write(t, filepath.Join(dir, "state.db"))
	for _, link := range [][2]string{{".", "loop"}, {"state.db", "second.db"}} {
		if err := os.Symlink(link[0], filepath.Join(dir, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, tt := range []struct{ name, state, want string }{
		{"a state", filepath.Join(dir, "state.db"), "state.db.sock"},
		{"one that is not there yet", filepath.Join(dir, "new.db"), "new.db.sock"},
		{"a relative path", "state.db", "state.db.sock"},
		{"through a link to its folder", filepath.Join(dir, "loop", "state.db"), "state.db.sock"},
		{"through a link to its folder, not there yet", "loop/loop/new.db", "new.db.sock"},
		{"through a link to itself", "second.db", "state.db.sock"},
		{"blanks and 8-bit octets", "a st\xe4te \xff.db", "a st\xe4te \xff.db.sock"},
	} {
		got, err := Path(tt.state, "")
		if want := filepath.Join(dir, tt.want); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, want)
		}
	}
}

func TestPathThatIsTooLongLiesInTheRuntimeFolder(t *testing.T) {
	dir := realTemp(t)
	deep := filepath.Join(dir, strings.Repeat("d", maxPath))
	if err := os.Mkdir(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(deep, filepath.Join(dir, "short")); err != nil {
		t.Fatal(err)
	}
	a, err := Path(filepath.Join(deep, "state.db"), "/run/user/1000")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := filepath.Match("/run/user/1000/popsync-????????????????????????????????.sock", a); !ok {
		t.Errorf("a long path's socket is %s", a)
	}
	if b, err := Path(filepath.Join(dir, "short", "state.db"), "/run/user/1000"); b != a || err != nil {
		t.Errorf("by a short name of the same state: %s, %v; want %s", b, err, a)
	}
	if b, err := Path(filepath.Join(deep, "other.db"), "/run/user/1000"); b == a || err != nil {
		t.Errorf("another state: %s, %v", b, err)
	}
	for _, tt := range []struct{ name, runtimeDir, want string }{
		{"no runtime folder", "", "set XDG_RUNTIME_DIR"},
		{"a relative one", "run", "set XDG_RUNTIME_DIR"},
		{"one that is too long", "/" + strings.Repeat("r", maxPath), "to a shorter path"},
	} {
		if got, err := Path(filepath.Join(deep, "state.db"), tt.runtimeDir); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, %v; want an error that says %q", tt.name, got, err, tt.want)
		}
	}
}

// The longest path that Path says can be listened at; one octet more goes elsewhere.
func TestLongestPath(t *testing.T) {
	dir := realTemp(t)
	name := strings.Repeat("s", maxPath-len(dir)-len("/.sock"))
	path, err := Path(filepath.Join(dir, name), "")
	if err != nil || len(path) != maxPath {
		t.Fatalf("%d octets, %v", len(path), err)
	}
	serve(t, path, generous, echo)
	dialled(t, path)
	if path, err := Path(filepath.Join(dir, name+"s"), "/run"); err != nil || filepath.Dir(path) != "/run" {
		t.Errorf("one octet more: %s, %v", path, err)
	}
}

func TestPathOfNothing(t *testing.T) {
	dir := realTemp(t)
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"dangling", "no/folder/state.db"} {
		if got, err := Path(filepath.Join(dir, state), "/run"); !os.IsNotExist(err) {
			t.Errorf("%s: %q, %v", state, got, err)
		}
	}
}

// realTemp is a folder with a short path and no link in it.
func realTemp(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(filepath.Dir(socketPath(t)))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t testing.TB, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
}
