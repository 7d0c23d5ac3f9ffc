package term

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"
)

func sample() Table {
	return Table{
		Columns: []Column{{Name: "account"}, {Name: "size", Right: true}, {Name: "result"}},
		Rows: [][]Cell{
			{{Text: "work"}, {Text: "1.2 kB"}, {Text: "ok", Style: Good}},
			{{Text: "日本語"}, {Text: "9 B"}, {Text: "שלום, 📬 is full"}},
		},
	}
}

func TestTableLinesUp(t *testing.T) {
	got := printed(t, sample(), Screen{})
	want := strings.Join([]string{
		"account    size  result",
		"work     1.2 kB  ok",
		"日本語      9 B  שלום, 📬 is full",
		"",
	}, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// C7: narrow terminals.
func TestTableFitsTheTerminal(t *testing.T) {
	for _, width := range []int{24, 30, 40, 200} {
		got := printed(t, sample(), Screen{Size: func() (int, int) { return width, 25 }})
		for line := range strings.Lines(got) {
			if w := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); w > width {
				t.Errorf("%d cells on a terminal of %d: %q", w, width, line)
			}
		}
	}
}

func TestTableLeavesOutSpareColumns(t *testing.T) {
	table := sample()
	table.Columns[1].Spare = true
	for width, want := range map[int]bool{60: true, 29: false, 0: true} {
		got := printed(t, table, Screen{Size: func() (int, int) { return width, 25 }})
		if strings.Contains(got, "1.2 kB") != want || !strings.Contains(got, "result\n") {
			t.Errorf("on %d columns:\n%s", width, got)
		}
	}
}

func TestTableNeverCutsNumbers(t *testing.T) {
	got := printed(t, sample(), Screen{Size: func() (int, int) { return 5, 25 }})
	if !strings.Contains(got, "1.2 kB") {
		t.Errorf("no 1.2 kB in\n%s", got)
	}
}

func TestTablePaintsWithoutMovingColumns(t *testing.T) {
	plain := printed(t, sample(), Screen{})
	painted := printed(t, sample(), Screen{Colour: true})
	if !strings.Contains(painted, "\x1b[32mok\x1b[0m") {
		t.Errorf("no green ok in %q", painted)
	}
	for _, style := range []Style{Heading, Good} {
		painted = strings.ReplaceAll(painted, "\x1b["+string(style)+"m", "")
	}
	if diff := cmp.Diff(plain, strings.ReplaceAll(painted, "\x1b[0m", "")); diff != "" {
		t.Error(diff)
	}
}

func TestCut(t *testing.T) {
	for name, tt := range map[string]struct {
		screen Screen
		text   string
		width  int
		want   string
	}{
		"what fits stays":                   {Screen{}, "abc", 3, "abc"},
		"the mark counts":                   {Screen{}, "abcd", 3, "ab…"},
		"in three signs where ASCII is due": {Screen{ASCII: true}, "abcdef", 5, "ab..."},
		"no half of a wide character":       {Screen{}, "日本語", 4, "日…"},
		"no room for a mark":                {Screen{ASCII: true}, "abcdef", 3, "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Cut(tt.screen, tt.text, tt.width); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func printed(t testing.TB, table Table, s Screen) string {
	t.Helper()
	var b strings.Builder
	s.Writer = &b
	if err := table.Print(s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
