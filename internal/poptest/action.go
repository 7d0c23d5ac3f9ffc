package poptest

import (
	"bytes"
	"errors"
	"net"
	"time"
)

// An Action is an answer to a command, or a part of one. An error ends the session.
type Action func(c *Conn) error

// Nothing leaves the command without an answer; the session goes on.
func Nothing(*Conn) error {
	return nil
}

// Send sends raw as it is: its CRLF and its closing dot are the caller's.
func Send(raw string) Action {
	return func(c *Conn) error {
		_, err := c.Write([]byte(raw))
		return err
	}
}

// Seq is one action after the other. Default may be among them.
func Seq(actions ...Action) Action {
	return func(c *Conn) error {
		for _, do := range actions {
			if err := do(c); err != nil {
				return err
			}
		}
		return nil
	}
}

// After answers as usual, but sends no more than the first n octets of that; then comes end. With a
// large n end comes behind a complete answer.
func After(n int64, end Action) Action {
	return func(c *Conn) error {
		c.out.limit = n
		err := Default(c)
		cut := c.out.limit == 0
		c.out.limit = unlimited
		if err != nil && !cut && !errors.Is(err, errOver) {
			return err
		}
		return end(c)
	}
}

// Sleep sends what there is and lets d pass.
func Sleep(d time.Duration) Action {
	return func(c *Conn) error { return c.Sleep(d) }
}

// Drip sends raw octet by octet, with a pause behind each but the last.
func Drip(raw string, pause time.Duration) Action {
	return func(c *Conn) error {
		for i := range len(raw) {
			if i > 0 {
				if err := c.Sleep(pause); err != nil {
					return err
				}
			}
			if _, err := c.Write([]byte{raw[i]}); err != nil {
				return err
			}
		}
		return nil
	}
}

// Slowly answers as usual, at most chunk octets at a time, with a pause behind each piece: a body that drips.
func Slowly(chunk int, pause time.Duration) Action {
	return func(c *Conn) error {
		if err := c.out.flush(); err != nil {
			return err
		}
		before, sleep := c.out.chunk, c.out.sleep
		c.out.chunk, c.out.sleep = chunk, func() error { return c.wait(pause) }
		err := Default(c)
		if err == nil {
			err = c.out.flush()
		}
		c.out.chunk, c.out.sleep = before, sleep
		return err
	}
}

// Flood sends block again and again until the client goes away or limit octets were sent; then it cuts.
// [Session.Sent] tells how many were taken.
func Flood(block string, limit int64) Action {
	return func(c *Conn) error {
		many := bytes.Repeat([]byte(block), max(1, outSize/len(block)))
		for n := int64(0); n < limit; n += int64(len(many)) {
			if _, err := c.Write(many); err != nil {
				return err
			}
		}
		return Cut(c)
	}
}

// Stall sends what there is and then nothing more, ever. It ends when the client goes away.
func Stall(c *Conn) error {
	err := c.out.flush()
	c.release()
	c.in.drain()
	if err != nil {
		return err
	}
	select {
	case <-c.gone:
	case <-c.done:
	}
	return errOver
}

// Cut sends what there is and ends the connection in good order: with close_notify under TLS, and FIN.
func Cut(c *Conn) error {
	if err := c.out.flush(); err != nil {
		return err
	}
	if over, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = over.CloseWrite()
	}
	return c.fin()
}

// CutTLS is Cut without close_notify. In clear it is the same as Cut.
func CutTLS(c *Conn) error {
	if err := c.out.flush(); err != nil {
		return err
	}
	return c.fin()
}

// Reset sends what there is and ends the connection with RST, by which the client may lose what it has
// not read yet. Over a pipe it is the same as CutTLS.
func Reset(c *Conn) error {
	if err := c.out.flush(); err != nil {
		return err
	}
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return errOver
}

// fin ends the sending side, and reads on for a while: closing a socket that holds unread octets would
// send RST.
func (c *Conn) fin() error {
	half, ok := c.raw.(interface{ CloseWrite() error })
	if !ok {
		return errOver
	}
	_ = half.CloseWrite()
	c.release()
	c.in.drain()
	_ = c.wait(linger)
	return errOver
}
