// Package suggest finds what a misspelt word was meant to be.
package suggest

import "strings"

// Nearest is the one of words that word is most likely a misspelling of, "" if none is near
// enough: one change in three letters, and no more than three. One that begins with word, of
// more than three letters, is near.
func Nearest(word string, words []string) string {
	letters := len(strings.TrimLeft(word, "-"))
	if letters < 2 {
		return "" // any other letter would be as near
	}
	best, least := "", min(max(1, letters/3), 3)+1
	for _, w := range words {
		d := distance(strings.ToLower(word), strings.ToLower(w))
		if letters > 3 && strings.HasPrefix(w, word) {
			d = 1
		}
		if d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their neighbour that make
// a of b (optimal string alignment). It works on bytes: keys, flags and names of accounts are
// ASCII.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(replaced, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
