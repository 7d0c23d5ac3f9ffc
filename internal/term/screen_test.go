package term

import (
	"os"
	"path/filepath"
	"testing"
)

func TestScreenOfAFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	none := func(string) string { return "" }
	for when, colour := range map[When]bool{Auto: false, Never: false, Always: true} {
		s := NewScreen(f, when, none)
		if s.Terminal || s.Redraw || s.Colour != colour {
			t.Errorf("--color=%s: %+v", when, s)
		}
	}
}

func TestLocale(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		utf8 bool
	}{
		"none at all is C":        {nil, false},
		"C":                       {map[string]string{"LANG": "C"}, false},
		"C.UTF-8":                 {map[string]string{"LANG": "C.UTF-8"}, true},
		"de_DE.utf8":              {map[string]string{"LANG": "de_DE.utf8"}, true},
		"LC_ALL wins":             {map[string]string{"LC_ALL": "C", "LANG": "C.UTF-8"}, false},
		"LC_CTYPE wins over LANG": {map[string]string{"LC_CTYPE": "C.UTF-8", "LANG": "C"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := utf8Locale(func(k string) string { return tt.env[k] }); got != tt.utf8 {
				t.Errorf("UTF-8: %v", got)
			}
		})
	}
}

func TestParseWhen(t *testing.T) {
	if w, err := ParseWhen("always"); w != Always || err != nil {
		t.Error(w, err)
	}
	if _, err := ParseWhen("yes"); err == nil || err.Error() != `"yes" is none of auto, always, never` {
		t.Error(err)
	}
}
