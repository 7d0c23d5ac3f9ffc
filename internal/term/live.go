package term

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Live keeps a few lines at the bottom of a terminal and redraws them in place. What is written
// through it appears above them. It is for screens with Redraw set, and safe for several
// goroutines.
type Live struct {
	screen Screen

	mu    sync.Mutex
	lines []string // as they shall stand there
	drawn []string // as they stand above the cursor
}

// NewLive has no lines yet.
func NewLive(s Screen) *Live { return &Live{screen: s} }

// Show puts lines in the place of those shown before; with none it leaves nothing behind. Each is
// cut to the terminal's width, and those beyond its height become one line that counts them.
func (l *Live) Show(lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = lines
	if fit := l.fit(); !slices.Equal(fit, l.drawn) {
		_ = l.draw("", fit)
	}
}

// Write puts p, which ends a line, above the lines.
func (l *Live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.draw(string(p), l.fit()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Renew begins at the cursor again: somebody else has had the terminal.
func (l *Live) Renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drawn = nil
}

// draw is one write, so that nothing flickers.
func (l *Live) draw(above string, lines []string) error {
	var b strings.Builder
	if len(l.drawn) > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", len(l.drawn)) // up to our first line, and away from there
	}
	b.WriteString(above)
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	l.drawn = lines
	_, err := io.WriteString(l.screen, b.String())
	return err
}

// fit is what the terminal has room for. The last cell of a line stays empty: some terminals
// begin a new line there.
func (l *Live) fit() []string {
	var width, height int
	if l.screen.Size != nil {
		width, height = l.screen.Size()
	}
	lines := slices.Clone(l.lines)
	if room := max(height-1, 1); height > 0 && len(lines) > room {
		lines = append(lines[:room-1], fmt.Sprintf("and %d more", len(lines)-room+1))
	}
	if width > 0 {
		for i, line := range lines {
			lines[i] = Cut(l.screen, line, width-1)
		}
	}
	return lines
}
