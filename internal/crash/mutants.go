package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"popsync/internal/crash/strace"
	"popsync/internal/realtest"
)

// mutants are built from popsync's sources, each with a known bug, and go through the stories of
// [power] until they do not outlive one. That each is caught shows that the harness can fail.
var mutants = campaign{
	name: "known-bad", what: "popsync with a known bug is caught by power cuts",
	needs: []string{"strace"},
	short: named, long: len(knownBad),
	run: func(ctx context.Context, e *env, trials int) (tally, error) {
		_, err := moduleRoot()
		if err = cmp.Or(err, strace.Available()); err != nil {
			return tally{}, cannot(err.Error())
		}
		hunts := make([]hunt, min(trials, len(knownBad)))
		found, err := e.each(ctx, len(hunts), storiesAtOnce, func(ctx context.Context, t *trial) (tally, error) {
			h := &hunts[t.n-1]
			h.mutant = knownBad[t.n-1]
			return h.run(ctx, t)
		})
		fmt.Fprint(e.out, huntTable(hunts))
		return found, err
	},
}

// A mutant is popsync with a bug.
type mutant struct {
	name  string
	does  string
	plot  plot // in which the bug shows
	edits []edit
}

// build makes the program into dir.
func (m mutant) build(dir string) (realtest.Popsync, error) {
	overlay, err := overlayOf(dir, m.edits)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.name, err)
	}
	out := filepath.Join(dir, "popsync")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-overlay", overlay, "-o", out, "popsync/cmd/popsync")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: build popsync: %w\n%s", m.name, err, said)
	}
	return realtest.Popsync(out), nil
}

// A hunt is the search for a story that a mutant does not outlive.
type hunt struct {
	mutant
	stories int
	cuts    int // until it was caught
	caught  *cut
}

// mostStories is how many stories a mutant may outlive before the harness has failed.
const mostStories = 40

func (h *hunt) run(ctx context.Context, t *trial) (found tally, err error) {
	popsync, err := h.build(t.dir)
	if err != nil {
		return found, err
	}
	e := *t.env
	e.popsync, e.out = popsync, io.Discard // what goes wrong is no news
	bad := *t
	bad.env = &e
	for h.caught == nil {
		if h.stories == mostStories {
			t.say("%s: not caught in %d stories with %d power cuts", h.name, h.stories, h.cuts)
			return tally{failed: 1}, nil
		}
		if err := h.tell(ctx, &bad); err != nil {
			return found, fmt.Errorf("%s: %w", h.name, err)
		}
	}
	found.did("mutants caught", 1)
	return found, nil
}

// tell tells one story, with some of its moments: another story is worth more than all of them.
func (h *hunt) tell(ctx context.Context, t *trial) error {
	s, err := t.told(ctx, h.plot, 3)
	h.stories++
	h.cuts += s.cuts
	h.caught = s.caught
	return err
}

// huntTable shows how soon each mutant was caught, and by what.
func huntTable(hunts []hunt) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutant\twhat it does\tpower cuts\tcaught by")
	for _, h := range hunts {
		if h.stories == 0 {
			continue
		}
		by := "NOTHING"
		if h.caught != nil {
			by = h.caught.found.broken()
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", h.name, h.does, h.cuts, by)
	}
	w.Flush() // into memory
	return b.String()
}

// broken names the promises that are broken, in the words of the tally.
func (t tally) broken() string {
	var names []string
	for _, promise := range []struct {
		name string
		n    int
	}{
		{"lost", t.lost},
		{"twice", t.twice},
		{"partial", t.partial},
		{"left over", t.left},
		{"server wrong", t.server},
		{"failed", t.failed},
	} {
		if promise.n > 0 {
			names = append(names, promise.name)
		}
	}
	return strings.Join(names, ", ")
}
