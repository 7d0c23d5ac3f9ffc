package strace

import (
	"errors"
	"strconv"
	"strings"
)

// The log is made with -xx: between quotes stand hexadecimal escapes only, and no name of a file can
// look like a parenthesis or a comma.

// closer is where the parenthesis closes that was opened before text, or -1.
func closer(text string) int {
	depth := 1
	for i := range len(text) {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// split cuts arguments at the commas that stand in no parentheses.
func split(args string) []string {
	var words []string
	depth, begin := 0, 0
	for i := range len(args) {
		switch args[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				words = append(words, strings.TrimSpace(args[begin:i]))
				begin = i + 1
			}
		}
	}
	if last := strings.TrimSpace(args[begin:]); last != "" {
		words = append(words, last)
	}
	return words
}

// unescape turns each \xNN into its octet and leaves the rest.
func unescape(s string) ([]byte, error) {
	raw := make([]byte, 0, len(s)/4)
	for len(s) > 0 {
		if !strings.HasPrefix(s, `\x`) {
			raw = append(raw, s[0])
			s = s[1:]
			continue
		}
		if len(s) < 4 {
			return nil, errors.New("an escape is cut")
		}
		octet, err := strconv.ParseUint(s[2:4], 16, 8)
		if err != nil {
			return nil, err
		}
		raw = append(raw, byte(octet))
		s = s[4:]
	}
	return raw, nil
}

// quoted are the octets of a string in quotes. Of anything else, such as NULL, there are none.
func quoted(word string) ([]byte, error) {
	inner, ok := strings.CutPrefix(word, `"`)
	if !ok {
		return nil, nil
	}
	inner, _, ok = strings.Cut(inner, `"`)
	if !ok {
		return nil, errors.New("a string has no end")
	}
	return unescape(inner)
}

// descriptor reads "3", "3<\x2f…>", "AT_FDCWD<…>" or "3<…>(deleted)"; AT_FDCWD is -1.
func descriptor(word string) (fd int, path string, err error) {
	number, path, _ := strings.Cut(word, "<")
	if number == "AT_FDCWD" {
		fd = -1
	} else if fd, err = strconv.Atoi(number); err != nil {
		return 0, "", err
	}
	if end := strings.LastIndexByte(path, '>'); end >= 0 {
		path = path[:end]
	}
	if strings.HasPrefix(path, `\x`) {
		path, _, _ = strings.Cut(path, "<") // of a device: <char 1:3>
	}
	raw, err := unescape(path)
	return fd, string(raw), err
}

// number reads decimal, octal and hexadecimal ones. What is none, such as NULL, is 0.
func number(word string) int64 {
	if n, err := strconv.ParseInt(word, 0, 64); err == nil {
		return n
	}
	n, _ := strconv.ParseUint(word, 0, 64) // an address
	return int64(n)
}

// vector joins the parts of [{iov_base="…", iov_len=2}, …].
func vector(word string) (joined []byte, length int64, err error) {
	for part := range strings.SplitSeq(word, "iov_base=") {
		data, err := quoted(part)
		if err != nil {
			return nil, 0, err
		}
		joined = append(joined, data...)
		if _, rest, ok := strings.Cut(part, "iov_len="); ok {
			digits, _, _ := strings.Cut(rest, "}")
			length += number(digits)
		}
	}
	return joined, length, nil
}

// named is the value of a named argument, as in "child_stack=NULL, flags=SIGCHLD".
func named(args, name string) string {
	_, rest, ok := strings.Cut(args, name+"=")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, ", })"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}
