package main

import (
	"encoding/json"
	"os"
	"strings"
)

// writeJSON writes every run's figures, durations in nanoseconds, to a file; to none where the
// name is empty.
func writeJSON(name, about string, results []result) error {
	if name == "" {
		return nil
	}
	raw, err := json.MarshalIndent(struct {
		About   []string `json:"about"`
		Results []result `json:"results"`
	}{strings.Split(strings.TrimSpace(about), "\n"), results}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(raw, '\n'), 0o644)
}
