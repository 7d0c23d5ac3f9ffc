package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An edit takes one text of a source for another. The old one has to be there exactly once: an edit
// that changes nothing would prove nothing.
type edit struct {
	file     string // below the module's root
	old, new string
}

// overlayOf writes the edited sources into dir, and what tells `go build` of them.
func overlayOf(dir string, edits []edit) (overlay string, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for _, e := range edits {
		source := filepath.Join(root, e.file)
		edited := filepath.Join(dir, strings.ReplaceAll(e.file, "/", "_"))
		from := source
		if _, again := replace[source]; again {
			from = edited
		}
		if err := e.apply(from, edited); err != nil {
			return "", err
		}
		replace[source] = edited
	}
	said, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, said, 0o600)
}

// apply writes the file from, edited, to another one.
func (e edit) apply(from, to string) error {
	source, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if n := bytes.Count(source, []byte(e.old)); n != 1 {
		return fmt.Errorf("%s: %q is there %d times, not once: the sources have changed, and the mutant has to follow", e.file, e.old, n)
	}
	return os.WriteFile(to, bytes.Replace(source, []byte(e.old), []byte(e.new), 1), 0o600)
}

// moduleRoot is the folder of popsync's go.mod.
func moduleRoot() (string, error) {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(gomod)))
	if _, err := os.Stat(filepath.Join(root, "cmd", "popsync")); err != nil {
		return "", fmt.Errorf("not within popsync's sources: %w", err)
	}
	return root, nil
}
