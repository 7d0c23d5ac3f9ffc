package fetch

import (
	"context"
	"errors"
	"strings"
	"time"

	"popsync/fetch/pop3"
)

// commitsAtQuit is the capability of a server whose QUIT takes note of what was retrieved, so
// that it never shows again (Gmail, CAPA of 2025-05).
const commitsAtQuit = "X-GOOGLE-RICO"

// reach opens a connection that is ready for the log-in.
func (s *session) reach(ctx context.Context) error {
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.capabilities(ctx); err != nil {
		return err
	}
	if s.account.Server.Security == StartTLS {
		if err := s.startTLS(ctx); err != nil {
			return err
		}
	}
	s.offered = s.client.Capabilities()
	return nil
}

// capabilities asks for them. A server that goes away at CAPA, as old ones and some gates do, is
// asked again without (W13); where STLS is wanted there is no log-in without it.
func (s *session) capabilities(ctx context.Context) error {
	if s.noCapa {
		return nil
	}
	_, err := s.client.Capa(ctx)
	if err == nil {
		return nil
	}
	if !errors.Is(err, pop3.ErrClosed) || s.account.Server.Security == StartTLS {
		return s.step("ask for capabilities", err)
	}
	s.noCapa = true
	s.tell(Event{Kind: Noted, Text: "the server closes the connection at CAPA; it is not asked again"})
	s.client.Close()
	return s.connect(ctx)
}

// connect opens the connection, secure from the first byte where that is configured.
func (s *session) connect(ctx context.Context) error {
	line, failed := s.dialer.dial(ctx, s.account.Server, s.account.Timeout)
	if failed != nil {
		return failed
	}
	s.secured, s.exposed = line.tls, line.exposed
	s.address = line.conn.RemoteAddr().String()
	s.complaint = line.complaint
	client, err := pop3.NewClient(ctx, line.conn, pop3.Options{
		Timeout:    s.account.Timeout,
		Pipelining: s.pipelining(),
		User:       s.account.User,
		Password:   s.password.Reveal(),
		OneForm:    s.refusedBefore > 0, // each counts at the server
		Trace:      s.trace,
	})
	if err != nil {
		return s.greetingFailed(err)
	}
	s.client = client
	return nil
}

// startTLS makes the session secure, or fails before a byte of the log-in was sent (T1). STLS is
// only asked for where it is announced: what a server says otherwise proves nothing.
func (s *session) startTLS(ctx context.Context) error {
	if !s.client.Capabilities().STLS {
		return &Error{
			Step: "STLS", Kind: Unreachable, Err: errNoSTLS,
			Hint: "try tls: implicit with port 995; tls: none would send the password in the clear",
		}
	}
	if err := s.client.STLS(ctx, s.account.Server.config(&s.secured)); err != nil {
		return s.stlsFailed(err)
	}
	if _, err := s.client.Capa(ctx); err != nil {
		return s.step("ask for capabilities", err)
	}
	return nil
}

// pipeliningRest is how long a server that was seen to lose early commands gets them one at a
// time; then it is tried again, in case it was the network after all.
const pipeliningRest = 24 * time.Hour

// pipelining is what the account says, unless its server was seen to lose commands.
func (s *session) pipelining() pop3.Pipelining {
	lost := s.last.LostPipeline
	if s.account.Pipelining != pop3.Announced || lost.IsZero() || s.now().Sub(lost.Time()) > pipeliningRest {
		return s.account.Pipelining
	}
	s.tell(Event{Kind: Noted, Text: "one command at a time: the server announces PIPELINING, and seemed to lose commands that came early"})
	return pop3.Never
}

// quitCommits says whether QUIT makes the server forget what was retrieved.
func (s *session) quitCommits() bool {
	for _, l := range s.client.Capabilities().Lines {
		if strings.EqualFold(strings.TrimSpace(l), commitsAtQuit) {
			return true
		}
	}
	return false
}
