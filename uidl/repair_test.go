package uidl

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// S3: whatever octet is wrong, and wherever the file is cut, the repaired state is sound, holds
// nothing that was not there, and the damaged file is kept as it was.
func TestRepairedFileIsSound(t *testing.T) {
	file := grown(t, 160)
	whole := rescueOf(file)
	step := 997
	if testing.Short() {
		step = 9973
	}
	repairs := 0
	for at := 0; at < len(file); at += step {
		flipped := bytes.Clone(file)
		flipped[at] ^= 0xff
		for _, bad := range [][]byte{flipped, file[:at]} {
			if repairIsSound(t, bad, whole, at < 2*4096) {
				repairs++
			}
			if t.Failed() {
				t.Fatalf("octet %d", at)
			}
		}
	}
	if repairs == 0 {
		t.Error("nothing was repaired")
	}
}

// repairIsSound repairs a file, if that can be done, and finds nothing in it then that whole has not.
// Without its header the last transaction may be gone.
func repairIsSound(t *testing.T, bad []byte, whole *rescue, headless bool) (done bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := repairAt(t, path)
	if err != nil || r.Sound {
		if err != nil && !is[*DamageError](err) {
			t.Error(err)
		}
		if !bytes.Equal(readFile(t, path), bad) {
			t.Error("it was written to")
		}
		return false
	}
	if !bytes.Equal(readFile(t, r.Moved), bad) {
		t.Error("the damaged file has changed")
	}
	report, err := Verify(t.Context(), path, Options{})
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("the new state: %v, %v", report.Faults, err)
	}
	if names := rescueOf(readFile(t, path)).invented(whole); len(names) > 0 && !headless {
		t.Errorf("it holds %q", names)
	}
	return true
}
