package term

import (
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// A Table lines cells up in columns, East Asian and emoji ones included.
type Table struct {
	Columns []Column
	Rows    [][]Cell // each as long as Columns
}

// A Column has a heading.
type Column struct {
	Name  string
	Right bool // for numbers, which are never cut
	Spare bool // left out where the terminal is narrow
}

// A Cell is harmless text (see [Escape]) on one line.
type Cell struct {
	Text  string
	Style Style
}

const (
	gap      = 2 // cells between two columns
	narrowed = 4 // a column of text is never cut to less
)

// Print writes the table. On a terminal it is cut to the terminal's width: spare columns go
// first, the last one before the others; then the widest columns of text give way.
func (t Table) Print(s Screen) error {
	heads := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = Cell{c.Name, Heading}
	}
	t.Rows = append([][]Cell{heads}, t.Rows...)
	width := s.width()
	for i := len(t.Columns) - 1; i >= 0 && width > 0; i-- {
		if t.Columns[i].Spare && total(t.natural()) > width {
			t = t.without(i)
		}
	}
	widths := t.fit(t.natural(), width)
	var b strings.Builder
	for _, row := range t.Rows {
		b.WriteString(t.line(s, row, widths))
		b.WriteByte('\n')
	}
	_, err := s.Write([]byte(b.String()))
	return err
}

// natural is how wide each column would like to be.
func (t Table) natural() []int {
	widths := make([]int, len(t.Columns))
	for _, row := range t.Rows {
		for i, c := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(c.Text))
		}
	}
	return widths
}

// total is how wide columns and the gaps between them are.
func total(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// without is t without its column i.
func (t Table) without(i int) Table {
	u := Table{Columns: slices.Delete(slices.Clone(t.Columns), i, i+1)}
	for _, row := range t.Rows {
		u.Rows = append(u.Rows, slices.Delete(slices.Clone(row), i, i+1))
	}
	return u
}

// fit takes from the widest columns of text until all fit into width.
func (t Table) fit(widths []int, width int) []int {
	widths = slices.Clone(widths)
	if width == 0 {
		return widths
	}
	for over := total(widths) - width; over > 0; over-- {
		widest := -1
		for i, w := range widths {
			if !t.Columns[i].Right && w > narrowed && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

func (t Table) line(s Screen, row []Cell, widths []int) string {
	var b strings.Builder
	for i, c := range row {
		text := Cut(s, c.Text, widths[i])
		fill := strings.Repeat(" ", max(0, widths[i]-runewidth.StringWidth(text)))
		switch last := i == len(row)-1; {
		case t.Columns[i].Right:
			b.WriteString(fill + s.Paint(c.Style, text))
		case last:
			b.WriteString(s.Paint(c.Style, text))
		default:
			b.WriteString(s.Paint(c.Style, text) + fill)
		}
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", gap))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Cut shortens text to at most width cells; an ellipsis stands for what is gone.
func Cut(s Screen, text string, width int) string {
	if runewidth.StringWidth(text) <= width {
		return text
	}
	mark := s.Ellipsis()
	if width <= runewidth.StringWidth(mark) {
		return runewidth.Truncate(text, width, "")
	}
	return runewidth.Truncate(text, width, mark)
}
