package provider

import (
	"cmp"
	"strings"
	"time"
)

// A row is a provider as the table spells it: constants only, so that the compiler lays it out
// and a program's start does not pay for it. Zero values stand for what is usual.
type row struct {
	id, name    string
	domains, mx string // parted by blanks

	host    string // "": no POP3
	also    string // more names that its mailboxes are reached by, parted by blanks
	tls     string // "": implicit, on port 995; starttls is on port 110
	stls110 bool
	user    string // "": address
	auth    string // parted by blanks; "": password

	minInterval        time.Duration
	enableURL, helpURL string
	oauth2             string // a name that endpoints knows; "": none
	verified, hint     string
}

// What the columns of the table hold, apart from the zero value.
const (
	implicit, starttls                             = "implicit", "starttls"
	address, localpart                             = "address", "localpart"
	ispdb, ispdbHelp, help, thirdParty, unverified = "ispdb", "ispdb+help", "help", "third-party", "unverified"
)

func (r row) provider() Provider {
	p := Provider{
		ID: r.id, Name: r.name, Domains: strings.Fields(r.domains), MX: strings.Fields(r.mx),
		MinInterval: r.minInterval, EnableURL: r.enableURL, HelpURL: r.helpURL,
		Verified: r.verified, Hint: r.hint,
	}
	if e, ok := endpoints(r.oauth2, ""); ok {
		p.OAuth2, p.OwnClient = &e, registers(r.oauth2)
	}
	if r.host == "" {
		return p
	}
	p.POP, p.Host, p.Port, p.TLS, p.STLS110 = true, r.host, 995, cmp.Or(r.tls, implicit), r.stls110
	p.User, p.Auth = cmp.Or(r.user, address), strings.Fields(cmp.Or(r.auth, "password"))
	if r.tls == starttls {
		p.Port = 110
	}
	return p
}
