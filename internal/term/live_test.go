package term

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLiveRedrawsInPlace(t *testing.T) {
	var b strings.Builder
	l := NewLive(Screen{Writer: &b})
	steps := []struct {
		do   func()
		want string
	}{
		{func() { l.Show([]string{"work 1", "home 1"}) }, "work 1\nhome 1\n"},
		{func() { l.Show([]string{"work 1", "home 1"}) }, ""},
		{func() { l.Show([]string{"home 2"}) }, "\x1b[2A\r\x1b[Jhome 2\n"},
		{func() { l.Write([]byte("a warning\n")) }, "\x1b[1A\r\x1b[Ja warning\nhome 2\n"},
		{func() { l.Renew(); l.Show([]string{"home 3"}) }, "home 3\n"},
		{func() { l.Show(nil) }, "\x1b[1A\r\x1b[J"},
		{func() { l.Show(nil) }, ""},
		{func() { l.Write([]byte("the end\n")) }, "the end\n"},
	}
	for i, s := range steps {
		b.Reset()
		s.do()
		if diff := cmp.Diff(s.want, b.String()); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
}

func TestLiveFitsTheTerminal(t *testing.T) {
	var b strings.Builder
	l := NewLive(Screen{Writer: &b, Size: func() (int, int) { return 8, 4 }})
	l.Show([]string{"abcdefghij", "2", "3", "4", "5"})
	if diff := cmp.Diff("abcdef…\n2\nand 3 …\n", b.String()); diff != "" {
		t.Error(diff)
	}
}
