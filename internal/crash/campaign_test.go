package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestTrialCanBeRepeated(t *testing.T) {
	drawn := func(only int) map[int]uint64 {
		var mu sync.Mutex
		all := map[int]uint64{}
		e := &env{campaign: "c", seed: 7, only: only, dir: t.TempDir(), out: t.Output()}
		_, err := e.each(t.Context(), 5, 3, func(_ context.Context, tr *trial) (tally, error) {
			mu.Lock()
			defer mu.Unlock()
			all[tr.n] = tr.random.Uint64()
			return tally{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all, again := drawn(0), drawn(4)
	if len(all) != 5 || len(again) != 1 || all[4] != again[4] {
		t.Errorf("first %v, then %v", all, again)
	}
	if all[1] == all[2] {
		t.Error("two trials are made of the same")
	}
}

func TestViolationsAreToldAndKept(t *testing.T) {
	var out bytes.Buffer
	bad := campaign{name: "bad", short: 3, run: func(ctx context.Context, e *env, trials int) (tally, error) {
		return e.each(ctx, trials, 1, func(_ context.Context, tr *trial) (tally, error) {
			if tr.n == 2 {
				return tally{lost: 1}, nil
			}
			return tally{}, nil
		})
	}}
	absent := campaign{name: "absent", run: func(context.Context, *env, int) (tally, error) { return tally{}, cannot("no moon") }}
	dir := t.TempDir()
	err := runAll(t.Context(), options{popsync: "p", seed: 3, short: true}, []campaign{bad, absent}, dir, &out)
	if err == nil || !strings.Contains(err.Error(), "lost 1") {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{
		"again: go run ./internal/crash -popsync p -only bad -seed 3 -trial 2\n",
		"bad        WRONG: lost 1", "absent     skipped: no moon",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if left, err := os.ReadDir(dir + "/bad"); err != nil || len(left) != 1 || left[0].Name() != "2" {
		t.Errorf("%v, %v are left", left, err)
	}
}

func TestFailedTrialEndsTheCampaign(t *testing.T) {
	broken := errors.New("broken")
	e := &env{campaign: "c", dir: t.TempDir(), out: t.Output()}
	made := 0
	_, err := e.each(t.Context(), 1000, 1, func(context.Context, *trial) (tally, error) {
		made++
		return tally{}, broken
	})
	if !errors.Is(err, broken) || made > 2 {
		t.Errorf("%v after %d trials", err, made)
	}
}

func TestCampaignsAreChosenByName(t *testing.T) {
	chosen, err := choose("lines,kills")
	if err != nil || len(chosen) != 2 || chosen[0].name != "lines" || chosen[1].name != "kills" {
		t.Errorf("%v, %v", chosen, err)
	}
	if _, err := choose("lines,kill"); err == nil {
		t.Error("an unknown campaign is taken")
	}
	var names []string
	for _, c := range campaigns {
		names = append(names, c.name)
		if c.short < 1 || c.long < c.short || c.what == "" {
			t.Errorf("%s: %d, %d, %q", c.name, c.short, c.long, c.what)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("names are not unique: %v", names)
	}
}
