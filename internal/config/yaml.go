package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// lineEnd is what ends a line for yaml.v3, so that its positions and our lines agree.
var lineEnd = regexp.MustCompile(`\r\n|[\n\r\x{85}\x{2028}\x{2029}]`)

// parse reads the document in data; a nil root is one without content. The position of the error
// has a line only: yaml.v3 tells no column. lines are data's, by characters as yaml.v3 counts.
func parse(data []byte) (root *yaml.Node, lines [][]rune, at position, err error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, nil, position{line: invalidLine(data)}, errors.New("holds bytes that are not UTF-8; save the file as UTF-8")
	}
	docs, err := documents(bytes.NewReader(data))
	switch {
	case err != nil:
		at, err = syntaxError(err, splitLines(string(data)))
		return nil, nil, at, err
	case len(docs) > 1:
		return nil, nil, position{line: docs[1].Line}, errors.New(`begins a second document; popsync reads one: take out the "---"`)
	case len(docs) == 0 || isNull(docs[0].Content[0]):
		return nil, nil, position{}, nil
	}
	for _, line := range splitLines(string(data)) {
		lines = append(lines, []rune(line))
	}
	return docs[0].Content[0], lines, position{}, nil
}

// syntaxError says where reading lines ended with err, and why.
func syntaxError(err error, lines []string) (position, error) {
	line := brokenLine(err, lines)
	return position{line: line}, explain(err, lines[line-1])
}

// splitLines cuts text after each line end; what follows the last one is a line, too, even where
// it is empty.
func splitLines(text string) []string {
	var lines []string
	start := 0
	for _, end := range lineEnd.FindAllStringIndex(text, -1) {
		lines = append(lines, text[start:end[1]])
		start = end[1]
	}
	return append(lines, text[start:])
}

func invalidLine(data []byte) int {
	n := 0
	for len(data[n:]) > 0 {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return len(splitLines(string(data[:n])))
}

// documents reads all documents of r. yaml.v3 panics where it finds a mistake of its own.
func documents(r io.Reader) (docs []*yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("yaml.v3 panics")
		}
	}()
	dec := yaml.NewDecoder(r)
	for {
		doc := new(yaml.Node)
		switch err := dec.Decode(doc); {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return nil, err
		}
		docs = append(docs, doc)
	}
}

// brokenLine finds the line where lines, of which yaml.v3 says err, stop being YAML: the first
// behind the longest beginning that is good. yaml.v3's own line is often that of something further
// up, or missing; it is right for a quote that is not closed and began long ago.
func brokenLine(err error, lines []string) int {
	const most = 50 // lines to go back, because each try reads the file anew
	r := &lineReader{lines: lines}
	_, _ = documents(r)
	for n := r.next - 1; n >= max(0, r.next-most); n-- {
		if _, err := documents(strings.NewReader(strings.Join(lines[:n], ""))); err == nil {
			return n + 1
		}
	}
	theirs := 0
	_, _ = fmt.Sscanf(err.Error(), "yaml: line %d:", &theirs)
	if theirs > 0 && theirs <= len(lines) {
		return theirs
	}
	return max(1, r.next)
}

// A lineReader gives one line at a time, so that it knows how far a parser has come.
type lineReader struct {
	lines []string
	next  int
	rest  string
}

func (r *lineReader) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.next == len(r.lines) {
			return 0, io.EOF
		}
		r.rest = r.lines[r.next]
		r.next++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// syntax puts what yaml.v3 says into words of ours. Its own may hold a part of a value, and a
// value may be a password, so they are never passed on.
var syntax = []struct{ theirs, ours string }{
	{"unknown anchor", "a value that begins with * has to be quoted"},
	{"alphabetic or numeric character", "a value that begins with * or & has to be quoted"},
	{"cannot start any token", "a value that begins with @, ` or % has to be quoted"},
	{"mapping values are not allowed", `a value that holds ": " has to be quoted; or the indentation does not fit the lines above`},
	{"expected ',' or", "a [ or { is not closed; or a value with such a character has to be quoted"},
	{"expected '-' indicator", "the indentation does not fit the list above"},
	{"expected key", "the indentation does not fit the lines above; or a value is quoted in part only"},
	{"expected node content", "a value that begins with ], } or , has to be quoted"},
	{"could not find expected ':'", `a key without a colon, or a colon without a blank behind it`},
	{"unknown escape", `in "double quotes" a backslash begins an escape; use 'single quotes' instead`},
	{"escape", `in "double quotes" a backslash begins an escape; use 'single quotes' instead`},
	{"unexpected end of stream", "a quote is not closed"},
	{"unexpected document indicator", "a quote is not closed"},
	{"control characters", "a control character is not allowed"},
	{"tag", "a value that begins with ! has to be quoted"},
	{"'>'", "a value that begins with ! has to be quoted"},
	{"incompatible YAML document", "a line with %YAML is not understood; take it out"},
	{"directive", "a line that begins with % is not allowed here"},
	{"document start", `text behind the end of the document ("...")`},
	{"exceeded max depth", "lists and keys are nested too deeply"},
}

var tabIndent = regexp.MustCompile(`^ *\t`)

// explain says what is wrong in line, where reading ended with err.
func explain(err error, line string) error {
	if tabIndent.MatchString(line) {
		return errors.New("a tab cannot indent in YAML; use blanks")
	}
	for _, s := range syntax {
		if strings.Contains(err.Error(), s.theirs) {
			return fmt.Errorf("is not YAML: %s", s.ours)
		}
	}
	return errors.New("is not YAML: look at the indentation, and quote values with special characters")
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
