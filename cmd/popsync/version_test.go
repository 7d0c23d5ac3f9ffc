package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionLine(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.9.0"}}
	if got, want := versionLine("", info), "popsync v0.9.0 (commit unknown, go1.26.8)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	info.Settings = []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
	}
	if got, want := versionLine("1.0.0", info), "popsync 1.0.0 (commit 0123456789ab, changed, go1.26.8)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
