package term

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A Screen is standard output or standard error, and what it can show.
// With nothing but a Writer it is a plain file.
type Screen struct {
	io.Writer
	Terminal bool // a person looks at it
	Redraw   bool // ... and lines can be redrawn in place
	Colour   bool
	ASCII    bool                       // shows no other characters
	Size     func() (width, height int) // of the terminal, now; may be nil
}

// NewScreen finds out what f can show. An environment without UTF-8 (LC_ALL, LC_CTYPE, LANG) gets
// ASCII signs; TERM=dumb redraws nothing; NO_COLOR (no-color.org) and TERM=dumb get no colours
// unless they are asked for.
func NewScreen(f *os.File, colour When, getenv func(string) string) Screen {
	fd := int(f.Fd())
	terminal, dumb := term.IsTerminal(fd), getenv("TERM") == "dumb"
	s := Screen{
		Writer:   f,
		Terminal: terminal,
		Redraw:   terminal && !dumb,
		Colour:   colour == Always || colour == Auto && terminal && !dumb && getenv("NO_COLOR") == "",
		ASCII:    !utf8Locale(getenv),
	}
	if terminal {
		s.Size = func() (int, int) {
			width, height, err := term.GetSize(fd)
			if err != nil {
				return 0, 0
			}
			return width, height
		}
	}
	return s
}

// width is that of the terminal in cells, and 0 where lines may have any length.
func (s Screen) width() int {
	if s.Size == nil {
		return 0
	}
	w, _ := s.Size()
	return w
}

// Ellipsis is what stands where text was cut.
func (s Screen) Ellipsis() string {
	if s.ASCII {
		return "..."
	}
	return "…"
}

func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

// When says when colours are used.
type When string

const (
	Auto   When = "auto" // on a terminal that is not told otherwise
	Always When = "always"
	Never  When = "never"
)

// ParseWhen reads the value of --color.
func ParseWhen(s string) (When, error) {
	switch w := When(s); w {
	case Auto, Always, Never:
		return w, nil
	}
	return "", fmt.Errorf("%q is none of auto, always, never", s)
}

// A Style is a colour by what it means. The zero value is plain text.
type Style string

const (
	Plain   Style = ""
	Heading Style = "1"  // bold
	Good    Style = "32" // green
	Notice  Style = "33" // yellow
	Bad     Style = "31" // red
	Dim     Style = "2"
)

// Paint gives text its style where the screen has colours. The text itself must be harmless.
func (s Screen) Paint(style Style, text string) string {
	if !s.Colour || style == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}
