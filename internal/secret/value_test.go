package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const marker = "hunter2 ünd Söhne"

// A7: whoever prints a secret by accident prints [redacted].
func TestValueDoesNotPrint(t *testing.T) {
	v := New(marker)
	type account struct {
		Name     string
		Password Value
		hidden   Value
		pointer  *Value
	}
	within := account{"work", v, v, &v}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%10s", "%-.3q", "%!"} {
		for name, printed := range map[string]any{
			"value": v, "pointer": &v, "struct": within, "pointer to struct": &within,
			"slice": []Value{v}, "map": map[string]Value{"a": v}, "key": map[Value]int{v: 1}, "any": []any{v},
		} {
			if got := fmt.Sprintf(verb, printed); shows(got) {
				t.Errorf("%s of a %s prints %s", verb, name, got)
			}
		}
	}
	for _, got := range []string{v.String(), v.GoString(), fmt.Sprint(v), fmt.Sprintf("%q", v), v.LogValue().String()} {
		if got != redacted {
			t.Errorf("printed as %q, want %q", got, redacted)
		}
	}
}

func TestValueIsNotEncoded(t *testing.T) {
	v := New(marker)
	got, err := json.Marshal(map[string]any{"a": v, "b": &v, "c": struct{ Password Value }{v}})
	if want := `{"a":"[redacted]","b":"[redacted]","c":{"Password":"[redacted]"}}`; err != nil || string(got) != want {
		t.Errorf("JSON %s, %v, want %s", got, err, want)
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "a", v, "b", &v, "c", struct{ Password Value }{v}, "d", []Value{v})
	}
	if shows(log.String()) {
		t.Errorf("logged: %s", &log)
	}
}

func TestValueReveals(t *testing.T) {
	if got := New(marker).Reveal(); got != marker {
		t.Errorf("Reveal returns %q", got)
	}
	if got := (Value{}).Reveal(); got != "" {
		t.Errorf("Reveal of nothing returns %q", got)
	}
	if New("x").IsZero() || !New("").IsZero() || !(Value{}).IsZero() {
		t.Error("IsZero is wrong")
	}
	if !New("x").Equal(New("x")) || New("x").Equal(New("y")) || New("x").Equal(Value{}) || !New("").Equal(Value{}) {
		t.Error("Equal is wrong")
	}
}

// shows tells whether text gives the marker away: as it is, in hexadecimal, or as bytes.
func shows(text string) bool {
	for _, form := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2"), "104 117 110"} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}
