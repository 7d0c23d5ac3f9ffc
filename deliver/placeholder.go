package deliver

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// placeholders are what an agent's arguments may ask for.
var placeholders = []string{"account", "uid", "sender", "recipient", "size"}

// CheckArgv checks the program and arguments of an MDA: the placeholders {account}, {uid},
// {sender}, {recipient} and {size}, with {{ for a brace and }} for a closing one. The error
// names every argument that is wrong, counted from 0, the program.
func CheckArgv(argv []string) error {
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("no program given")
	}
	var errs []error
	for i, arg := range argv {
		pieces, err := parseArg(arg)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("argument %d: %w", i, err))
		case i == 0 && slices.ContainsFunc(pieces, piece.isPlaceholder):
			errs = append(errs, errors.New("argument 0: no placeholder may choose the program"))
		}
	}
	return errors.Join(errs...)
}

// A piece is a part of an argument: text as it is, or a placeholder's name.
type piece struct{ text, placeholder string }

func (p piece) isPlaceholder() bool { return p.placeholder != "" }

// parseArg takes an argument apart.
func parseArg(arg string) ([]piece, error) {
	var pieces []piece
	for rest := arg; rest != ""; {
		i := strings.IndexAny(rest, "{}\x00")
		if i < 0 {
			return append(pieces, piece{text: rest}), nil
		}
		if i > 0 {
			pieces = append(pieces, piece{text: rest[:i]})
		}
		p, n, err := parseBrace(rest[i:])
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
		rest = rest[i+n:]
	}
	return pieces, nil
}

// parseBrace takes what begins with a brace and is n bytes long.
func parseBrace(s string) (p piece, n int, err error) {
	switch {
	case s[0] == 0:
		return piece{}, 0, errors.New("a NUL byte")
	case strings.HasPrefix(s, "{{"), strings.HasPrefix(s, "}}"):
		return piece{text: s[:1]}, 2, nil
	case s[0] == '}':
		return piece{}, 0, errors.New(`"}" without "{"; a brace by itself is written twice, "}}"`)
	}
	name, _, closed := strings.Cut(s[1:], "}")
	if !closed || !slices.Contains(placeholders, name) {
		return piece{}, 0, fmt.Errorf(`unknown placeholder %q; there are {%s}; a brace by itself is written twice, "{{"`,
			s[:min(len(s), len(name)+2)], strings.Join(placeholders, "}, {"))
	}
	return piece{placeholder: name}, len(name) + 2, nil
}

// expandArgv fills in the placeholders for one message, each within its argument. The message
// is read from f, from its beginning, only if an address is asked for; f's offset stays.
func (m *MDA) expandArgv(st Staged, f *os.File) ([]string, error) {
	argv := make([]string, len(m.argv))
	values := valuesOf(m.account, st, f)
	for i, arg := range m.argv {
		pieces, err := parseArg(arg)
		if err != nil {
			return nil, unusable("", "mda: argument %d: %w", i, err)
		}
		var b strings.Builder
		for _, p := range pieces {
			b.WriteString(p.text)
			if p.isPlaceholder() {
				b.WriteString(harmless(values(p.placeholder)))
			}
		}
		argv[i] = b.String()
	}
	return argv, nil
}

// valuesOf looks placeholders up.
func valuesOf(account string, st Staged, f *os.File) func(placeholder string) string {
	return func(placeholder string) string {
		switch placeholder {
		case "account":
			return account
		case "uid":
			return st.UID
		case "size":
			return sizeOf(f)
		case "sender":
			return readHeader(f).sender()
		case "recipient":
			return readHeader(f).recipient()
		}
		return ""
	}
}

// sizeOf is asked of the file: an intent that is settled may not know it.
func sizeOf(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	return strconv.FormatInt(info.Size(), 10)
}

// harmless is value, or nothing if the agent could take it for an option, or its log or a shell
// behind it for something else. Nobody has an address or UID of more than 1 KiB to say honestly.
func harmless(value string) string {
	if strings.HasPrefix(value, "-") || strings.ContainsFunc(value, unicode.IsControl) || len(value) > 1<<10 {
		return ""
	}
	return value
}
