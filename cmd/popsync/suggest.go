package main

import (
	"strings"

	"popsync/internal/term"
)

// didYouMean is "; did you mean X?" with the nearest of names, or empty where none is near.
func didYouMean(word string, names []string) string {
	if n := nearest(word, names); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}

// nearest is the name that most likely was meant by word: one that begins with it, or takes the
// fewest changes and not more than one in three letters.
func nearest(word string, names []string) string {
	best, fewest := "", 1+max(1, len(strings.TrimLeft(word, "-"))/3)
	for _, n := range names {
		d := distance(strings.ToLower(word), strings.ToLower(n))
		if len(word) > 3 && strings.HasPrefix(n, word) {
			d = 1
		}
		if d < fewest {
			best, fewest = n, d
		}
	}
	return best
}

// distance is how many letters of a have to be changed, added, removed or swapped with their
// neighbour to make b (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// quoted is a word of the command line as it is shown.
func quoted(word string) string { return `"` + term.Escape(word) + `"` }
