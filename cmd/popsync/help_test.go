package main

import (
	"strings"
	"testing"
)

// C9: at most 60 lines of 100 columns, an example first, everything named.
func TestHelp(t *testing.T) {
	app := newApp()
	texts := map[string]string{"": ""}
	for _, name := range helpNames(app) {
		texts[name] = name
	}
	for _, c := range app.Commands {
		for _, sub := range c.Subcommands {
			texts[c.Name+" "+sub.Name] = c.Name + " " + sub.Name
		}
	}
	for name, word := range texts {
		var b strings.Builder
		if err := runHelp(app, strings.Fields(word), &b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if len(lines) > 60 {
			t.Errorf("help %s has %d lines", name, len(lines))
		}
		for _, line := range lines {
			if len([]rune(line)) > 100 {
				t.Errorf("help %s has a line of %d columns: %s", name, len(line), line)
			}
		}
		if !strings.HasPrefix(lines[0]+lines[2], "  ") && !strings.HasPrefix(lines[2], "  ") {
			t.Errorf("help %s does not begin with an example:\n%s", name, b.String())
		}
	}
}

func TestHelpNamesEveryCommandAndTopic(t *testing.T) {
	app := newApp()
	var b strings.Builder
	if err := printHelp(&b, app); err != nil {
		t.Fatal(err)
	}
	for _, name := range helpNames(app) {
		if !strings.Contains(b.String(), "\n  "+name+" ") {
			t.Errorf("no %s in\n%s", name, b.String())
		}
	}
	if strings.Contains(b.String(), "__complete") {
		t.Error("the hidden command is listed")
	}
}
