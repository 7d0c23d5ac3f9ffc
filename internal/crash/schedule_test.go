package main

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// S1, S2, S4, S5, R4: whatever is done to one mailbox, in whatever order. What a failure is about is
// what rapid leaves over of it; `make crash ONLY=schedules` makes more.
func TestAnyScheduleKeepsThePromises(t *testing.T) {
	e := &env{popsync: build(t), campaign: "schedules", dir: t.TempDir(), out: t.Output()}
	if !flagGiven("rapid.checks") {
		setFlag(t, "rapid.checks", "12")
	}
	setFlag(t, "rapid.nofailfile", "true")
	tries := 0
	rapid.Check(t, func(t *rapid.T) {
		s := schedule(rapid.SliceOfN(rapid.Custom(drawTurn), 1, 10).Draw(t, "schedule"))
		tries++
		trial := &trial{env: e, n: tries, random: e.randomOf(1), dir: filepath.Join(e.dir, strconv.Itoa(tries))}
		if err := os.Mkdir(trial.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		found, err := s.run(t.Context(), trial)
		if err != nil {
			t.Fatal(err)
		}
		if found.violations() > 0 {
			t.Fatalf("%s; %v", found.wrong(), s)
		}
	})
}

func drawTurn(t *rapid.T) turn {
	return turn{
		rapid.SampledFrom(kinds).Draw(t, "kind"),
		rapid.IntRange(0, turnRange-1).Draw(t, "a"),
		rapid.IntRange(0, turnRange-1).Draw(t, "b"),
	}
}

func flagGiven(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

func setFlag(t testing.TB, name, value string) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flag.Set(name, before) })
}
