package realtest

import (
	"fmt"
	"strings"
)

// A Oddity is a message that some server or program stumbles over.
type Oddity struct {
	Name string
	Raw  string // LF line ends
}

const oddHeader = "From: sender@example.org\nTo: user@example.org\nDate: Tue, 14 Nov 2023 22:13:20 +0000\n"

// Oddities are those that the tests put on every server that can hold them.
func Oddities() []Oddity {
	with := func(subject, body string) string {
		return fmt.Sprintf("%sMessage-ID: <%x@example.org>\nSubject: %s\n\n%s", oddHeader, subject, subject, body)
	}
	all := []Oddity{
		{"UTF-8 in the header", with("grüße, \xe2\x82\xac", "a body\n")},
		{"Latin-1 in the header", with("gr\xfc\xdfe", "a body\n")},
		{"8-bit body", with("body of 8 bit", "gr\xfc\xdfe and grüße and \xff\xfe\n")},
		{"no final line end", with("no end", "the last line has no end")},
		{"no body", with("no body", "")},
		{"no header", "\nthere is nothing above this\n"},
		{"no blank line", oddHeader + "Subject: only a header\n"},
		{"text without a header", "This is no header.\nNeither is this.\n"},
		{"dots", with("dots", ".\n..\n...\n.a\n..b\n\n.\n")},
		{"a line of 100,000 octets", with("long", strings.Repeat("0123456789", 10_000)+"\n")},
		{"From lines", with("from", "From here on\n\nFrom sender@example.org Tue Nov 14 22:13:20 2023\n>From there\n")},
		{"bare CR", with("bare cr", "one\rtwo\r\rthree\n")},
		{"NUL", with("nul", "one\x00two\x00\n")},
		{"control characters", with("\x1b[31mred\x07", "\x01\x02\x1b]0;title\x07\n")},
		{"answers in the body", with("answers", "-ERR no\n+OK yes\n.\n+OK 2 messages\n")},
		{"blank lines at the end", with("blanks", "text\n\n\n\n")},
	}
	return append(all, twins()...)
}

// twins have one header and so, on servers that make the UID from it, one UID: four messages with
// bodies of their own, and two that are the same.
func twins() []Oddity {
	var all []Oddity
	for _, n := range []int{1, 2, 3, 4, 5, 5} {
		body := fmt.Sprintf("This is twin %d of one Message-ID.\n", n)
		all = append(all, Oddity{"twins", oddHeader + "Message-ID: <twin@example.org>\nSubject: twin\n\n" + body})
	}
	return all
}
