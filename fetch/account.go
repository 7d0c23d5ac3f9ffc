package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net"
	"strconv"
	"strings"
	"time"

	"popsync/deliver"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/internal/secret"
	"popsync/uidl"
)

// An Account is one mailbox on one server and where its mail goes: everything decided, nothing
// left to fill in.
type Account struct {
	Name     string
	Server   Server
	User     string
	Password func(context.Context) (secret.Value, error) // asked for once a poll, before connecting
	Keep     Retention
	Interval time.Duration // between two polls of Run
	Timeout  time.Duration // of each wait
	Session  time.Duration // of a whole session: after it nothing more is begun
	Target   deliver.Target

	MaxAttempts int                 // verdicts of an agent against a message, after which it is set aside
	Quarantine  *deliver.Quarantine // where; nil for never

	Pipelining pop3.Pipelining

	Auth        mechanism.Name // how to log in
	Certificate bool           // a client certificate is shown in TLS
	Token       bool           // Password gives an OAuth2 access token
	// Renew gives another token in place of one that the server refused; nil where there is none.
	Renew func(ctx context.Context, refused secret.Value) (secret.Value, error)
	// Grant names what tokens come from, such as the time of a log-in at the provider; nil where
	// that is not known.
	Grant func() string

	// Notice is what the account's user is to do in the next days though everything works, or
	// empty; nil where there is never any.
	Notice func() string

	MinInterval    time.Duration // between two log-ins, as its provider is known to ask
	MaxMessages    int           // of one poll; 0: all
	MaxMessageSize int64         // octets; larger ones stay on the server; 0: no limit
	Hint           string        // what a provider's users are to look at when a log-in is refused; may be empty
}

// Mailbox names the records of the account.
func (a Account) Mailbox() uidl.Mailbox {
	return uidl.Mailbox{Host: a.Server.Host, Port: a.Server.Port, User: a.User}
}

// Security is how the line to the server is protected. Its zero value is the safe one.
type Security uint8

const (
	ImplicitTLS Security = iota // from the first byte (RFC 8314, section 3.2)
	StartTLS                    // by STLS, required (RFC 2595)
	Cleartext                   // not at all
)

// A Server is where an account's mailbox lies.
type Server struct {
	Host           string // lower case, or "unix:" and a path
	Port           int    // 0 with unix:
	Security       Security
	TLS            *tls.Config // with ServerName set; nil for Cleartext
	AllowCleartext bool        // Cleartext to other addresses than loopback

	// Dial opens the connection in place of [net.Dialer.DialContext], through a proxy or a
	// program; nil for the direct way. Far is set with it where the server may be anywhere,
	// whatever address is connected to.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Far  bool
}

// String is the server as it is shown to people: host:port.
func (s Server) String() string {
	if strings.HasPrefix(s.Host, "unix:") {
		return s.Host
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// certificate is the digest of what is shown to the server, empty where nothing is.
func (s Server) certificate() string {
	if s.TLS == nil || len(s.TLS.Certificates) == 0 || len(s.TLS.Certificates[0].Certificate) == 0 {
		return ""
	}
	sum := sha256.Sum256(s.TLS.Certificates[0].Certificate[0])
	return hex.EncodeToString(sum[:])
}

// Retention is what becomes of messages on the server once they are delivered.
// Its zero value keeps them.
type Retention struct {
	Delete   bool          // those that popsync itself delivered
	Remember time.Duration // a vanished message's record is kept so long; 0: DefaultRemember
}

// DefaultRemember is how long a message that vanished from the server by itself is remembered:
// a server that lists only a window of the mailbox (Gmail) may show it again.
const DefaultRemember = 30 * 24 * time.Hour

func (r Retention) remember() time.Duration { return cmp.Or(r.Remember, DefaultRemember) }
