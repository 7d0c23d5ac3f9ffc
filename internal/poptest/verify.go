package poptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
)

// VerifyPassword says whether user has a mailbox with this password, and records the two.
func (c *Conn) VerifyPassword(user, password string) bool {
	c.attempt(func(a *Attempt) { a.User, a.Secret = user, password })
	box, ok := c.server.lookUp(user)
	return ok && box.passwordIs(password)
}

// VerifyToken says whether user has a mailbox that takes this token by now (see [Mailbox.SetToken]), and
// records the two.
func (c *Conn) VerifyToken(user, token string) bool {
	c.attempt(func(a *Attempt) { a.User, a.Secret = user, token })
	box, ok := c.server.lookUp(user)
	return ok && box.takes(token)
}

// VerifyPlain checks a response of PLAIN, and is whom it names.
func (c *Conn) VerifyPlain(raw []byte) (user string, good bool) {
	parts := bytes.Split(raw, []byte{0})
	if len(parts) != 3 {
		return "", false
	}
	user = string(parts[1])
	good = c.VerifyPassword(user, string(parts[2]))
	return user, good && (len(parts[0]) == 0 || bytes.Equal(parts[0], parts[1]))
}

// VerifyCRAM checks a response of CRAM-MD5 to challenge, and is whom it names.
func (c *Conn) VerifyCRAM(challenge, response string) (user string, good bool) {
	user, digest := cutLast(response)
	c.attempt(func(a *Attempt) { a.User = user })
	box, ok := c.server.lookUp(user)
	if !ok {
		return user, false
	}
	mac := hmac.New(md5.New, []byte(box.secret()))
	mac.Write([]byte(challenge))
	return user, digest == hex.EncodeToString(mac.Sum(nil))
}

// VerifyAPOP checks the digest of an APOP against the session's time stamp.
func (c *Conn) VerifyAPOP(user, digest string) bool {
	c.attempt(func(a *Attempt) { a.User = user })
	box, ok := c.server.lookUp(user)
	if !ok {
		return false
	}
	sum := md5.Sum([]byte(c.stamp + box.secret()))
	return digest == hex.EncodeToString(sum[:])
}
