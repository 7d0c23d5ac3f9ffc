package main

import (
	"io"
	"strconv"

	"popsync/fetch"
	"popsync/internal/term"
)

// printSummary is the table that ends a fetch, or says what one would do.
func printSummary(s term.Screen, results []fetch.Result, dryRun bool) error {
	if len(results) == 0 {
		_, err := io.WriteString(s, "no account is enabled; name those to poll\n")
		return err
	}
	t := term.Table{Columns: []term.Column{
		{Name: "account"},
		{Name: "new", Right: true},
		{Name: "size", Right: true},
		{Name: "deleted", Right: true, Spare: true},
		{Name: "took", Right: true, Spare: true},
		{Name: "result"},
	}}
	if dryRun {
		t.Columns[1].Name, t.Columns[3].Name, t.Columns[3].Spare = "to fetch", "to delete", false
	}
	for _, r := range results {
		t.Rows = append(t.Rows, []term.Cell{
			{Text: r.Account},
			{Text: strconv.Itoa(r.New)},
			{Text: term.Bytes(r.Bytes)},
			{Text: strconv.Itoa(r.Deleted)},
			{Text: term.Duration(r.Took)},
			verdict(r, dryRun),
		})
	}
	return t.Print(s)
}

// verdict is a result in a few words; the error itself stands on standard error.
func verdict(r fetch.Result, dryRun bool) term.Cell {
	left := ""
	if r.Left > 0 && !dryRun {
		left = ", " + strconv.Itoa(r.Left) + " left"
	}
	switch {
	case r.Err != nil && r.Err.Kind == fetch.Interrupted:
		return term.Cell{Text: "interrupted" + left, Style: term.Notice}
	case r.Err != nil:
		return term.Cell{Text: inWords(r.Err) + left, Style: term.Bad}
	case r.Skipped != "":
		return term.Cell{Text: "not asked: too early", Style: term.Dim}
	case r.New == 0 && left == "" && r.TooLarge > 0:
		return term.Cell{Text: "nothing new, " + strconv.Itoa(r.TooLarge) + " too large", Style: term.Dim}
	case r.New == 0 && left == "":
		return term.Cell{Text: "nothing new", Style: term.Dim}
	}
	return term.Cell{Text: "ok" + left, Style: term.Good}
}
