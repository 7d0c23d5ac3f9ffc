package owner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// past is a deadline that ends whatever waits.
var past = time.Unix(1, 0)

// A session is the owner's side of a connection.
type session struct {
	l      *Listener
	conn   *net.UnixConn
	in     *bufio.Reader
	client Hello
}

func newSession(l *Listener, conn *net.UnixConn) *session {
	return &session{l: l, conn: conn, in: bufio.NewReader(conn)}
}

// run serves the client until it leaves, or we do.
func (s *session) run() {
	defer s.conn.Close()
	defer context.AfterFunc(s.l.ctx, s.leave)()
	if err := s.greet(); err != nil {
		s.refuse(err)
		return
	}
	r, err := s.request()
	if err != nil {
		s.refuse(err)
		return
	}
	s.serve(r)
}

// greet exchanges hellos.
func (s *session) greet() error {
	s.within(s.l.promptly)
	if err := s.checkPeer(); err != nil {
		return err
	}
	m, err := s.read()
	if err != nil {
		return err
	}
	if m.Hello == nil {
		return NewFailure(CodeProtocol, "a hello comes first")
	}
	s.client = *m.Hello
	return s.say("hello", s.l.introduction())
}

func (s *session) checkPeer() error {
	p, err := peerOf(s.conn)
	if err != nil {
		return err
	}
	if me := os.Geteuid(); !p.mayAsk(me) {
		return NewFailure(CodeStranger, fmt.Sprintf("the state is served to %s, not to %v", userName(me), p))
	}
	return nil
}

// request waits for the client's request as long as the client likes, but not for the rest of one.
func (s *session) request() (*Request, error) {
	s.within(forever)
	if _, err := s.in.Peek(1); err != nil {
		return nil, err
	}
	s.within(s.l.promptly)
	m, err := s.read()
	if err != nil {
		return nil, err
	}
	if m.Do == "" {
		return nil, NewFailure(CodeProtocol, "a request comes after the hello")
	}
	if m.Body == nil {
		m.Body = json.RawMessage("null")
	}
	s.within(forever)
	return &Request{Do: m.Do, Body: m.Body, Client: s.client}, nil
}

// serve answers the request and returns when the client leaves.
func (s *session) serve(r *Request) {
	ctx, cancel := context.WithCancelCause(s.l.ctx)
	r.ctx, r.out = ctx, newOutbox(s.conn, s.l.ending, s.l.patience)
	var listening sync.WaitGroup
	listening.Go(func() { cancel(s.listen()) })
	if err := s.l.answer(ctx, r); err != nil {
		s.conn.Close()
	}
	listening.Wait()
}

// listen returns once the client has left, or has sent more than its request.
func (s *session) listen() error {
	_, err := s.in.Peek(1)
	if err == nil {
		return NewFailure(CodeProtocol, "a connection is for one request")
	}
	return err
}

// read reads a message. What the client is to be told of is a *[Failure].
func (s *session) read() (message, error) {
	m, err := read(s.in)
	if wrong, ok := errors.AsType[*wrongError](err); ok {
		return message{}, NewFailure(CodeProtocol, wrong.Error())
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && s.l.ctx.Err() == nil {
		return message{}, NewFailure(CodeProtocol, fmt.Sprintf("no whole line within %v", s.l.promptly))
	}
	return m, err
}

// refuse says why the connection ends, if the client is still there.
func (s *session) refuse(err error) {
	if f, ok := errors.AsType[*Failure](err); ok {
		s.within(s.l.hurry)
		s.say("failed", f)
	}
}

func (s *session) say(kind string, value any) error {
	line, err := encode(map[string]any{kind: value})
	if err != nil {
		return err
	}
	_, err = s.conn.Write(line)
	return err
}

const forever time.Duration = 0

// within sets how long reading and writing may take from now on, forever until we leave.
func (s *session) within(d time.Duration) {
	var deadline time.Time
	if d != forever {
		deadline = time.Now().Add(d)
	}
	s.conn.SetDeadline(deadline)
	if s.l.ctx.Err() != nil { // leave may have been before us
		s.leave()
	}
}

// leave ends all reading at once, and all writing soon.
func (s *session) leave() {
	s.conn.SetReadDeadline(past)
	s.conn.SetWriteDeadline(time.Now().Add(s.l.hurry))
}
