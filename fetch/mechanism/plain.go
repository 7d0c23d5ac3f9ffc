package mechanism

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"

	"github.com/emersion/go-sasl"
)

var (
	errMore  = errors.New("the server asks for more than the mechanism has to say")
	errEmpty = errors.New("the server's challenge is empty")
	errEarly = errors.New("the server speaks first, where the client should")
)

// newPlain is PLAIN (RFC 4616).
func newPlain(c Credentials) sasl.Client { return sasl.NewPlainClient("", c.User, c.Secret) }

// A login is LOGIN (draft-murchison-sasl-login): the user name, then the password, whatever words
// the server asks with, since they differ. It has no initial response: some servers take one and
// ask for the user name all the same.
type login struct{ answers []string }

func newLogin(c Credentials) sasl.Client { return &login{[]string{c.User, c.Secret}} }

func (l *login) Start() (string, []byte, error) { return "LOGIN", nil, nil }

func (l *login) Next([]byte) ([]byte, error) {
	if len(l.answers) == 0 {
		return nil, errMore
	}
	answer := l.answers[0]
	l.answers = l.answers[1:]
	return []byte(answer), nil
}

// A cram is CRAM-MD5 (RFC 2195).
type cram struct {
	user, secret string
	done         bool
}

func newCRAM(c Credentials) sasl.Client { return &cram{user: c.User, secret: c.Secret} }

func (m *cram) Start() (string, []byte, error) { return "CRAM-MD5", nil, nil }

func (m *cram) Next(challenge []byte) ([]byte, error) {
	switch {
	case m.done:
		return nil, errMore
	case len(challenge) == 0: // its digest would be the same for every server
		return nil, errEmpty
	}
	m.done = true
	mac := hmac.New(md5.New, []byte(m.secret))
	mac.Write(challenge)
	return []byte(m.user + " " + hex.EncodeToString(mac.Sum(nil))), nil
}

// An external is EXTERNAL (RFC 4422, appendix A): who logs in is what TLS has shown.
type external struct{ done bool }

func newExternal(Credentials) sasl.Client { return &external{} }

func (e *external) Start() (string, []byte, error) { return "EXTERNAL", nil, nil }

func (e *external) Next(challenge []byte) ([]byte, error) {
	switch {
	case e.done:
		return nil, errMore
	case len(challenge) > 0:
		return nil, errEarly
	}
	e.done = true
	return nil, nil
}
