package pop3

import (
	"context"
	"strconv"
)

// DeleQuit marks msgs as deleted (RFC 1939, section 5 "DELE") and ends the session, in one round
// trip where the server pipelines. Each that the server refuses is told to refused. The deletions
// count as done only when it returns nil: the server deletes at QUIT.
func (c *Client) DeleQuit(ctx context.Context, msgs []Message, refused func(Message, *ResponseError)) error {
	defer c.c.until(ctx)()
	quit := func(yield func(call) bool) {
		yield(call{verb: "QUIT", read: func() error { _, err := c.ok(); return err }})
	}
	return c.pipelined(chain(c.deletions(msgs, refused), quit))
}

func (c *Client) deletions(msgs []Message, refused func(Message, *ResponseError)) func(func(call) bool) {
	return func(yield func(call) bool) {
		for _, m := range msgs {
			read := func() error {
				_, err := c.ok()
				if refusal, ok := err.(*ResponseError); ok {
					refused(m, refusal)
					return nil
				}
				return err
			}
			if !yield(call{verb: "DELE", args: strconv.Itoa(int(m.Number)), read: read}) {
				return
			}
		}
	}
}

// chain is one sequence after the other.
func chain[V any](seqs ...func(func(V) bool)) func(func(V) bool) {
	return func(yield func(V) bool) {
		for _, seq := range seqs {
			for v := range seq {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// Quit ends the session (RFC 1939, section 6): a server deletes what was marked, and some (Gmail)
// take note of what was retrieved.
func (c *Client) Quit(ctx context.Context) error {
	defer c.c.until(ctx)()
	_, err := c.exchange("QUIT", "")
	return err
}

// Leave sends QUIT, for those to whom its answer means nothing. The client is not to be used again
// but for the function that it returns, which closes the connection: an answer that has come by then
// is read, so that the server's end of the connection is in order too.
func (c *Client) Leave(ctx context.Context) (done func()) {
	release := c.c.until(ctx)
	if err := c.send("QUIT", "", "QUIT"); err != nil || c.c.flush() != nil {
		release()
		return func() { c.Close() }
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		c.ok()
	}()
	return func() {
		c.Close()
		<-answered
		release()
	}
}
