package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"popsync/internal/secret/secrettest"
)

// A search that finds nothing has to be able to find something.
func TestSearch(t *testing.T) {
	secret := "Pw7-" + secrettest.Mark
	plain := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + secret))
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("one\nC: PASS "+secret+"\nthree\nC: "+plain+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found, lines, err := search(file)
	if err != nil || lines != 4 || len(found) != 2 {
		t.Errorf("found %d in %d lines: %v", len(found), lines, err)
	}
}
