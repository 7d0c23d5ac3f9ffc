// Bench measures popsync beside the programs that do the same, on one machine, against a real
// Dovecot, and prints one table.
//
//	go run ./internal/bench [-popsync FILE] [-only ROW,…] [-who CONTENDER,…] [-runs N] [-scale F] [-all] [-json FILE]
//
// Each row of the table is a workload (workload.go); -list lists them. Its contenders take turns,
// A B C A B C …, after a round that is not counted, so that whatever else goes on hits all of them.
// What each has delivered is compared with what the server holds, octet by octet: a run that is
// not complete is an error and has no figure. Beside the programs stand two floors (floor.go): what
// nobody is below who reads the mail, or reads and stores it.
//
// All contenders run as one unprivileged user, in a folder of their own and with next to no
// environment, and are measured alike (launch.go). A program that is not installed is
// left out, and the output says so. A contender whose run takes long makes fewer of them.
//
// A failed run ends the program with status 1. A target that is missed does not: it is told.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if status, hidden := hiddenMode(os.Args[1:]); hidden {
		os.Exit(status)
	}
	var o options
	flag.StringVar(&o.popsync, "popsync", "build/popsync", "the built program")
	flag.StringVar(&o.only, "only", "", "the rows to measure, separated by commas; all if it is empty")
	flag.StringVar(&o.who, "who", "", "the contenders that take part, separated by commas; all if it is empty")
	flag.IntVar(&o.runs, "runs", 5, "counted runs of each contender")
	flag.Float64Var(&o.scale, "scale", 1, "how much of each workload: less than 1 for a try")
	flag.BoolVar(&o.all, "all", false, "also contenders that take minutes")
	flag.DurationVar(&o.budget, "budget", 10*time.Minute, "time for the rounds of one row: none but the first counted one begins later")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "the folder for all files; it decides which file system is measured")
	flag.StringVar(&o.json, "json", "", "write every run's figures to this file")
	list := flag.Bool("list", false, "list the rows")
	flag.Parse()
	if *list {
		listWorkloads(os.Stdout)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// hiddenMode is what a process does that this program has started from its own file.
func hiddenMode(args []string) (status int, hidden bool) {
	modes := map[string]func([]string) error{measureMode: measureHere, floorMode: floorHere}
	if len(args) == 0 || modes[args[0]] == nil {
		return 0, false
	}
	if err := modes[args[0]](args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", args[0], err)
		return 1, true
	}
	return 0, true
}

// options are those of the command line.
type options struct {
	popsync string
	only    string
	who     string
	runs    int
	scale   float64
	all     bool
	budget  time.Duration
	dir     string
	json    string
}

func listWorkloads(out io.Writer) {
	for _, w := range workloads {
		fmt.Fprintf(out, "%-10s %s\n", w.name, w.what)
	}
}

// choose is the workloads of a list of names; all for an empty one.
func choose(names string) ([]workload, error) {
	if names == "" {
		return workloads, nil
	}
	var chosen []workload
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no row %q; -list lists them", name)
		}
		chosen = append(chosen, workloads[i])
	}
	return chosen, nil
}

// known is an error that names what is no contender in a list of them.
func known(names string) error {
	for name := range strings.SplitSeq(names, ",") {
		if name != "" && !slices.ContainsFunc(contenders, func(c contender) bool { return c.name == name }) {
			return fmt.Errorf("there is no contender %q", name)
		}
	}
	return nil
}

// bench measures what o says. The table goes to out, and to progress what goes on.
func bench(ctx context.Context, o options, out, progress io.Writer) (err error) {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	if err := known(o.who); err != nil {
		return err
	}
	if o.runs < 1 {
		return errors.New("-runs has to be 1 or more")
	}
	g, err := furnish(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.clear()) }()
	g.progress = progress
	about := g.about()
	fmt.Fprint(out, about, "\n", tableHead)
	results, err := g.measureAll(ctx, chosen, out)
	failed := failures(results)
	fmt.Fprint(out, "\n", targetTable(targets, results), "\n", perAccount(results), notes())
	if failed != nil {
		fmt.Fprintf(out, "\nFAILED:\n%v\n", failed)
	}
	return errors.Join(err, writeJSON(o.json, about, results), failed)
}

// measureAll measures the rows and shows each once it is over. An interrupted one has no results.
func (g *ground) measureAll(ctx context.Context, rows []workload, out io.Writer) ([]result, error) {
	var results []result
	for _, w := range rows {
		row, err := g.measure(ctx, w.scaled(g.scale))
		if err != nil {
			return results, fmt.Errorf("%s: %w", w.name, err)
		}
		results = append(results, row...)
		fmt.Fprint(out, tableRow(row))
	}
	return results, nil
}

// takes is whether a contender takes part.
func (o options) takes(contender string) bool {
	return o.who == "" || slices.Contains(strings.Split(o.who, ","), contender)
}
