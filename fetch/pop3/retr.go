package pop3

import (
	"context"
	"iter"
	"strconv"
)

// Retr fetches msgs in order (RFC 1939, section 5 "RETR"), pipelined where the server can take
// it. msgs is asked for the next message when there is room for another command; once it ends,
// what is under way still arrives.
//
// For each message receive gets its body, or the server's refusal of this one message. What it
// leaves unread of a body is read and thrown away. What LIST announced is not looked at. An
// error that receive returns ends everything, as every error but a refusal does: nothing more is
// read from the connection.
func (c *Client) Retr(ctx context.Context, msgs iter.Seq[Message], receive func(Message, *Body, *ResponseError) error) error {
	defer c.c.until(ctx)()
	return c.pipelined(func(yield func(call) bool) {
		for m := range msgs {
			k := call{
				verb: "RETR", args: strconv.Itoa(int(m.Number)), expect: expected(m.Size),
				read: func() error { return c.readMessage(m, receive) },
			}
			if !yield(k) {
				return
			}
		}
	})
}

// expected is how much of the window a message takes; the announced size is only a hint.
func expected(size int64) int64 {
	if size < 0 {
		return guessedSize
	}
	return min(size, windowReplies)
}

func (c *Client) readMessage(m Message, receive func(Message, *Body, *ResponseError) error) error {
	s, err := c.ok()
	if refusal, ok := err.(*ResponseError); ok {
		if err := receive(m, nil, refusal); err != nil {
			return c.fail(err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if s.bareLF {
		return c.fail(protocolErrorf("RETR: the server ends its lines with a bare LF, so the end of a message cannot be told"))
	}
	c.c.await(true)
	body := &Body{c: c.c, done: c.answered}
	if err := receive(m, body, nil); err != nil {
		return c.fail(err)
	}
	if err := body.discard(); err != nil {
		return c.fail(err)
	}
	return nil
}
