package pop3

import (
	"bytes"
	"context"
	"io"
	"iter"
	"strconv"
)

const (
	keepHeader = 256 << 10 // octets of a header that are kept
	mostTop    = 64 << 20  // octets after which a reply to TOP is given up
)

// Top fetches the headers of msgs in order (RFC 1939, section 7 "TOP"), pipelined where the server
// can take it, and without the effects that RETR has on some servers.
//
// For each message each gets its header, or the server's refusal of this one message. The header
// is without dot-stuffing, in CRLF, and without the empty line that ends it; of a longer one the
// first 256 KiB come. It is valid until each returns. An error that each returns ends everything,
// as every error but a refusal does: nothing more is read from the connection.
func (c *Client) Top(ctx context.Context, msgs iter.Seq[Message], each func(m Message, header []byte, refusal *ResponseError) error) error {
	defer c.c.until(ctx)()
	var h header
	return c.pipelined(func(yield func(call) bool) {
		for m := range msgs {
			k := call{
				verb: "TOP", args: strconv.Itoa(int(m.Number)) + " 0", expect: keepHeader,
				read: func() error { return c.readHeader(m, &h, each) },
			}
			if !yield(k) {
				return
			}
		}
	})
}

func (c *Client) readHeader(m Message, h *header, each func(Message, []byte, *ResponseError) error) error {
	s, err := c.ok()
	if refusal, ok := err.(*ResponseError); ok {
		if err := each(m, nil, refusal); err != nil {
			return c.fail(err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if s.bareLF {
		return c.fail(protocolErrorf("TOP: the server ends its lines with a bare LF, so the end of a header cannot be told"))
	}
	c.c.await(true)
	h.reset()
	if _, err := io.Copy(h, &Body{c: c.c}); err != nil {
		return c.fail(err)
	}
	if err := each(m, h.text(), nil); err != nil {
		return c.fail(err)
	}
	return nil
}

// A header keeps the beginning of what is written to it.
type header struct {
	kept []byte
	size int // of all that was written
}

func (h *header) reset() { h.kept, h.size = h.kept[:0], 0 }

func (h *header) Write(b []byte) (int, error) {
	if h.size += len(b); h.size > mostTop {
		return 0, protocolErrorf("TOP: a header without end: given up after %d octets", mostTop)
	}
	h.kept = append(h.kept, b[:min(len(b), keepHeader-len(h.kept))]...)
	return len(b), nil
}

// text is what was kept up to the empty line: some servers send a line of the body too.
func (h *header) text() []byte {
	if bytes.HasPrefix(h.kept, []byte("\r\n")) {
		return nil
	}
	if i := bytes.Index(h.kept, []byte("\r\n\r\n")); i >= 0 {
		return h.kept[:i+2]
	}
	return h.kept
}
