package term

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	at := func(width int) Screen { return Screen{Size: func() (int, int) { return width, 24 }} }
	for name, tt := range map[string]struct {
		s          Screen
		text, want string
	}{
		"it fits":              {at(14), "0123456789", "0123456789"},
		"between words":        {at(14), "one two, three four", "one two,\n    three four"},
		"a word that is long":  {at(14), "a 0123456789ab b", "a\n    0123456789ab\n    b"},
		"East Asian":           {at(14), "日本語 日本語", "日本語\n    日本語"},
		"no terminal":          {Screen{}, "one two, three four", "one two, three four"},
		"no room for anything": {at(6), "one two", "one two"},
	} {
		if diff := cmp.Diff(tt.want, Wrap(tt.s, tt.text, 4)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
