package main

import (
	"popsync/internal/suggest"
	"popsync/internal/term"
)

// didYouMean is "; did you mean X?" with the nearest of names, or empty where none is near.
func didYouMean(word string, names []string) string {
	if n := suggest.Nearest(word, names); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}

// quoted is a word of the command line as it is shown.
func quoted(word string) string { return `"` + term.Escape(word) + `"` }
