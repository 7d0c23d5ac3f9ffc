package poptest

import (
	"fmt"
	"io"
	"slices"
)

// wrapper is what Courier 1.0.16 sends where a client that has not said UTF8 asks for a message that has
// 8-bit octets in its header. LIST goes on telling the size of the message within.
const wrapper = "From: Mail Delivery Subsystem <>\r\n" +
	"Subject: Cannot display Unicode content\r\n" +
	"Mime-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=%[1]q\r\n" +
	"\r\n" +
	"--%[1]s\r\n" +
	"Content-Type: text/plain; charset=us-ascii\r\n" +
	"\r\n" +
	"This message cannot be displayed, since your mail reader does not support Unicode.\r\n" +
	"\r\n" +
	"--%[1]s\r\n" +
	"Content-Type: message/global\r\n" +
	"Content-Transfer-Encoding: 8bit\r\n" +
	"\r\n"

// text is what RETR and TOP send of m.
func (c *Conn) text(m *Message) func(io.Writer) error {
	if !c.server.opts.WrapsUTF8 || c.utf8 || !m.eightBitHeader() {
		return m.write
	}
	boundary := fmt.Sprintf("=_courier-%d-%d", c.ID, c.server.wrapped.Add(1)) // another one each time
	return func(w io.Writer) error {
		if _, err := fmt.Fprintf(w, wrapper, boundary); err != nil {
			return err
		}
		if err := m.write(w); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "\r\n--%s--\r\n", boundary)
		return err
	}
}

// eightBitHeader says whether there is an octet over 127 before the first blank line.
func (m *Message) eightBitHeader() bool {
	var found bool
	top := &topWriter{w: writerFunc(func(p []byte) { found = found || slices.ContainsFunc(p, func(b byte) bool { return b > 127 }) })}
	_ = m.write(top) // ends with errFull behind the header
	return found
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
