package pop3

import (
	"bytes"
	"encoding/base64"
	"errors"
)

// concealed stands where a server repeated a secret.
const concealed = "****"

// conceal keeps the password out of errors and traces, in the forms in which it is sent: some
// servers repeat the command that they refuse.
func (c *Client) conceal(user, password string) {
	c.secrets = nil
	if password == "" {
		return
	}
	for _, secret := range []string{"\x00" + user + "\x00" + password, password} {
		encoded := base64.StdEncoding.EncodeToString([]byte(secret))
		c.secrets = append(c.secrets, []byte(encoded), bytes.TrimRight([]byte(encoded), "="))
	}
	c.secrets = append(c.secrets, []byte(password))
}

// readStatusLine reads a line that may be shown to people. What it means is never hidden: +OK,
// -ERR and + stay, whatever the password is.
func (c *Client) readStatusLine() (line, error) {
	l, err := c.c.readLine(keepStatus)
	if errors.Is(err, ErrTimeout) && c.c.progress > 0 {
		err = protocolErrorf("an answer that does not end within %s", c.c.timeout)
	}
	if err != nil || len(c.secrets) == 0 {
		return l, err
	}
	word := 0
	if _, ok := parseStatus(l); ok {
		word = len("+OK")
		if i := bytes.IndexByte(l.text, ' '); i >= 0 {
			word = i
		}
	}
	word = min(word, len(l.text))
	l.text = append(bytes.Clone(l.text[:word]), c.hidden(l.text[word:], l.cut)...)
	return l, nil
}

// hidden is text without the secrets in it. Of a text that was cut the end goes too, as far as it
// may be the beginning of a secret.
func (c *Client) hidden(text []byte, cut bool) []byte {
	for _, secret := range c.secrets {
		if len(secret) == 0 {
			continue
		}
		text = without(text, secret)
		if cut {
			text = text[:len(text)-overlap(text, secret)]
		}
	}
	return text
}

// without is text with every secret in it concealed, in capitals too.
func without(text, secret []byte) []byte {
	for i := 0; i+len(secret) <= len(text); i++ {
		if bytes.EqualFold(text[i:i+len(secret)], secret) {
			text = append(append(bytes.Clone(text[:i]), concealed...), text[i+len(secret):]...)
			i += len(concealed) - 1
		}
	}
	return text
}

// overlap is the length of the longest end of text that secret begins with.
func overlap(text, secret []byte) int {
	for n := min(len(text), len(secret)-1); n > 0; n-- {
		if bytes.HasSuffix(text, secret[:n]) {
			return n
		}
	}
	return 0
}
