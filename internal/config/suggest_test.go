package config

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	known := names(accountKeys)
	for word, want := range map[string]string{
		"tsl": "tls", "prot": "port", "hosts": "host", "usrname": "username", "pasword": "password",
		"pasword_comand": "password_command", "timout": "timeout", "x": "", "colour": "", "": "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	word := rapid.StringMatching(`[a-c]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := distance(a, b)
		if d != distance(b, a) {
			t.Errorf("the way back from %q to %q is another", a, b)
		}
		if (d == 0) != (a == b) || d > max(len(a), len(b)) || d < len(a)-len(b) {
			t.Errorf("from %q to %q: %d", a, b, d)
		}
	})
}
