package main

import (
	"fmt"
	"strings"
)

// A target is what popsync is to reach: a ratio to another contender of the same row, or a figure.
type target struct {
	row  string
	who  string
	of   measure
	unit string // of the figure, and which it is
	to   string // the other contender; "" for the figure itself
	most float64
}

// targets are all there are.
var targets = []target{
	{"small", "popsync", wall, "wall", "mpop", 0.8},
	{"small", "popsync", cpu, "CPU", "mpop", 1},
	{"small", "popsync", wall, "wall", "floor-write", 1.5},
	{"small-tls", "popsync", wall, "wall", "mpop", 0.8},
	{"small-tls", "popsync", cpu, "CPU", "mpop", 1},
	{"small-tls", "popsync", wall, "wall", "floor-write", 1.5},
	{"rtt-keep", "popsync", wall, "wall", "mpop", 0.5},
	{"rtt-keep", "popsync", wall, "wall", "fetchmail", 0.02},
	{"rtt-delete", "popsync", wall, "wall", "mpop", 0.5},
	{"rtt-delete", "popsync", wall, "wall", "fetchmail", 0.02},
	{"rtt-nopipe", "popsync", wall, "wall", arithmetic, 1.02},
	{"kept", "popsync", cpu, "CPU", "mpop", 1},
	{"kept-rtt", "popsync", wall, "wall", "fdm", 0.8},
	{"first20k", "popsync", wall, "s", "", 10},
	{"big", "popsync", wall, "wall", "mpop", 0.8},
	{"huge", "popsync", peak, "MB", "", 40},
	{"huge", "popsync", wall, "wall", "mpop", 1},
	{"accounts", "popsync", wall, "wall", "mpop", 0.15},
	{"accounts", "popsync-64", wall, "wall", "mpop", 0.05},
	{"agent", "popsync", wall, "wall", "mpop", 0.6},
}

// what says what is compared.
func (t target) what() string {
	if t.to == "" {
		return fmt.Sprintf("%s (%s)", t.who, t.unit)
	}
	return fmt.Sprintf("%s ÷ %s (%s)", t.who, t.to, t.unit)
}

// reached is the figure, if all that it takes was measured.
func (t target) reached(results []result) (float64, bool) {
	r, found := find(results, t.row, t.who)
	if !found {
		return 0, false
	}
	if t.to == "" {
		return r.median(t.of), true
	}
	o, found := find(results, t.row, t.to)
	if !found || o.median(t.of) == 0 {
		return 0, false
	}
	return r.median(t.of) / o.median(t.of), true
}

// targetTable shows those of the rows that were measured.
func targetTable(targets []target, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| row        | what                              | figure | at most | reached |\n")
	fmt.Fprintf(&b, "| ---------- | --------------------------------- | -----: | ------: | ------- |\n")
	for _, t := range targets {
		if !measured(results, t.row) {
			continue
		}
		shown, verdict := none, "not measured"
		if figure, found := t.reached(results); found {
			shown, verdict = fmt.Sprintf("%.3f", figure), "yes"
			if figure > t.most {
				verdict = "no"
			}
		}
		fmt.Fprintf(&b, "| %-10s | %-33s | %6s | %7g | %-7s |\n", t.row, t.what(), shown, t.most, verdict)
	}
	return b.String()
}

func measured(results []result, row string) bool {
	for _, r := range results {
		if r.Row == row {
			return true
		}
	}
	return false
}
