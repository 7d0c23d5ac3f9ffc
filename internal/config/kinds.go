package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"popsync/internal/secret"
	"popsync/internal/suggest"
)

// A kind is what a value has to be. read makes of a node what the rest of the package works
// with; its errors follow the key ("port: is not …") and never hold the value.
type kind struct {
	expects string
	public  bool                 // a good value cannot be a secret, so an error may name it
	secret  bool                 // a value is a secret, so nobody else may read the file
	holds   func(value any) bool // tells whether a good value holds a secret, where not all do
	read    func(b base, n *yaml.Node) (any, error)
}

// scalar is a kind of single values, given as they are written: 0110 is no 72 here, and a
// password of digits keeps its zeros.
func scalar[T any](expects string, read func(text string) (T, error)) kind {
	return kind{expects: expects, read: func(_ base, n *yaml.Node) (any, error) {
		if n.Kind != yaml.ScalarNode {
			return nil, wrongKind(n, expects)
		}
		return read(n.Value)
	}}
}

// public is k with values that may be named in errors.
func public(k kind) kind {
	k.public = true
	return k
}

// secretly is k with values that are secrets.
func secretly(k kind) kind {
	k.secret = true
	return k
}

var (
	anyText    = scalar("text", nonEmpty)
	aPassword  = secretly(scalar("a password", readPassword))
	aUserName  = scalar("a user name", readUserName)
	aName      = scalar("a name of letters, digits and . _ -", readName)
	aVariable  = scalar("the name of an environment variable", readVariable)
	aHost      = scalar("a host name, an IP address or unix:/path", readHost)
	aFolder    = scalar("the name of a Maildir++ folder, such as Lists.go", readFolder)
	aMode      = scalar("an octal mode such as 0600", parseMode)
	aLimit     = public(scalar("a size such as 50MB", readLimit))
	aDuration  = public(scalar("a duration such as 90s, 5m or 14d", parseDuration))
	aWait      = public(scalar("a duration of 1s or more, such as 90s, 5m or 14d", readWait))
	aRetention = public(scalar("true, false, until_deleted or a duration such as 14d", readKeep))
	aBacklog   = public(scalar("all, none or a duration such as 30d", readBacklog))

	aTenant    = scalar("a directory's id or domain", readTenant)
	anEndpoint = scalar("a URL that begins with https://", readEndpoint)

	aProxy = kind{
		expects: "socks5://host:1080 or http://host:8080",
		holds:   func(value any) bool { return !value.(*Proxy).Password.IsZero() },
		read:    scalar("socks5://host:1080 or http://host:8080", readProxy).read,
	}

	aBoolean   = kind{expects: "true or false", public: true, read: readBoolean}
	aPath      = kind{expects: "a path", read: readPath}
	anArgv     = kind{expects: "a list: a program and its arguments", read: readArgv}
	aCommand   = kind{expects: "a list, or a text for sh -c", read: readCommand}
	aPin       = kind{expects: "sha256: and 64 hex digits, or a list of such", read: readPins}
	someScopes = kind{expects: "text, or a list of texts", read: readScopes}
)

func wrongKind(n *yaml.Node, expects string) error {
	return fmt.Errorf("found %s, expected %s", nature(n), expects)
}

// nature says what a node is without saying what is in it.
func nature(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "keys with values"
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!null":
			return "nothing"
		case "!!bool":
			return "true or false"
		case "!!int", "!!float":
			return "a number"
		case "!!timestamp":
			return "a date"
		}
		return "text"
	}
	return "something else"
}

func nonEmpty(text string) (string, error) {
	if text == "" {
		return "", errors.New("is empty")
	}
	return text, nil
}

// readPassword and readUserName take what no log-in can send, too: that is the failure of one
// account when its turn comes (W18), and a warning of check until then.
func readPassword(text string) (secret.Value, error) {
	if text == "" {
		return secret.Value{}, errors.New("is empty")
	}
	return secret.New(text), nil
}

func readUserName(text string) (string, error) { return nonEmpty(text) }

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func readName(text string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("is empty")
	case !nameForm.MatchString(text):
		return "", errors.New("may hold letters (a-z, A-Z), digits and . _ - only")
	case text == ".", text == "..", text[0] == '-':
		return "", errors.New(`must not be "." or ".." or begin with "-"`)
	}
	return text, nil
}

func readVariable(text string) (string, error) {
	if !variableForm.MatchString(text) {
		return "", errors.New("is no name of an environment variable; write it without $, such as WORK_PASSWORD")
	}
	return text, nil
}

// readFolder refuses what would lie outside the Maildir, or nowhere.
func readFolder(text string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("is empty")
	case strings.ContainsAny(text, "/\x00\r\n"):
		return "", errors.New("must not hold a slash or a line end; a folder in a folder is written Lists.go")
	case text[0] == '.', strings.HasSuffix(text, "."), strings.Contains(text, ".."):
		return "", errors.New("has a part without a name; write it without dots around, such as Lists.go")
	}
	return text, nil
}

func readWait(text string) (time.Duration, error) {
	d, err := parseDuration(text)
	if err == nil && d < time.Second {
		return 0, errors.New("is shorter than 1s")
	}
	return d, err
}

// readLimit returns a size in bytes that some message may have.
func readLimit(text string) (int64, error) {
	size, err := parseSize(text)
	if err == nil && size == 0 {
		return 0, errors.New("would leave every message on the server; leave the key out for no limit")
	}
	return size, err
}

// readKeep returns a bool, the text until_deleted, or a duration.
func readKeep(text string) (any, error) {
	switch b, err := toBool(text); {
	case err == nil:
		return b, nil
	case yesOrNo(text):
		return nil, err
	case text == "until_deleted":
		return text, nil
	}
	return orDays(text, "is none of true, false, until_deleted and durations such as 14d")
}

// readBacklog returns the text all or none, or a duration.
func readBacklog(text string) (any, error) {
	if text == "all" || text == "none" {
		return text, nil
	}
	return orDays(text, "is none of all, none and durations such as 30d")
}

// orDays reads a duration where words are possible too; wrong is what to say of anything else.
func orDays(text, wrong string) (any, error) {
	if bareNumber.MatchString(text) {
		return nil, errors.New("has no unit; write 14d for 14 days")
	}
	d, err := parseDuration(text)
	if err != nil {
		return nil, errors.New(wrong)
	}
	return d, nil
}

// choice is one of some words.
func choice(words ...string) kind {
	expects := orList(words)
	return public(scalar(expects, func(text string) (string, error) {
		if slices.Contains(words, text) {
			return text, nil
		}
		if meant := suggest.Nearest(strings.ToLower(text), words); meant != "" && wordForm.MatchString(text) {
			return "", fmt.Errorf("is none of %s; did you mean %q?", andList(words), meant)
		}
		return "", fmt.Errorf("is none of %s", andList(words))
	}))
}

// number is a whole number, written in decimal.
func number(least, most int) kind {
	expects := fmt.Sprintf("a whole number from %d to %d", least, most)
	return kind{expects: expects, public: true, read: func(_ base, n *yaml.Node) (any, error) {
		switch {
		case n.Kind != yaml.ScalarNode, n.Tag != "!!int":
			if n.Tag == "!!str" && bareNumber.MatchString(n.Value) {
				return nil, errors.New("is a number in quotes; write it without them")
			}
			return nil, wrongKind(n, expects)
		case len(n.Value) > 1 && n.Value[0] == '0':
			return nil, errors.New("begins with 0, which makes it octal or hexadecimal in YAML; write it as a decimal number")
		case strings.Contains(n.Value, "_"):
			return nil, errors.New("holds a _; write digits only")
		}
		i, err := strconv.Atoi(n.Value)
		if err != nil || i < least || i > most {
			return nil, fmt.Errorf("is out of range; expected %s", expects)
		}
		return i, nil
	}}
}

func readBoolean(_ base, n *yaml.Node) (any, error) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return nil, wrongKind(n, "true or false")
	case n.Tag == "!!bool", yesOrNo(n.Value):
		return toBool(n.Value)
	case n.Value == "true", n.Value == "false":
		return nil, errors.New("is text in quotes; write true or false without them")
	}
	return nil, wrongKind(n, "true or false")
}

func toBool(text string) (bool, error) {
	switch text {
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	return false, errors.New("is yes, no, on or off, which YAML takes for text; write true or false")
}

// yesOrNo recognises what was a boolean in YAML 1.1 and is text today.
func yesOrNo(text string) bool {
	return slices.Contains([]string{"yes", "no", "on", "off", "y", "n"}, strings.ToLower(text))
}

func readPath(b base, n *yaml.Node) (any, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, wrongKind(n, "a path")
	}
	return b.expand(n.Value)
}

func readArgv(_ base, n *yaml.Node) (any, error) {
	if n.Kind == yaml.ScalarNode {
		return nil, errors.New("is one text; write a list, [/path/to/program, argument]: no shell takes it apart")
	}
	return program(n)
}

func readCommand(_ base, n *yaml.Node) (any, error) {
	if n.Kind == yaml.ScalarNode {
		if n.Value == "" || strings.ContainsRune(n.Value, 0) {
			return nil, errors.New("is empty or holds a NUL byte; write the command that prints the secret")
		}
		return []string{"sh", "-c", n.Value}, nil
	}
	return program(n)
}

// program is a list of a program and its arguments.
func program(n *yaml.Node) ([]string, error) {
	args, err := texts(n, "a list: a program and its arguments")
	if err == nil && (len(args) == 0 || args[0] == "") {
		return nil, errors.New("names no program")
	}
	return args, err
}

func readTexts(_ base, n *yaml.Node) (any, error) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, nil
	}
	return texts(n, "text, or a list of texts")
}

// texts reads a list of texts. An empty element is a mistake more often than an empty argument.
func texts(n *yaml.Node, expects string) ([]string, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, wrongKind(n, expects)
	}
	list := make([]string, len(n.Content))
	for i, element := range n.Content {
		switch {
		case element.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("element %d: %w", i+1, wrongKind(element, "text"))
		case element.Tag == "!!null":
			return nil, fmt.Errorf(`element %d is empty; write "" if an empty text is meant, and quote what begins with #`, i+1)
		case strings.ContainsRune(element.Value, 0):
			return nil, fmt.Errorf("element %d holds a NUL byte", i+1)
		}
		list[i] = element.Value
	}
	return list, nil
}

func orList(words []string) string  { return wordList(words, "or") }
func andList(words []string) string { return wordList(words, "and") }

// wordList is "a, b or c".
func wordList(words []string, last string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
}

// readPins returns fingerprints as [][32]byte. Colons and case are for people.
func readPins(b base, n *yaml.Node) (any, error) {
	words, err := readTexts(b, n)
	if err != nil {
		return nil, err
	}
	var pins [][32]byte
	for _, w := range words.([]string) {
		digits := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(w), "sha256:"), ":", "")
		sum, err := hex.DecodeString(digits)
		if err != nil || len(sum) != 32 {
			return nil, errors.New("is no fingerprint; write sha256: and the 64 hex digits of the certificate's SHA-256")
		}
		pins = append(pins, [32]byte(sum))
	}
	if len(pins) == 0 {
		return nil, errors.New("is empty, so no certificate would be good")
	}
	return pins, nil
}
