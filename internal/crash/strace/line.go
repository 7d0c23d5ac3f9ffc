package strace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A call is what the log says of one system call.
type call struct {
	name       string
	thread     int
	begin, end int    // lines
	head       string // the text of the arguments that stood at begin
	args       string // of all arguments
	result     string // the word behind "="
	errno      string

	process *process // set when the call is entered
}

// An event is one line of the log that matters.
type event struct {
	line   int
	thread int
	call   *call // of which the line is the begin, the end, or both
	exit   *Exit // without its process
}

const (
	unfinished = " <unfinished ...>"
	resumed    = " resumed>"
)

// A scanner makes events of lines.
type scanner struct {
	line   int
	open   map[int]*call // by thread
	events []event
}

func (s *scanner) scan(r io.Reader) error {
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadString('\n')
		switch {
		case errors.Is(err, io.EOF):
			return nil // a line without an end is half a line
		case err != nil:
			return err
		}
		s.line++
		if err := s.take(strings.TrimSuffix(text, "\n")); err != nil {
			return fmt.Errorf("line %d: %w: %.200q", s.line, err, text)
		}
	}
}

func (s *scanner) take(text string) error {
	number, text, _ := strings.Cut(text, " ")
	thread, err := strconv.Atoi(number)
	if err != nil {
		return errors.New("does not begin with the number of a thread")
	}
	text = strings.TrimLeft(text, " ")
	switch {
	case strings.HasPrefix(text, "--- "):
		return nil
	case strings.HasPrefix(text, "+++ "):
		return s.exit(thread, text)
	case strings.HasPrefix(text, "<... "):
		return s.resume(thread, text)
	default:
		return s.begin(thread, text)
	}
}

func (s *scanner) begin(thread int, text string) error {
	name, args, ok := strings.Cut(text, "(")
	if !ok {
		return errors.New("is no call")
	}
	c := &call{name: name, thread: thread, begin: s.line}
	s.events = append(s.events, event{line: s.line, thread: thread, call: c})
	if head, ok := strings.CutSuffix(args, unfinished); ok {
		c.head, c.args = head, head
		s.open[thread] = c
		return nil
	}
	return s.finish(c, args)
}

func (s *scanner) resume(thread int, text string) error {
	c := s.open[thread]
	name, rest, ok := strings.Cut(strings.TrimPrefix(text, "<... "), resumed)
	if c == nil || !ok || name != c.name {
		return errors.New("goes on with a call that did not begin")
	}
	delete(s.open, thread)
	s.events = append(s.events, event{line: s.line, thread: thread, call: c})
	return s.finish(c, c.head+rest)
}

// finish takes what stands behind the parenthesis that opens the arguments.
func (s *scanner) finish(c *call, text string) error {
	closing := closer(text)
	if closing < 0 {
		return errors.New("has no end of its arguments")
	}
	c.args = strings.TrimSuffix(text[:closing], unfinished)
	if c.head == "" {
		c.head = c.args
	}
	result, ok := strings.CutPrefix(strings.TrimLeft(text[closing+1:], " "), "= ")
	if !ok {
		return errors.New("has no result")
	}
	word, rest, _ := strings.Cut(result, " ")
	if word == "?" { // it ended with its thread, or it begins anew behind a signal
		return nil
	}
	c.end, c.result = s.line, word
	if word == "-1" {
		c.errno, _, _ = strings.Cut(rest, " ")
	}
	return nil
}

func (s *scanner) exit(thread int, text string) error {
	e := &Exit{Line: s.line}
	switch words := strings.Fields(text); {
	case len(words) > 3 && words[1] == "exited":
		e.Status, _ = strconv.Atoi(words[3])
	case len(words) > 3 && words[1] == "killed":
		e.Signal = words[3]
	default: // a thread whose place another one's execve took
		return nil
	}
	s.events = append(s.events, event{line: s.line, thread: thread, exit: e})
	return nil
}
