package mechanism

import (
	"slices"
	"strconv"
	"strings"
)

// An Unusable error says that no log-in can be done, or not the one that was wanted.
type Unusable struct {
	Wanted   Name
	Why      string
	Offers   string // "the server offers SASL PLAIN and LOGIN, USER and APOP"; "" where it does not matter
	Settings bool   // the account's own settings are the reason, whatever the server offers
}

func (e *Unusable) Error() string {
	text := e.Why
	if e.Wanted != Auto {
		text = "auth: " + string(e.Wanted) + ": " + text
	}
	if e.Offers != "" {
		text += "; " + e.Offers
	}
	return text
}

func settings(want Name, why string) error {
	return &Unusable{Wanted: want, Why: why, Settings: true}
}

func unusable(want Name, o Offer, why string) error {
	return &Unusable{Wanted: want, Why: why, Offers: o.String()}
}

// mostShown mechanisms are named of what a server offers.
const mostShown = 16

// String is the offer for people. Nothing in it can harm a terminal, and it is short.
func (o Offer) String() string {
	var offers []string
	if names := o.names(); len(names) > 0 {
		offers = append(offers, "SASL "+strings.Join(names, " "))
	}
	if o.User {
		offers = append(offers, "USER")
	}
	if o.Stamp != "" {
		offers = append(offers, "APOP")
	}
	switch n := len(offers); n {
	case 0:
		return "the server offers no log-in"
	case 1:
		return "the server offers " + offers[0]
	default:
		return "the server offers " + strings.Join(offers[:n-1], ", ") + " and " + offers[n-1]
	}
}

// names are the mechanisms whose names are such (RFC 4422, section 3.1), the first ones.
func (o Offer) names() []string {
	names := slices.DeleteFunc(slices.Clone(o.SASL), func(name string) bool { return !wellFormed(name) })
	if more := len(names) - mostShown; more > 0 {
		names = append(names[:mostShown], "... ("+strconv.Itoa(more)+" more)")
	}
	return names
}

func wellFormed(name string) bool {
	odd := func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}
	return name != "" && len(name) <= 20 && !strings.ContainsFunc(name, odd)
}
