// Package mechanism chooses how to log in to a POP3 server, and has a SASL client for each way
// (RFC 4422, RFC 5034). [Choose] is a pure function: what the account wants, what the server
// offers, what the account has.
//
// The clients are those of package sasl, with more to ask where a mechanism needs it:
// NextContext where an answer takes long to compute, Finish where a server has to prove itself
// before its +OK counts, Detail for what a refused token was refused for, and Instead where a
// server cannot do what it announces. Package pop3 asks.
package mechanism

import (
	"crypto/tls"

	"github.com/emersion/go-sasl"
)

// A Name is a log-in as the configuration spells it.
type Name string

// The log-ins there are.
const (
	Auto        Name = "auto" // the strongest that the server offers and the secret allows
	User        Name = "user" // USER and PASS (RFC 1939)
	APOP        Name = "apop" // RFC 1939
	Plain       Name = "plain"
	Login       Name = "login"
	CRAMMD5     Name = "cram-md5"
	SCRAMSHA1   Name = "scram-sha-1"
	SCRAMSHA256 Name = "scram-sha-256"
	XOAUTH2     Name = "xoauth2"
	OAUTHBEARER Name = "oauthbearer"
	External    Name = "external"
)

// An Offer is what a server announces, and how the line to it is protected.
type Offer struct {
	SASL  []string             // of CAPA, upper case; none where CAPA is unknown
	User  bool                 // USER is announced, or CAPA is unknown; it is tried all the same where there is no APOP
	Stamp string               // of the greeting, for APOP; "" where there is no good one
	TLS   *tls.ConnectionState // nil in the clear; of a hand-shake that is complete

	// Implementation is what the server calls itself in CAPA: some are known not to be able to do
	// what they announce. It may be empty.
	Implementation string

	Exposed bool // others may read what is sent
}

// Credentials are what an account has.
type Credentials struct {
	User        string
	Secret      string // the password, or the token
	Token       bool   // Secret is an OAuth2 access token
	Certificate bool   // TLS has shown a client certificate
	Host        string // for OAUTHBEARER; may be empty
	Port        int    // ...; may be 0
}

// A Choice is a log-in that can be done.
type Choice struct {
	Name Name   // never [Auto]
	SASL string // the mechanism's name on the wire, "" for [User] and [APOP]

	client sasl.Client
}

// Shows says whether whoever reads what is sent has the secret.
func (c Choice) Shows() bool { return kinds[c.Name].shows }

// Client is the SASL client, nil for [User] and [APOP]. It is good for one log-in.
func (c Choice) Client() sasl.Client { return c.client }

// String is the choice for people: "USER", "APOP", "SCRAM-SHA-256-PLUS".
func (c Choice) String() string {
	switch {
	case c.SASL != "":
		return c.SASL
	case c.Name == APOP:
		return "APOP"
	}
	return "USER"
}
