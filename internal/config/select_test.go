package config

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSelect(t *testing.T) {
	c := &Config{Accounts: []Account{{Name: "work", Enabled: true}, {Name: "old"}, {Name: "home", Enabled: true}}}
	for name, tt := range map[string]struct{ names, want []string }{
		"none named: the enabled ones":              {nil, []string{"work", "home"}},
		"named ones in the file's order":            {[]string{"home", "work"}, []string{"work", "home"}},
		"a disabled one is polled when it is named": {[]string{"old"}, []string{"old"}},
		"one named twice is polled once":            {[]string{"home", "home"}, []string{"home"}},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := c.Select(tt.names)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range chosen {
				got = append(got, a.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// C6
func TestSelectUnknown(t *testing.T) {
	c := &Config{Accounts: []Account{{Name: "work"}, {Name: "home"}}}
	for name, want := range map[string]*UnknownAccountError{
		"wrok":   {Name: "wrok", Suggestion: "work", Known: []string{"work", "home"}},
		"office": {Name: "office", Known: []string{"work", "home"}},
	} {
		_, err := c.Select([]string{"home", name})
		got, _ := errors.AsType[*UnknownAccountError](err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	_, err := c.Select([]string{"wrok"})
	if want := `unknown account "wrok"; did you mean "work"? (accounts: work, home)`; textOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
