package mechanism

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
)

// A bearer is XOAUTH2 (Google) or OAUTHBEARER (RFC 7628). Neither has an initial response: tokens
// are longer than a command line may be (RFC 5034), and Exchange ends the connection at one.
//
// A refused token comes as a challenge in JSON, which has to be answered: only then comes the
// -ERR, with its code.
type bearer struct {
	name    string
	message string
	sorry   string // the answer to the challenge that refuses the token
	step    int
	detail  string
}

func newXOAUTH2(c Credentials) sasl.Client {
	return &bearer{name: "XOAUTH2", message: "user=" + c.User + "\x01auth=Bearer " + c.Secret + "\x01\x01"}
}

func newOAUTHBEARER(c Credentials) sasl.Client {
	message := "n,a=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(c.User) + ",\x01"
	if c.Host != "" {
		message += "host=" + c.Host + "\x01"
	}
	if c.Port != 0 {
		message += "port=" + strconv.Itoa(c.Port) + "\x01"
	}
	return &bearer{name: "OAUTHBEARER", message: message + "auth=Bearer " + c.Secret + "\x01\x01", sorry: "\x01"}
}

func (b *bearer) Start() (string, []byte, error) { return b.name, nil, nil }

func (b *bearer) Next(challenge []byte) ([]byte, error) {
	b.step++
	switch {
	case b.step == 1 && len(challenge) == 0:
		return []byte(b.message), nil
	case b.step == 1 && refusalOf(challenge) == "":
		return nil, errEarly
	case b.step <= 2: // refused, be it before the token was sent
		b.step, b.detail = 2, refusalOf(challenge)
		return []byte(b.sorry), nil
	}
	return nil, errMore
}

// Detail is what the server has said about a token that it refuses, raw: "status 401, scope ...".
func (b *bearer) Detail() string { return b.detail }

// refusalOf reads the challenge that refuses a token. What is no JSON says nothing.
func refusalOf(challenge []byte) string {
	var said struct {
		Status any    `json:"status"` // a string, or a number where somebody did not read on
		Scope  string `json:"scope"`
	}
	printable := func(r rune) rune { // JSON has no control characters, and some servers do
		if r < ' ' {
			return ' '
		}
		return r
	}
	if err := json.Unmarshal(bytes.Map(printable, challenge), &said); err != nil || said.Status == nil {
		return ""
	}
	detail := fmt.Sprintf("status %v", said.Status)
	if said.Scope != "" {
		detail += ", scope " + said.Scope
	}
	return detail
}

// mostDetail is how much is shown of a word that a server says in a challenge.
const mostDetail = 100

// harmless is s in printable ASCII, and cut.
func harmless(s string) string {
	end := ""
	if len(s) > mostDetail {
		s, end = s[:mostDetail], "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s) + end
}
