package provider

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// A Provider is what is known of one. Its slices are shared: they are for reading.
type Provider struct {
	ID   string // short, unique, stable: "web-de"
	Name string // for people: "WEB.DE"

	Domains []string // of addresses, exact; empty where all customers have their own
	MX      []string // a customer's own domain has an MX at one of these names or below

	POP     bool   // whether there is POP3 at all; Host to Auth are empty without
	Host    string // lower case
	Port    int
	TLS     string   // implicit or starttls
	STLS110 bool     // port 110 with STLS leads there too
	User    string   // the user name to log in with: address, localpart or localdomain ("alice.example.org")
	Auth    []string // password, app_password, oauth2; the first is the one to propose

	MinInterval time.Duration // between log-ins; 0 where nothing is known

	EnableURL string // where POP3 is switched on; empty where it is on, or nothing is known
	HelpURL   string

	OAuth2    *OAuth2 // nil where there is none for POP3
	OwnClient bool    // people can register a client id of their own; without, OAuth2 is of no use to them

	Verified string // ispdb, ispdb+help, help, third-party or unverified: see the package's comment
	Hint     string // what its users trip over at the log-in, in one or two sentences; may be empty
}

// All returns every provider, in the table's order.
func All() []Provider { return slices.Clone(known().all) }

// ByHost finds the provider whose POP3 server is host. Where several share it, the one with most
// users is returned: Gmail for pop.gmail.com, and not Google Workspace.
func ByHost(host string) (Provider, bool) { return known().find(known().hosts, normal(host)) }

// ByDomain finds the provider that has addresses in domain itself, not in one above or below it.
func ByDomain(domain string) (Provider, bool) { return known().find(known().domains, normal(domain)) }

// ByMX finds the provider that takes the mail of a domain whose MX is host: the one with the
// longest name that host is, or lies below.
func ByMX(host string) (Provider, bool) {
	ix := known()
	for name, more := normal(host), true; more; _, name, more = strings.Cut(name, ".") {
		if p, ok := ix.find(ix.mx, name); ok {
			return p, true
		}
	}
	return Provider{}, false
}

// normal is a name as the indexes have it: lower case, without the root's dot.
func normal(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// An index is the table with what is looked up in it.
type index struct {
	all                []Provider
	hosts, domains, mx map[string]int // → a place in all
}

var known = sync.OnceValue(build)

func build() *index {
	ix := &index{hosts: map[string]int{}, domains: map[string]int{}, mx: map[string]int{}}
	for n, r := range table {
		p := r.provider()
		ix.all = append(ix.all, p)
		add(ix.domains, p.Domains, n)
		add(ix.mx, p.MX, n)
		add(ix.hosts, strings.Fields(r.host+" "+r.also), n)
	}
	return ix
}

// add leads from names to n; a name that is there already stays with the first row that has it.
func add(to map[string]int, names []string, n int) {
	for _, name := range names {
		if _, taken := to[name]; !taken {
			to[name] = n
		}
	}
}

func (ix *index) find(in map[string]int, name string) (Provider, bool) {
	n, ok := in[name]
	if !ok {
		return Provider{}, false
	}
	return ix.all[n], true
}
