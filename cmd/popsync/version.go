package main

import (
	"fmt"
	"io"
	"runtime/debug"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version string

// printVersion writes one line: popsync 1.2.3 (commit 0123456789ab, go1.26.8).
func printVersion(w io.Writer) error {
	_, err := fmt.Fprintln(w, thisVersion())
	return err
}

// thisVersion is the line of the program that runs.
func thisVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: "unknown Go"}
	}
	return versionLine(version, info)
}

func versionLine(version string, info *debug.BuildInfo) string {
	commit, changed := "unknown", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				changed = ", changed"
			}
		}
	}
	if version == "" {
		version = info.Main.Version
	}
	if version == "" {
		version = "(devel)"
	}
	return fmt.Sprintf("popsync %s (commit %s%s, %s)", version, commit, changed, info.GoVersion)
}
