package owner

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       message
		err        string
	}{
		{name: "a hello", line: `{"hello":{"schema":7,"version":"1","pid":3,"command":"run","config":"/c","ending":true,"more":1}}`, want: message{
			Hello: &Hello{Schema: 7, Version: "1", PID: 3, Command: "run", Config: "/c", Ending: true},
		}},
		{name: "a request", line: `{"do":"poll","body":[1]}`, want: message{Do: "poll", Body: json.RawMessage("[1]")}},
		{name: "a request without a body", line: `{"do":"poll"}`, want: message{Do: "poll"}},
		{name: "a sign of life", line: `{"alive":true}`, want: message{Alive: true}},
		{name: "an event", line: `{"event":{"a":1}}`, want: message{Event: json.RawMessage(`{"a":1}`)}},
		{name: "an answer that is null", line: `{"done":null}`, want: message{Done: json.RawMessage("null")}},
		{name: "a failure", line: `{"failed":{"code":"busy"}}`, want: message{Failed: &Failure{Code: "busy"}}},
		{name: "nothing", line: ``, err: "a line that is no message"},
		{name: "no JSON", line: `SSH-2.0-OpenSSH_9.2p1`, err: "a line that is no message: invalid character"},
		{name: "no object", line: `[]`, err: "a line that is no message: json: cannot unmarshal array"},
		{name: "two objects", line: `{"do":"a"}{"do":"b"}`, err: "a line that is no message: invalid character"},
		{name: "none of all", line: `{"body":1}`, err: "a line that is no message"},
		{name: "two of them", line: `{"do":"poll","done":1}`, err: "a line that is no message"},
		{name: "the wrong type", line: `{"hello":"hello"}`, err: "a line that is no message: json: cannot unmarshal string"},
		{name: "too deep", line: `{"event":` + strings.Repeat("[", 20000), err: "a line that is no message: invalid character"},
	} {
		got, err := parse([]byte(tt.line))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestEncodeKeepsALineWithinItsLimit(t *testing.T) {
	frame := len(`{"event":""}` + "\n")
	if line, err := encode(map[string]any{"event": strings.Repeat("x", maxLine-frame)}); err != nil || len(line) != maxLine {
		t.Errorf("the longest line: %d octets, %v", len(line), err)
	}
	if _, err := encode(map[string]any{"event": strings.Repeat("x", maxLine-frame+1)}); !errors.Is(err, errLong) {
		t.Errorf("one octet more: %v", err)
	}
	if line, err := encode(map[string]any{"event": json.RawMessage("[1,\n2]")}); err != nil || string(line) != `{"event":[1,2]}`+"\n" {
		t.Errorf("JSON of several lines: %q, %v", line, err)
	}
}

func TestFailureIsForPeople(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    *Failure
		want string
	}{
		{"a code", &Failure{Code: "busy"}, "busy"},
		{"a text", NewFailure("busy", "try later"), "busy: try later"},
		{"an empty text", NewFailure("busy", ""), "busy"},
		{"an object", NewFailure("refused", struct{ Account string }{"work"}), "refused"},
		{"what JSON cannot hold", NewFailure("refused", func() {}), "internal: json: unsupported type: func()"},
	} {
		if got := tt.f.Error(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"hello":{"schema":1,"version":"1.4","pid":1,"command":"run","config":"/c","ending":false}}`,
		`{"do":"poll","body":{"accounts":["work"]}}`, `{"event":1}`, `{"done":null}`, `{"failed":{"code":"x","detail":"y"}}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := parse(line)
		if err != nil {
			if m.Hello != nil || m.Do != "" || m.Alive || m.Event != nil || m.Done != nil || m.Failed != nil {
				t.Errorf("an error and a message: %+v", m)
			}
			return
		}
		for kind, given := range map[string]any{"hello": m.Hello, "do": m.Do, "alive": m.Alive, "event": m.Event, "done": m.Done, "failed": m.Failed} {
			again, err := encode(map[string]any{kind: given})
			if err != nil {
				t.Fatalf("%s of %q: %v", kind, line, err)
			}
			if string(again) == `{"`+kind+`":null}`+"\n" || string(again) == `{"do":""}`+"\n" || string(again) == `{"alive":false}`+"\n" {
				continue
			}
			if _, err := parse(again); err != nil {
				t.Errorf("%q of %q: %v", again, line, err)
			}
		}
	})
}
