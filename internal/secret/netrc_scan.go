package secret

import (
	"strings"
)

// A netrcScanner takes the words of a netrc file. They are parted by blanks and line ends. A word
// that begins with a double quote ends at the next one in the same line. A backslash, in quotes
// or not, takes the next character as it is: so do ftp, fetchmail, mpop, Perl and Python; curl
// does so in quotes only.
type netrcScanner struct {
	rest string
	line int // of rest, from 1
	at   int // the line of the last word
}

const netrcBlank = " \t\r\n"

// keyword takes a word where a keyword may stand, and passes over comments before it. There is
// none at the end of the file.
func (s *netrcScanner) keyword() (word string, ok bool, err error) {
	for {
		s.skipBlanks()
		if !strings.HasPrefix(s.rest, "#") {
			return s.word()
		}
		s.skipLine()
	}
}

// value takes the word that belongs to keyword; it may begin with # or read like a keyword.
func (s *netrcScanner) value(keyword string) (string, error) {
	line := s.at
	s.skipBlanks()
	word, ok, err := s.word()
	if err == nil && !ok {
		err = hinted("write the rest of the entry", ":%d: the file ends behind %q", line, keyword)
	}
	return word, err
}

func (s *netrcScanner) word() (word string, ok bool, err error) {
	s.at = s.line
	if s.rest == "" {
		return "", false, nil
	}
	quoted := s.rest[0] == '"'
	if quoted {
		s.rest = s.rest[1:]
	}
	var b strings.Builder
	for s.rest != "" {
		c := s.rest[0]
		switch {
		case c == '\n' && quoted:
			return "", false, s.open()
		case quoted && c == '"':
			s.rest = s.rest[1:]
			return b.String(), true, nil
		case !quoted && strings.IndexByte(netrcBlank, c) >= 0:
			return b.String(), true, nil
		case c == '\\' && len(s.rest) > 1 && s.rest[1] != '\n':
			s.rest = s.rest[1:]
			c = s.rest[0]
		}
		b.WriteByte(c)
		s.rest = s.rest[1:]
	}
	if quoted {
		return "", false, s.open()
	}
	return b.String(), true, nil
}

// open is the error for quotes that are not closed.
func (s *netrcScanner) open() error {
	return hinted(`a quote within is written \"`, `:%d: a word in "quotes" has no closing quote in its line`, s.at)
}

func (s *netrcScanner) skipBlanks() {
	rest := strings.TrimLeft(s.rest, netrcBlank)
	s.line += strings.Count(s.rest[:len(s.rest)-len(rest)], "\n")
	s.rest = rest
}

// skipLine passes over the rest of the line; the one behind it is next.
func (s *netrcScanner) skipLine() {
	_, rest, found := strings.Cut(s.rest, "\n")
	if found {
		s.line++
	}
	s.rest = rest
}

// skipMacro passes over the name and the lines of a macro, which ends at an empty line.
func (s *netrcScanner) skipMacro() {
	s.skipLine()
	for s.rest != "" {
		line, _, _ := strings.Cut(s.rest, "\n")
		s.skipLine()
		if strings.TrimSuffix(line, "\r") == "" {
			return
		}
	}
}
