package poptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xdg-go/stringprep"
)

// maxIterations bounds what the server itself computes: with a larger count no proof is right.
const maxIterations = 1_000_000

// A scramTalk is one exchange of RFC 5802, with what both sides have said.
type scramTalk struct {
	*exchange
	hash     func() hash.Hash
	header   string // gs2-header of the client-first message
	kind     string // of its channel binding; empty where there is none
	user     string
	bare     string // client-first-message-bare
	first    string // the server's, as it was sent
	nonce    string // of the server's first message, and so on
	salt     []byte
	rounds   int // 0: not to be computed
	password string
}

// A scramError is the server-error-value of RFC 5802, section 7.
type scramError string

func (e scramError) Error() string { return "SCRAM: " + string(e) }

func scramSHA1(e *exchange) error   { return talkSCRAM(e, sha1.New) }
func scramSHA256(e *exchange) error { return talkSCRAM(e, sha256.New) }

func talkSCRAM(e *exchange, hash func() hash.Hash) error {
	s := &scramTalk{exchange: e, hash: hash}
	err := s.talk()
	refusal, ok := errors.AsType[scramError](err)
	if !ok {
		return err
	}
	if e.auth.SCRAMErrors {
		if _, err := e.Challenge([]byte("e=" + refusal)); err != nil && !errors.Is(err, ErrEncoding) {
			return err
		}
	}
	return e.Decide(s.user, false)
}

func (s *scramTalk) talk() error {
	first, err := s.exchange.first()
	if err != nil {
		return err
	}
	nonce, err := s.parseFirst(string(first))
	if err != nil {
		return err
	}
	s.answerFirst(nonce)
	final, err := s.Challenge([]byte(s.first))
	if err != nil {
		return err
	}
	signature, err := s.checkFinal(string(final))
	if err != nil {
		return err
	}
	return s.finish("v=" + base64.StdEncoding.EncodeToString(signature))
}

var clientFirst = regexp.MustCompile(`^((?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,)(n=([^,]+),r=([!-+--~]+)(?:,.*)?)$`)

// parseFirst reads the client-first message, and is its nonce.
func (s *scramTalk) parseFirst(message string) (nonce string, err error) {
	parts := clientFirst.FindStringSubmatch(message)
	if parts == nil {
		return "", scramError("other-error")
	}
	user, ok := unescape(parts[6])
	if !ok {
		return "", scramError("invalid-username-encoding")
	}
	s.header, s.kind, s.user, s.bare = parts[1], parts[3], user, parts[5]
	s.attempt(func(a *Attempt) { a.User, a.Binding = s.user, s.kind })
	if authzid, ok := unescape(parts[4]); !ok || authzid != "" && authzid != user {
		return "", scramError("other-error")
	}
	return parts[7], s.checkBinding(parts[2])
}

// checkBinding looks at the client's flag: "n", "y", or empty where it names a kind (RFC 5802, section 6).
func (s *scramTalk) checkBinding(flag string) error {
	plus := strings.HasSuffix(s.mechanism, "-PLUS")
	allowed := s.auth.Bindings == nil || slices.Contains(s.auth.Bindings, s.kind)
	switch {
	case plus && flag != "":
		return scramError("server-does-support-channel-binding")
	case plus && (!allowed || s.bindings(s.kind) == nil):
		return scramError("unsupported-channel-binding-type")
	case !plus && flag == "":
		return scramError("channel-binding-not-supported")
	case flag == "y" && s.server.opts.SASL != nil && s.offers(s.mechanism+"-PLUS"):
		return scramError("server-does-support-channel-binding") // somebody has changed the list on its way
	}
	return nil
}

// answerFirst makes the server-first message, and keeps what it says in the end.
func (s *scramTalk) answerFirst(nonce string) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	s.password = rand.Text()
	if box, ok := s.server.lookUp(s.user); ok {
		s.password = prepared(box.secret())
	}
	count := s.auth.Iterations
	if count == 0 {
		count = 4096
	}
	s.first = fmt.Sprintf("r=%s%s,s=%s,i=%d", nonce, rand.Text(), base64.StdEncoding.EncodeToString(salt), count)
	if change := s.auth.ServerFirst; change != nil {
		s.first = change(s.first)
	}
	s.nonce = attribute(s.first, "r")
	s.salt, _ = base64.StdEncoding.DecodeString(attribute(s.first, "s"))
	if n, err := strconv.Atoi(attribute(s.first, "i")); err == nil && n > 0 && n <= maxIterations {
		s.rounds = n
	}
}

// checkFinal checks the client-final message, and is the server's signature for it.
func (s *scramTalk) checkFinal(message string) ([]byte, error) {
	i := strings.LastIndex(message, ",p=")
	if i < 0 {
		return nil, scramError("other-error")
	}
	without := message[:i]
	proof, err := base64.StdEncoding.DecodeString(message[i+len(",p="):])
	if err != nil {
		return nil, scramError("invalid-encoding")
	}
	binding, err := base64.StdEncoding.DecodeString(attribute(without, "c"))
	switch {
	case err != nil || !strings.HasPrefix(without, "c="):
		return nil, scramError("invalid-encoding")
	case !s.bound(binding):
		return nil, scramError("channel-bindings-dont-match")
	case attribute(without, "r") != s.nonce:
		return nil, scramError("other-error")
	}
	return s.verify(s.bare+","+s.first+","+without, proof)
}

// bound says whether the client's "c" is that of this connection.
func (s *scramTalk) bound(got []byte) bool {
	if s.kind == "" {
		return string(got) == s.header
	}
	return slices.ContainsFunc(s.bindings(s.kind), func(data []byte) bool {
		return string(got) == s.header+string(data)
	})
}

// verify checks the proof (RFC 5802, section 3), and is the server's signature.
func (s *scramTalk) verify(message string, proof []byte) ([]byte, error) {
	if s.rounds == 0 || len(proof) != s.hash().Size() {
		return nil, scramError("invalid-proof")
	}
	salted, err := pbkdf2.Key(s.hash, s.password, s.salt, s.rounds, s.hash().Size())
	if err != nil {
		return nil, err
	}
	key := s.mac(salted, "Client Key")
	stored := s.sum(key)
	for i, b := range s.mac(stored, message) {
		proof[i] ^= b
	}
	if !bytes.Equal(s.sum(proof), stored) {
		return nil, scramError("invalid-proof")
	}
	return s.mac(s.mac(salted, "Server Key"), message), nil
}

// finish shows the server's signature and lets the client in.
func (s *scramTalk) finish(final string) error {
	if change := s.auth.ServerFinal; change != nil {
		final = change(final)
	}
	if final != "" {
		_, err := s.Challenge([]byte(final))
		if err != nil && !(s.auth.Insists && errors.Is(err, ErrCancelled)) {
			return err
		}
	}
	return s.Decide(s.user, true)
}

func (s *scramTalk) mac(key []byte, message string) []byte {
	mac := hmac.New(s.hash, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

func (s *scramTalk) sum(p []byte) []byte {
	sum := s.hash()
	sum.Write(p)
	return sum.Sum(nil)
}

// attribute is the value of name in a SCRAM message, empty where it is missing.
func attribute(message, name string) string {
	for part := range strings.SplitSeq(message, ",") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			return value
		}
	}
	return ""
}

// prepared is password as RFC 5802 hashes it; one that SASLprep forbids stays as it is.
func prepared(password string) string {
	p, err := stringprep.SASLprep.Prepare(password)
	if err != nil {
		return password
	}
	return p
}

// ForeignNonce is an [Auth.ServerFirst] whose nonce does not continue the client's.
func ForeignNonce(message string) string {
	_, rest, _ := strings.Cut(message, ",")
	return "r=" + rand.Text() + rand.Text() + "," + rest
}

// Count is an [Auth.ServerFirst] with count, which need not be a number, in the place of the iterations.
func Count(count string) func(string) string {
	return func(message string) string {
		i := strings.LastIndex(message, ",i=")
		return message[:i] + ",i=" + count
	}
}

// WrongSignature is an [Auth.ServerFinal] of a server that does not know the password.
func WrongSignature(message string) string {
	signature, err := base64.StdEncoding.DecodeString(attribute(message, "v"))
	if err != nil || len(signature) == 0 {
		return message
	}
	signature[0] ^= 1
	return "v=" + base64.StdEncoding.EncodeToString(signature)
}

// NoSignature is an [Auth.ServerFinal] that leaves the message out: +OK comes behind the client's proof.
func NoSignature(string) string {
	return ""
}
