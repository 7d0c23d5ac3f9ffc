package suggest

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	verbs := []string{"fetch", "run", "check", "help", "completion"}
	for word, want := range map[string]string{
		"fetsh": "fetch", "fecth": "fetch", "Fetch": "fetch", "rnu": "run", "comp": "completion",
		"chek": "check", "delete": "", "": "", "x": "", "--hlep": "",
	} {
		if got := Nearest(word, verbs); got != want {
			t.Errorf("Nearest(%q) = %q, not %q", word, got, want)
		}
	}
	if got := Nearest("--dryrun", []string{"--dry-run", "--json"}); got != "--dry-run" {
		t.Errorf("a flag: %q", got)
	}
}

func TestDistanceIsOne(t *testing.T) {
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
