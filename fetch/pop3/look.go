package pop3

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"popsync/internal/arena"
)

const (
	// mostMessages in one listing are believed to be a mailbox.
	mostMessages = 1_200_000
	// mostListOctets: 1,200,000 lines with UIDs of 70 characters, and a little more.
	mostListOctets = 96 << 20

	// shortestLine of a listing is "1 1", with its end.
	shortestLine = 5

	// expectedMessages is how many a server may say that it has, for us to take memory beforehand.
	expectedMessages = 1 << 16

	// UnknownSize is the size of a message that LIST gave none for.
	UnknownSize = -1
)

// A Message is one line of a listing.
type Message struct {
	Number int32  // of this session; from 1
	Size   int64  // octets, a hint (W6); [UnknownSize] without
	UID    string // any octets but CR, LF; may be empty, and the same as another's
}

// A Listing is what a server says lies in the mailbox.
type Listing struct {
	Messages []Message // those with a UID line, by number
	Count    int       // of STAT, or -1
	Sized    bool      // LIST was asked and answered
	Odd      int       // lines of UIDL that make no sense: numbers out of range or repeated, UIDs too long
	NoUID    int       // messages of LIST that UIDL does not name
}

// Complete says whether what is not listed is not there: nothing in the listing is odd, and
// STAT, where it was understood, does not count more.
func (l Listing) Complete() bool {
	return l.Odd == 0 && l.NoUID == 0 && l.Count <= len(l.Messages)
}

// A Want says what [Client.Look] is to ask for besides UIDL.
type Want struct{ Capa, Stat, List bool }

// AddSizes asks with LIST for the sizes that a Look without it has left out.
func (c *Client) AddSizes(ctx context.Context, l *Listing) error {
	defer c.c.until(ctx)()
	return c.askAll([]ask{{true, "LIST", func() error { return c.readList(l) }}})
}

// AddStat asks with STAT for the count that a Look without it has left out.
func (c *Client) AddStat(ctx context.Context, l *Listing) error {
	defer c.c.until(ctx)()
	return c.askAll([]ask{{true, "STAT", func() error { return c.readStat(l) }}})
}

// Look asks for the listing, in one round trip where the server pipelines. Only UIDL has to be
// answered well: a refusal of it is a *ResponseError; the rest are hints.
func (c *Client) Look(ctx context.Context, want Want) (Listing, error) {
	defer c.c.until(ctx)()
	l := Listing{Count: -1}
	var refused error
	asks := []ask{
		{want.Capa, "CAPA", c.readCapa},
		{want.Stat, "STAT", func() error { return c.readStat(&l) }},
		{true, "UIDL", func() error { refused = c.readUIDL(&l); return refusalIsFine(refused) }},
		{want.List, "LIST", func() error { return c.readList(&l) }},
	}
	if err := c.askAll(asks); err != nil {
		return l, err
	}
	if refused != nil {
		return l, refused
	}
	return l, nil
}

// An ask is a command without arguments and what reads its answer.
type ask struct {
	wanted bool
	verb   string
	read   func() error
}

// askAll sends all commands before it reads the first answer, where the server pipelines.
func (c *Client) askAll(asks []ask) error {
	asks = slices.DeleteFunc(asks, func(a ask) bool { return !a.wanted })
	together := c.Pipelining()
	if together {
		for _, a := range asks {
			if err := c.send(a.verb, "", a.verb); err != nil {
				return err
			}
		}
	}
	for _, a := range asks {
		if !together {
			if err := c.send(a.verb, "", a.verb); err != nil {
				return err
			}
		}
		if err := a.read(); err != nil {
			return err
		}
	}
	return nil
}

// readStat takes a drop listing (RFC 1939, section 5 "STAT"): a hint, so nonsense is no error.
func (c *Client) readStat(l *Listing) error {
	s, err := c.ok()
	if err != nil {
		return refusalIsFine(err)
	}
	words := strings.Fields(s.text)
	if len(words) == 0 {
		return nil
	}
	if count, err := strconv.ParseUint(words[0], 10, 31); err == nil {
		l.Count = int(count)
	}
	return nil
}

// readUIDL reads a unique-id listing (RFC 1939, section 7).
func (c *Client) readUIDL(l *Listing) error {
	if _, err := c.ok(); err != nil {
		return err
	}
	l.Messages = make([]Message, 0, min(max(0, l.Count), expectedMessages))
	var text arena.Strings
	left := l.Count
	err := c.readLines("UIDL", true, keepLine, mostListOctets, func(ln line) error {
		left--
		c.c.bulk.sure = left * shortestLine
		if len(ln.text) == 0 {
			return nil
		}
		n, rest, ok := cutNumber(ln.text)
		if !ok || ln.cut {
			l.Odd++
			return nil
		}
		if len(l.Messages) == mostMessages {
			return protocolErrorf("UIDL: a list without end: given up after %d messages", mostMessages)
		}
		l.Messages = append(l.Messages, Message{Number: n, Size: UnknownSize, UID: text.String(rest)})
		return nil
	})
	if err == nil {
		l.dropRepeated()
	}
	return err
}

// dropRepeated sorts by number and takes out those numbers that are given twice: which UID is
// the message's cannot be told.
func (l *Listing) dropRepeated() {
	byNumber := func(a, b Message) int { return cmp.Compare(a.Number, b.Number) }
	if !slices.IsSortedFunc(l.Messages, byNumber) {
		slices.SortStableFunc(l.Messages, byNumber)
	}
	kept := l.Messages[:0]
	for i := 0; i < len(l.Messages); {
		same := i + 1
		for same < len(l.Messages) && l.Messages[same].Number == l.Messages[i].Number {
			same++
		}
		if same == i+1 {
			kept = append(kept, l.Messages[i])
		} else {
			l.Odd += same - i
		}
		i = same
	}
	l.Messages = kept
}

// readList reads a scan listing (RFC 1939, section 5 "LIST") and adds the sizes to those messages
// that UIDL has named before. A refusal, and any line that makes no sense, only mean that sizes
// are not known.
func (c *Client) readList(l *Listing) error {
	if _, err := c.ok(); err != nil {
		return refusalIsFine(err)
	}
	at, lines := 0, 0
	err := c.readLines("LIST", true, keepStatus, mostListOctets, func(ln line) error {
		c.c.bulk.sure = (len(l.Messages) - lines) * shortestLine
		if lines++; lines > mostMessages {
			return protocolErrorf("LIST: a list without end: given up after %d messages", mostMessages)
		}
		if n, rest, ok := cutNumber(ln.text); ok {
			at = l.addSize(at, n, parseSize(rest))
		}
		return nil
	})
	for i := range l.Messages {
		l.Messages[i].Size = max(l.Messages[i].Size, UnknownSize)
	}
	l.Sized = err == nil
	return err
}

// sizedTwice marks a message that has two sizes and so none.
const sizedTwice = UnknownSize - 1

// addSize gives message n its size. Lines mostly come in order, so it is first looked for at
// index at; the return value is where the next one may be.
func (l *Listing) addSize(at int, n int32, size int64) int {
	if at >= len(l.Messages) || l.Messages[at].Number != n {
		var found bool
		at, found = slices.BinarySearchFunc(l.Messages, n, func(m Message, n int32) int { return cmp.Compare(m.Number, n) })
		if !found {
			if l.Odd == 0 { // otherwise it may be one of the odd lines, and has been counted
				l.NoUID++
			}
			return at
		}
	}
	if l.Messages[at].Size == UnknownSize {
		l.Messages[at].Size = size
	} else {
		l.Messages[at].Size = sizedTwice
	}
	return at + 1
}

// parseSize is the number at the beginning of s, or UnknownSize.
func parseSize(s []byte) int64 {
	word, _, _ := bytes.Cut(s, []byte(" "))
	var size int64
	for _, c := range word {
		if c < '0' || c > '9' || size > (math.MaxInt64-9)/10 {
			return UnknownSize
		}
		size = size*10 + int64(c-'0')
	}
	if len(word) == 0 {
		return UnknownSize
	}
	return size
}

// cutNumber takes a message number and the blanks behind it off a line: 1 to 2^31-1, digits
// alone.
func cutNumber(s []byte) (n int32, rest []byte, ok bool) {
	i := 0
	var value int64
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if value = value*10 + int64(s[i]-'0'); value > 1<<31-1 {
			return 0, nil, false
		}
	}
	if i == 0 || value == 0 || i < len(s) && s[i] != ' ' {
		return 0, nil, false
	}
	return int32(value), trimBlanks(s[i:]), true
}

// trimBlanks takes blanks off both ends: some servers pad lines.
func trimBlanks(s []byte) []byte {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*ResponseError](err)
	return ok
}
