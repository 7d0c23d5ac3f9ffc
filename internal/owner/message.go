package owner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
)

// Schema is the version of the protocol. A change that an older program would misread raises it.
const Schema = 1

// A Hello is how the two ends of a connection introduce themselves. All versions of the protocol
// understand it. What is not UTF-8 in it is replaced.
type Hello struct {
	Schema  int    `json:"schema"`  // of the protocol; filled in by this package
	Version string `json:"version"` // of the program
	PID     int    `json:"pid"`     // filled in by this package
	Command string `json:"command"` // "run", "fetch", …
	Config  string `json:"config"`  // the configuration's path
	Ending  bool   `json:"ending"`  // the owner takes no more requests and lets go of the state soon
}

// A message is a line of either side. Exactly one of Hello, Do, Alive, Event, Done and Failed is given.
type message struct {
	Hello  *Hello          `json:"hello"`
	Do     string          `json:"do"`
	Body   json.RawMessage `json:"body"` // of Do
	Alive  bool            `json:"alive"`
	Event  json.RawMessage `json:"event"`
	Done   json.RawMessage `json:"done"` // null is an answer, too
	Failed *Failure        `json:"failed"`
}

// encode makes a line of a message's fields.
func encode(fields map[string]any) ([]byte, error) {
	line, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	line = append(line, '\n')
	if len(line) > maxLine {
		return nil, errLong
	}
	return line, nil
}

// parse is the inverse of encode.
func parse(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return message{}, fmt.Errorf("a line that is no message: %w", err)
	}
	kinds := 0
	for _, given := range []bool{m.Hello != nil, m.Do != "", m.Alive, m.Event != nil, m.Done != nil, m.Failed != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return message{}, errors.New("a line that is no message")
	}
	return m, nil
}

// read reads one message. An error of its text is a *wrongError; another one is the reader's.
func read(r *bufio.Reader) (message, error) {
	line, err := readLine(r, maxLine)
	if errors.Is(err, errLong) {
		return message{}, &wrongError{err}
	}
	if err != nil {
		return message{}, err
	}
	m, err := parse(line)
	if err != nil {
		return message{}, &wrongError{err}
	}
	return m, nil
}

// A wrongError is what the other end has sent and should not have.
type wrongError struct{ err error }

func (e *wrongError) Error() string { return e.err.Error() }
func (e *wrongError) Unwrap() error { return e.err }
