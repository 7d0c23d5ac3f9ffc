package realtest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
)

// A Message is made from its seed: the same one always has the same bytes, and no two seeds give
// the same. Its lines end in LF, as they lie in a Maildir.
type Message struct {
	Seed uint64
	Size int64  // octets, about: the last line is written to its end
	Raw  string // instead of what a seed gives
}

// Messages makes n of them from seeds first, first+1 and so on.
func Messages(first uint64, n int, size int64) []Message {
	all := make([]Message, n)
	for i := range all {
		all[i] = Message{Seed: first + uint64(i), Size: size}
	}
	return all
}

// lines are the traps among a message's lines. A CR stands nowhere before an LF: a server would
// take the two for one line end.
var lines = [][]byte{
	[]byte(""),
	[]byte("."),
	[]byte(".."),
	[]byte(".a line that begins with a dot"),
	[]byte("From here on an mbox would see another message"),
	[]byte("-ERR this is no answer"),
	[]byte("+OK 3 octets"),
	[]byte("gr\xfc\xdfe in Latin-1, gr\xc3\xbc\xc3\x9fe in UTF-8, and \xff\xfe"),
	[]byte("a CR\rin the middle,\ttabs, \x1b[31mescapes\x1b[0m and \x7f"),
	[]byte("blanks at the end   "),
	bytes.Repeat([]byte("a line longer than 998 octets "), 50),
}

// WriteTo writes the message without ever holding it.
func (m Message) WriteTo(w io.Writer) (int64, error) {
	if m.Raw != "" {
		n, err := io.WriteString(w, m.Raw)
		return int64(n), err
	}
	counted := &counter{w: w}
	out := bufio.NewWriterSize(counted, 64<<10)
	random := rand.New(rand.NewPCG(m.Seed, 0))
	fmt.Fprintf(out, "Return-Path: <sender@example.org>\nFrom: sender@example.org\nTo: user@example.org\n")
	fmt.Fprintf(out, "Subject: message %d\nMessage-ID: <%d.%d@example.org>\n\n", m.Seed, m.Seed, m.Size)
	for counted.n+int64(out.Buffered()) < m.Size {
		if random.IntN(4) > 0 {
			fmt.Fprintf(out, "%016x is an ordinary line of %016x\n", random.Uint64(), m.Seed)
			continue
		}
		out.Write(lines[random.IntN(len(lines))])
		out.WriteByte('\n')
	}
	err := out.Flush() // and the first error of the writes before
	return counted.n, err
}

// Sum is the SHA-256 of the message.
func (m Message) Sum() Sum {
	hash := sha256.New()
	m.WriteTo(hash) // a hash takes everything
	return Sum(hash.Sum(nil))
}

// counter counts octets and line ends on their way to w.
type counter struct {
	w    io.Writer
	n    int64
	ends int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.ends += int64(bytes.Count(p[:n], []byte("\n")))
	return n, err
}
