package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"popsync/internal/realtest"
)

// TestMain also is what children are started from.
func TestMain(m *testing.M) {
	if status, hidden := hiddenMode(os.Args[1:]); hidden {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestSmallBenchmark(t *testing.T) {
	realtest.Need(t, "dovecot")
	program, err := realtest.Build(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []options{
		{only: "small-tls,agent"},
		{only: "rtt-delete,rtt-nopipe,kept", who: "popsync,floor-write"}, // others wait too long
	} {
		o.popsync, o.scale, o.runs, o.budget = string(program), 0.002, 1, time.Minute
		o.dir, o.json = os.TempDir(), filepath.Join(t.TempDir(), "figures.json")
		var out bytes.Buffer
		if err := bench(t.Context(), o, &out, t.Output()); err != nil {
			t.Errorf("%v\n%s", err, &out)
		}
		t.Logf("\n%s", &out)
		wantFigures(t, o)
	}
}

// wantFigures wants those of everybody who takes part and is installed.
func wantFigures(t *testing.T, o options) {
	t.Helper()
	raw, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var figures struct{ Results []result }
	if err := json.Unmarshal(raw, &figures); err != nil {
		t.Fatal(err)
	}
	rows, err := choose(o.only)
	if err != nil {
		t.Fatal(err)
	}
	missing := absent()
	for _, w := range rows {
		for _, who := range w.who {
			if _, found := find(figures.Results, w.name, who); !found && o.takes(who) && missing[who] == "" {
				t.Errorf("%s: %s has no figures", w.name, who)
			}
		}
	}
}

func TestRowsAndContendersAreChosenByName(t *testing.T) {
	chosen, err := choose("kept,small")
	if err != nil || len(chosen) != 2 || chosen[0].name != "kept" || chosen[1].name != "small" {
		t.Errorf("%v, %v", chosen, err)
	}
	if _, err := choose("kept,smal"); err == nil {
		t.Error("an unknown row is taken")
	}
	if err := known("popsync,mpop"); err != nil {
		t.Error(err)
	}
	if known("popsync,mpopp") == nil {
		t.Error("an unknown contender is taken")
	}
}

func TestRowsAndTargetsNameWhatThereIs(t *testing.T) {
	has := func(name string) bool {
		return slices.ContainsFunc(contenders, func(c contender) bool { return c.name == name })
	}
	takesPart := map[string][]string{}
	for _, w := range workloads {
		all := slices.Concat(w.who, w.others)
		for _, who := range all {
			if !has(who) {
				t.Errorf("%s: there is no contender %s", w.name, who)
			}
		}
		if takesPart[w.name] != nil || w.what == "" || w.accounts < 1 || w.messages < 1 || w.size < 1 {
			t.Errorf("%s: there twice, or not complete", w.name)
		}
		if w.waits != nil {
			all = append(all, arithmetic)
		}
		takesPart[w.name] = all
	}
	for _, target := range targets {
		in := takesPart[target.row]
		if !slices.Contains(in, target.who) || target.to != "" && !slices.Contains(in, target.to) {
			t.Errorf("target %s: %s: not in the row", target.row, target.what())
		}
	}
}

func TestScaledIsNeverMore(t *testing.T) {
	for _, w := range workloads {
		for _, part := range []float64{1e-6, 0.05, 0.5, 1, 2} {
			s := w.scaled(part)
			if s.accounts > w.accounts || s.messages > w.messages || s.size > w.size || s.accounts*s.messages < 1 || s.size < 100 {
				t.Errorf("%s by %g: %d accounts of %d messages of %d octets", w.name, part, s.accounts, s.messages, s.size)
			}
		}
	}
}

func TestWaitsOfOneAtATime(t *testing.T) {
	if got := oneAtATime(workload{messages: 50}); got != 57 {
		t.Errorf("%d waits, want 57", got)
	}
}
