package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"time"

	"popsync/deliver"
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

	Pipelining pop3.Pipelining
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
}

// String is the server as it is shown to people: host:port.
func (s Server) String() string {
	if strings.HasPrefix(s.Host, "unix:") {
		return s.Host
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
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
