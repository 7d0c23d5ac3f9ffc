package term

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// Wrap breaks harmless text between words so that it fits the terminal's width behind indent
// cells, where its first line begins as well. A word that is too long stays whole: it may be there
// to be copied. Where lines may have any length text stays as it is.
func Wrap(s Screen, text string, indent int) string {
	room := s.width() - indent
	if room < narrowed || runewidth.StringWidth(text) <= room {
		return text
	}
	var b strings.Builder
	used := 0
	for i, word := range strings.Split(text, " ") {
		w := runewidth.StringWidth(word)
		switch {
		case i == 0:
		case used+1+w <= room:
			b.WriteByte(' ')
			used++
		default:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = 0
		}
		b.WriteString(word)
		used += w
	}
	return b.String()
}
