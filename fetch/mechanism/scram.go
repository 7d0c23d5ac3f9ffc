package mechanism

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

// The iteration counts that are computed. Fewer make a stolen answer cheap to break (RFC 7677,
// section 4), more are an attack on us: a million take about half a second.
const (
	fewestIterations = 4096
	mostIterations   = 1_000_000
)

// A scramClient is SCRAM-SHA-1 or SCRAM-SHA-256 (RFC 5802, RFC 7677), with channel binding or
// without. The server has to prove that it knows the password too.
type scramClient struct {
	hash        scram.HashGeneratorFcn
	name        Name
	credentials Credentials
	nonce       scram.NonceGeneratorFcn // nil: random

	binding   scram.ChannelBinding // zero without
	couldBind bool                 // and would, but the server does not offer it
	unbound   bool                 // the server also offers the form without

	conversation *scram.ClientConversation
	state        scramState
	detail       string
}

// A scramState is what has been said.
type scramState uint8

const (
	scramBegun   scramState = iota
	scramFirst              // client-first-message
	scramProof              // client-final-message
	scramRefused            // the server has sent an error (RFC 5802, section 7, server-error)
	scramDone               // the server's signature is right
)

var errUnproven = errors.New("the server did not prove that it knows the password")

func newSCRAM(name Name, c Credentials) *scramClient {
	client := &scramClient{hash: scram.SHA256, name: name, credentials: c}
	if name == SCRAMSHA1 {
		client.hash = scram.SHA1
	}
	return client
}

// unprepared is why SCRAM cannot be done with what an account has (SASLprep, RFC 4013), or "".
func unprepared(c Credentials) string {
	if !utf8.ValidString(c.User) || !prepares(c.User) {
		return "the user name holds characters that SCRAM does not allow (SASLprep, RFC 4013)"
	}
	if !utf8.ValidString(c.Secret) || !prepares(c.Secret) {
		return "the password holds characters that SCRAM does not allow (SASLprep, RFC 4013)"
	}
	return ""
}

func prepares(s string) bool {
	_, err := scram.SHA1.NewClient("", s, "")
	return err == nil
}

func (s *scramClient) Start() (string, []byte, error) {
	client, err := s.hash.NewClient(s.credentials.User, s.credentials.Secret, "")
	if err != nil {
		return "", nil, settings(s.name, unprepared(s.credentials))
	}
	if s.nonce != nil {
		client.WithNonceGenerator(s.nonce)
	}
	name := kinds[s.name].sasl
	switch {
	case s.binding.IsSupported():
		name += plus
		s.conversation = client.NewConversationWithChannelBinding(s.binding)
	case s.couldBind:
		s.conversation = client.NewConversationAdvertisingChannelBinding()
	default:
		s.conversation = client.NewConversation()
	}
	s.state, s.detail = scramFirst, ""
	first, err := s.conversation.Step("")
	return name, []byte(first), err
}

// Next is NextContext without an end.
func (s *scramClient) Next(challenge []byte) ([]byte, error) {
	return s.NextContext(context.Background(), challenge)
}

// NextContext answers a challenge. The first takes up to a million rounds of PBKDF2: when ctx ends
// nobody waits for them any more.
func (s *scramClient) NextContext(ctx context.Context, challenge []byte) ([]byte, error) {
	if bytes.HasPrefix(challenge, []byte("e=")) && s.state != scramRefused {
		s.state, s.detail = s.state.refused(), string(challenge[2:])
		return nil, nil
	}
	switch s.state {
	case scramFirst:
		if err := checkIterations(challenge); err != nil {
			return nil, err
		}
		answer, err := s.prove(ctx, string(challenge))
		if err == nil {
			s.state = scramProof
		}
		return answer, err
	case scramProof:
		return nil, s.verify(string(challenge))
	case scramBegun, scramRefused, scramDone:
	}
	return nil, errMore
}

// refused is the state after a server's error: without a proof nothing was decided about the
// password.
func (s scramState) refused() scramState {
	if s == scramFirst {
		return scramBegun
	}
	return scramRefused
}

// prove computes the proof.
func (s *scramClient) prove(ctx context.Context, challenge string) ([]byte, error) {
	type result struct {
		answer string
		err    error
	}
	done := make(chan result, 1)
	conversation := s.conversation
	go func() { // left alone when ctx ends: it is over in a second, and has nobody to tell
		answer, err := conversation.Step(challenge)
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, errors.New(harmless(r.err.Error()))
		}
		return []byte(r.answer), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// checkIterations looks at the iteration count of a server-first-message before anything is
// computed.
func checkIterations(challenge []byte) error {
	fields := strings.Split(string(challenge), ",")
	if len(fields) < 3 || !strings.HasPrefix(fields[2], "i=") {
		return errors.New("the server's challenge is not SCRAM's")
	}
	count := fields[2][len("i="):]
	n, err := strconv.ParseUint(count, 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return errors.New("the server's iteration count is no number")
	case err != nil, n > mostIterations:
		return fmt.Errorf("the server wants an iteration count of %s; more than %d are refused", harmless(count), mostIterations)
	case n < fewestIterations:
		return fmt.Errorf("the server wants an iteration count of %d; less than %d are unsafe", n, fewestIterations)
	}
	return nil
}

// verify checks the server's signature.
func (s *scramClient) verify(final string) error {
	if _, err := s.conversation.Step(final); err != nil || !s.conversation.Valid() {
		s.state = scramRefused
		return errUnproven
	}
	s.state = scramDone
	return nil
}

// Finish says whether the server may say +OK: it has sent its signature, or sends it in the text
// of +OK. RFC 5034 has no room for it there; some put it there all the same.
func (s *scramClient) Finish(text string) error {
	if s.state == scramProof {
		word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
		if final, err := base64.StdEncoding.DecodeString(word); err == nil {
			return s.verify(string(final))
		}
	}
	if s.state != scramDone {
		return errUnproven
	}
	return nil
}

// Detail is the error that the server has sent, or "".
func (s *scramClient) Detail() string { return s.detail }

// Instead is the same log-in without channel binding, for a server that refused the bound one for
// the binding's sake, with said as its words: it has not seen a proof, or its words speak of
// something else than the password. Cyrus 3.6 says "[AUTH] authenticating: bad protocol / cancel".
// Nil where there is no such thing.
func (s *scramClient) Instead(said string) sasl.Client {
	if !s.binding.IsSupported() || !s.unbound {
		return nil
	}
	said = strings.ToLower(said + " " + s.detail)
	ofBinding := strings.Contains(said, "bad protocol") || strings.Contains(said, "channel")
	if s.state >= scramProof && !ofBinding {
		return nil
	}
	return newSCRAM(s.name, s.credentials)
}
