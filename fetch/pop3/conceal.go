package pop3

import (
	"bytes"
	"encoding/hex"
	"hash/maphash"
	"slices"
	"strings"
)

// concealed stands where a server repeated a secret.
const concealed = "****"

const (
	// leastForm octets of a secret's other forms are looked for; fewer could be any word.
	leastForm = 4

	// leastPiece octets in a row of a long secret are concealed, for servers that repeat the
	// beginning of a line which they do not understand. Passwords are mostly shorter, and tokens,
	// base64 and digests longer.
	leastPiece = 16
)

// conceal keeps the password out of errors and traces, in the forms in which it is sent: some
// servers repeat the command that they refuse.
func (c *Client) conceal(user, password string) {
	c.user = user
	if password == "" {
		return
	}
	c.concealSecret(password)
	c.addSecret(encoded([]byte("\x00" + user + "\x00" + password)))
}

// concealSecret keeps secret out of errors and traces, as it is, in base64 wherever it begins
// there, and in hex.
func (c *Client) concealSecret(secret string) {
	if secret == "" {
		return
	}
	c.addSecret(secret)
	if exact := encoded([]byte(secret)); len(exact) >= leastForm {
		c.addSecret(exact)
	}
	for _, form := range append(aligned(secret), hex.EncodeToString([]byte(secret))) {
		if len(form) >= leastForm {
			c.addSecret(form)
		}
	}
}

// concealAnswer keeps a SASL response out of errors and traces. What is secret in one comes last:
// the password of PLAIN and LOGIN, a token, CRAM's digest, the proof of SCRAM.
func (c *Client) concealAnswer(answer []byte) {
	if line := encoded(answer); len(line) >= 2*leastForm {
		c.addSecret(line)
	}
	words := strings.FieldsFunc(string(answer), func(r rune) bool { return strings.ContainsRune(" \x00\x01,", r) })
	if len(words) == 0 {
		return
	}
	last := words[len(words)-1]
	if last != c.user && len(last) >= leastPiece && !strings.HasPrefix(last, "r=") { // a nonce is no secret
		c.concealSecret(last)
	}
}

// aligned are the parts of base64 text that secret determines, for each place in a group of three
// octets where it may begin.
func aligned(secret string) []string {
	forms := make([]string, 0, 3)
	for before := range 3 {
		text := encoded(append(make([]byte, before), secret...))
		first, end := (8*before+5)/6, 8*(before+len(secret))/6
		if first < end {
			forms = append(forms, text[first:end])
		}
	}
	return forms
}

// addSecret keeps one form out of errors and traces.
func (c *Client) addSecret(form string) {
	known := func(secret []byte) bool { return string(secret) == form }
	if slices.ContainsFunc(c.secrets, known) {
		return
	}
	c.secrets = append(c.secrets, []byte(form))
	if len(form) >= leastPiece {
		piece := lower([]byte(form))
		c.pieces = append(c.pieces, piece)
		c.runs.add(piece)
	}
}

// A runSet remembers runs of leastPiece octets, and some that were never added: it spares the
// search of long tokens for every word of every reply.
type runSet struct {
	seed maphash.Seed
	bits []uint64
}

const runBits = 1 << 18 // a token of 4,000 octets has some 30,000 runs in all its forms

func (r *runSet) add(piece []byte) {
	if r.bits == nil {
		r.seed, r.bits = maphash.MakeSeed(), make([]uint64, runBits/64)
	}
	for i := range len(piece) - leastPiece + 1 {
		h := maphash.Bytes(r.seed, piece[i:i+leastPiece]) % runBits
		r.bits[h/64] |= 1 << (h % 64)
	}
}

func (r *runSet) mayHave(run []byte) bool {
	h := maphash.Bytes(r.seed, run) % runBits
	return r.bits[h/64]&(1<<(h%64)) != 0
}

// shown is a line as it may be shown to people. What it means is never hidden: +OK, -ERR and +
// stay, whatever the password is. It is l.text itself where there is nothing to hide.
func (c *Client) shown(l line) []byte {
	if len(c.secrets) == 0 {
		return l.text
	}
	word := 0
	if _, ok := parseStatus(l); ok {
		word = len("+OK")
		if i := bytes.IndexByte(l.text, ' '); i >= 0 {
			word = i
		}
	}
	word = min(word, len(l.text))
	text := c.hidden(l.text[word:], l.cut)
	if bytes.Equal(text, l.text[word:]) {
		return l.text
	}
	return append(bytes.Clone(l.text[:word]), text...)
}

// hidden is text without the secrets in it. Of a text that was cut the end goes too, as far as it
// may be the beginning of a secret.
func (c *Client) hidden(text []byte, cut bool) []byte {
	for _, secret := range c.secrets {
		text = without(text, secret)
		if cut {
			text = text[:len(text)-overlap(text, secret)]
		}
	}
	if len(c.pieces) > 0 && hasLongWord(text) {
		text = c.withoutPieces(text)
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

// hasLongWord says whether text has enough octets in a row for a piece of a secret: replies that
// come by the thousand have not.
func hasLongWord(text []byte) bool {
	for len(text) >= leastPiece {
		i := bytes.LastIndexByte(text[:leastPiece], ' ')
		if i < 0 {
			return true
		}
		text = text[i+1:]
	}
	return false
}

// withoutPieces is text with all that is part of a long secret concealed.
func (c *Client) withoutPieces(text []byte) []byte {
	var kept []byte
	folded := lower(text)
	for len(text) > 0 {
		n := c.piece(folded)
		if n == 0 {
			kept, n = append(kept, text[0]), 1
		} else {
			kept = append(kept, concealed...)
		}
		text, folded = text[n:], folded[n:]
	}
	return kept
}

// piece is how many of text's first octets are part of a long secret; fewer than leastPiece are
// none.
func (c *Client) piece(text []byte) (most int) {
	if len(text) < leastPiece || !c.runs.mayHave(text[:leastPiece]) {
		return 0
	}
	for _, secret := range c.pieces {
		n := max(most, leastPiece-1)
		for n < len(text) && bytes.Contains(secret, text[:n+1]) {
			n++
		}
		if n >= leastPiece {
			most = n
		}
	}
	return most
}

// lower is b with A to Z in lower case and as many octets.
func lower(b []byte) []byte {
	b = bytes.Clone(b)
	for i, x := range b {
		if x >= 'A' && x <= 'Z' {
			b[i] = x + 'a' - 'A'
		}
	}
	return b
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
