package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What people are told of the harness is what it does.
func TestPageHasEveryCampaign(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range campaigns {
		if !strings.Contains(string(page), "\n| `"+c.name+"` | ") {
			t.Errorf("docs/reliability.md does not describe the campaign %s", c.name)
		}
	}
	bad := slices.Clone(knownBad)
	for _, m := range carelessMutants {
		bad = append(bad, m.mutant)
	}
	for _, m := range bad {
		if !strings.Contains(string(page), "\n| "+m.name+" | ") {
			t.Errorf("docs/reliability.md does not name the known bug %q", m.name)
		}
	}
}
