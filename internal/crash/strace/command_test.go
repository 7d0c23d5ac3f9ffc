package strace

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/internal/realtest"
)

func needStrace(t *testing.T) {
	t.Helper()
	realtest.Need(t, "strace")
	if err := Available(); err != nil {
		t.Skip(err)
	}
}

// The log of a real run says what the program did; strace of another version may write it otherwise.
func TestShellIsFollowed(t *testing.T) {
	needStrace(t)
	dir := t.TempDir()
	name := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command("/bin/sh", "-c", `printf 'h\303\274, "(<' >a; /bin/mv a b; kill -9 $$`)
	cmd.Dir = dir
	if err := (Command{Data: true}).Wrap(cmd, name); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err == nil {
		t.Error("strace does not tell that its program was killed")
	}
	log, err := ReadFile(name, dir)
	if err != nil {
		t.Fatal(err)
	}

	var did []string
	for _, op := range log.Ops {
		call, _, _ := strings.Cut(op.Call, "at") // of openat, renameat, renameat2
		switch {
		case !op.OK() || !strings.HasPrefix(op.Path, dir):
		case call == "open", call == "write", call == "rename":
			did = append(did, strings.ReplaceAll(call+" "+op.Path+" "+op.To+" "+string(op.Done()), dir, "."))
		}
	}
	want := []string{"open ./a  ", `write ./a  hü, "(<`, "rename ./a ./b "}
	if diff := cmp.Diff(want, did); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(log.Exits) != 2 || log.Exits[0].Signal != "" || log.Exits[1].Signal != "SIGKILL" {
		t.Errorf("exits %+v", log.Exits)
	}
}

func TestLogWithoutDataHasLengths(t *testing.T) {
	needStrace(t)
	name := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command("/bin/sh", "-c", "echo some >file")
	cmd.Dir = t.TempDir()
	if err := (Command{}).Wrap(cmd, name); err != nil {
		t.Fatal(err)
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	log, err := ReadFile(name, cmd.Dir)
	if err != nil {
		t.Fatal(err)
	}
	write := log.Ops[slices.IndexFunc(log.Ops, func(o Op) bool { return o.Call == "write" })]
	if write.Path != filepath.Join(cmd.Dir, "file") || write.Length != 5 || write.Result != 5 || write.Data != nil {
		t.Errorf("%+v", write)
	}
}
