package main

import (
	"errors"
	"fmt"
	"strings"
)

// tableHead begins the table, whose rows follow one by one.
const tableHead = "" +
	"| row        | contender   |  n | wall median (min–max)     | CPU     | peak MB | wall ÷ mpop | CPU ÷ mpop | wall ÷ floor |\n" +
	"| ---------- | ----------- | -: | ------------------------- | ------: | ------: | ----------: | ---------: | -----------: |\n"

// tableRow is a line for each contender of a row.
func tableRow(row []result) string {
	var b strings.Builder
	for _, r := range row {
		cells := []any{r.Row, r.Contender, len(r.Samples), "failed", none, none, none, none, none}
		switch {
		case onPaper(r.Contender):
			cells[2], cells[3], cells[6] = none, seconds(r.median(wall)), ratio(row, r, "mpop", wall)
		case r.good():
			all := r.sorted(wall)
			cells[3] = fmt.Sprintf("%s (%s–%s)", seconds(r.median(wall)), seconds(all[0]), seconds(all[len(all)-1]))
			cells[4], cells[5] = seconds(r.median(cpu)), fmt.Sprintf("%.1f", r.most(peak))
			cells[6], cells[7] = ratio(row, r, "mpop", wall), ratio(row, r, "mpop", cpu)
			cells[8] = ratio(row, r, "floor-write", wall)
		}
		fmt.Fprintf(&b, "| %-10v | %-11v | %2v | %-25v | %7v | %7v | %11v | %10v | %12v |\n", cells...)
	}
	return b.String()
}

// none stands where there is no figure.
const none = "–"

// perAccount says what an account costs where there are many.
func perAccount(results []result) string {
	var b strings.Builder
	for _, r := range results {
		if r.good() && r.Accounts > 1 {
			fmt.Fprintf(&b, "- %s: %s: %s of CPU for each of %d accounts\n", r.Row, r.Contender, seconds(r.median(cpu)/float64(r.Accounts)), r.Accounts)
		}
	}
	return b.String()
}

// ratio is that of the medians of r and of another in the row; [none] where there is none.
func ratio(row []result, r result, other string, of measure) string {
	o, found := find(row, r.Row, other)
	if !found || o.median(of) == 0 {
		return none
	}
	return fmt.Sprintf("%.3f", r.median(of)/o.median(of))
}

// find is the result of a contender in a row, if it has figures.
func find(results []result, row, contender string) (result, bool) {
	for _, r := range results {
		if r.Row == row && r.Contender == contender {
			return r, r.good()
		}
	}
	return result{}, false
}

// failures is an error that names every run that was not what it should be.
func failures(results []result) error {
	var errs []error
	for _, r := range results {
		if r.Err != "" {
			errs = append(errs, fmt.Errorf("%s: %s: %s", r.Row, r.Contender, r.Err))
		}
	}
	return errors.Join(errs...)
}
