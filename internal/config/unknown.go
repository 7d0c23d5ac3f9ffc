package config

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"popsync/internal/suggest"
)

// wordForm is what a key may look like. Whatever looks different may be a password that slipped,
// and is not repeated.
var wordForm = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{0,30}$`)

// unknown reports a key that may not stand in o. What was probably meant, if that can be told,
// counts as given then, so that it is not reported as missing as well.
func (d *decoder) unknown(o object, name *yaml.Node, keys []key) {
	at := position{name.Line, name.Column, o.key}
	if !wordForm.MatchString(name.Value) {
		d.wrong(at, "found something that is no key%s", choiceOf(keys))
		return
	}
	at.key = join(o.key, name.Value)
	word := strings.ReplaceAll(strings.ToLower(name.Value), "-", "_")
	meant := meantKey(word, names(keys))
	switch where := placesOf(word); {
	case where != "" && meant != word:
		d.wrong(at, "unknown key here; it belongs %s", where)
	case meant == "":
		d.wrong(at, "unknown key%s", choiceOf(keys))
	default:
		d.wrong(at, "unknown key; did you mean %q?", meant)
		if !o.has(meant) {
			o.entries[meant] = entry{position: at}
		}
	}
}

// choiceOf says which keys there are, unless they are too many to read.
func choiceOf(keys []key) string {
	const most = 12
	if len(keys) > most {
		return ""
	}
	return "; keys here are " + andList(names(keys))
}

// meantKey is the one of known that word is another word or a misspelling for, or "".
func meantKey(word string, known []string) string {
	if other := otherWords[word]; slices.Contains(known, other) {
		return other
	}
	return suggest.Nearest(word, known)
}

// placesOf says where the key word belongs.
func placesOf(word string) string {
	deliver, _ := lookup(accountKeys, "deliver")
	for _, place := range []struct {
		keys  []key
		where string
	}{
		{topKeys, "at the top level"},
		{accountKeys, "in an account"},
		{deliver.keys, "in deliver"},
		{oauth2Keys, "in oauth2"},
	} {
		if _, ok := lookup(place.keys, word); ok {
			return place.where
		}
	}
	return ""
}
