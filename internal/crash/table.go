package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// A result is what came of a campaign.
type result struct {
	campaign
	tally
	took    time.Duration
	skipped cannot
	err     error
}

// String is a line of its own, for those who wait.
func (r result) String() string {
	switch {
	case r.skipped != "":
		return fmt.Sprintf("%-10s skipped: %v", r.name, string(r.skipped))
	case r.err != nil:
		return fmt.Sprintf("%-10s broken off: %v", r.name, r.err)
	case r.tally.violations() > 0:
		return fmt.Sprintf("%-10s WRONG: %s", r.name, r.tally.wrong())
	}
	return fmt.Sprintf("%-10s good: %d trials in %v", r.name, r.tally.trials, r.took.Round(time.Second/10))
}

// table shows the results, and what they come to.
func table(results []result) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "campaign\ttrials\tmessages\tlost\ttwice\tto an agent\tpartial\tleft over\tserver wrong\tfailed\t")
	var total tally
	for _, r := range results {
		if r.skipped != "" {
			fmt.Fprintf(w, "%s\tskipped\t\t\t\t\t\t\t\t\t\n", r.name)
			continue
		}
		row(w, r.name, r.tally)
		total.add(r.tally)
	}
	row(w, "all", total)
	w.Flush() // into memory
	return withoutBlanks(b.String()) + "\n" + whatWasDone(results)
}

// withoutBlanks is text without those at the ends of its lines.
func withoutBlanks(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

func row(w *tabwriter.Writer, name string, t tally) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n",
		name, t.trials, t.messages, t.lost, t.twice, t.again, t.partial, t.left, t.server, t.failed)
}

// whatWasDone lists it campaign by campaign.
func whatWasDone(results []result) string {
	var b strings.Builder
	for _, r := range results {
		switch {
		case r.skipped != "":
			fmt.Fprintf(&b, "%s: skipped: %s\n", r.name, string(r.skipped))
		default:
			fmt.Fprintf(&b, "%s: %v\n", r.name, r.tally.done)
		}
	}
	return b.String()
}
