package mechanism

import (
	"slices"

	"github.com/emersion/go-sasl"
)

// withPassword are the log-ins that [Auto] takes with a password, the strongest first. What binds
// to the TLS session comes before what does not, whatever the hash. APOP is the last: GNU Mailutils
// and solid-pop3d greet with a time stamp also where the user has no secret for it, and where
// nobody listens it has nothing before the others.
var withPassword = []attempt{
	{name: SCRAMSHA256, plus: true},
	{name: SCRAMSHA1, plus: true},
	{name: SCRAMSHA256},
	{name: SCRAMSHA1},
	{name: CRAMMD5},
	{name: Plain},
	{name: Login},
	{name: User},
	{name: APOP},
}

// An attempt is a log-in that may turn out to be impossible.
type attempt struct {
	name Name
	plus bool // the form with channel binding, where the mechanism has one
}

// kinds are the mechanisms: their names on the wire, what they need and what they show.
var kinds = map[Name]struct {
	sasl   string
	needs  need
	shows  bool // whoever reads the line has the secret
	client func(Credentials) sasl.Client
}{
	User:        {"", password, true, nil},
	APOP:        {"", password, false, nil},
	Plain:       {"PLAIN", password, true, newPlain},
	Login:       {"LOGIN", password, true, newLogin},
	CRAMMD5:     {"CRAM-MD5", password, false, newCRAM},
	SCRAMSHA1:   {"SCRAM-SHA-1", password, false, nil},
	SCRAMSHA256: {"SCRAM-SHA-256", password, false, nil},
	XOAUTH2:     {"XOAUTH2", token, true, newXOAUTH2},
	OAUTHBEARER: {"OAUTHBEARER", token, true, newOAUTHBEARER},
	External:    {"EXTERNAL", nothing, false, newExternal},
}

type need uint8

const (
	nothing need = iota
	password
	token
)

// Choose picks the log-in that was wanted, or for [Auto] the strongest that the server offers and
// the credentials allow. A log-in that is named is never replaced by another one; the SCRAM
// mechanisms bind to the TLS session where the server offers it and the session can be bound to.
// [Auto] never takes one that shows the secret on an exposed line.
//
// The error is an *[Unusable].
func Choose(want Name, o Offer, c Credentials) (Choice, error) {
	if want == Auto || want == "" {
		return chooseAny(o, c)
	}
	kind, known := kinds[want]
	if !known {
		return Choice{}, settings(want, "there is no such log-in")
	}
	if why := missing(kind.needs, want, c); why != "" {
		return Choice{}, settings(want, why)
	}
	if want == SCRAMSHA1 || want == SCRAMSHA256 {
		if why := unprepared(c); why != "" {
			return Choice{}, settings(want, why)
		}
		if choice, ok := (attempt{want, true}).make(o, c); ok {
			return choice, nil
		}
	}
	if want == User {
		return Choice{Name: User}, nil
	}
	if choice, ok := (attempt{name: want}).make(o, c); ok {
		return choice, nil
	}
	if want == APOP {
		return Choice{}, unusable(want, o, "the server's greeting has no time stamp for APOP")
	}
	return Choice{}, unusable(want, o, "the server does not offer "+kind.sasl)
}

// missing is why a log-in cannot be done with what an account has, or "".
func missing(needs need, want Name, c Credentials) string {
	switch {
	case needs == token && c.Secret == "":
		return "no token is given"
	case needs == password && c.Token:
		return string(want) + " needs a password, and the account has an OAuth2 token"
	case needs == password && c.Secret == "":
		return "no password is given"
	}
	return ""
}

// chooseAny is Choose for [Auto].
func chooseAny(o Offer, c Credentials) (Choice, error) {
	attempts := withPassword
	switch {
	case c.Token && c.Secret == "":
		return Choice{}, settings(Auto, "no token is given")
	case c.Token:
		attempts = []attempt{{name: OAUTHBEARER}, {name: XOAUTH2}}
	case c.Secret == "" && c.Certificate:
		attempts = []attempt{{name: External}}
	case c.Secret == "":
		return Choice{}, settings(Auto, "no password is given")
	}
	hidden := false // a log-in that was passed over because it shows the secret
	for _, a := range attempts {
		choice, ok := a.make(o, c)
		switch {
		case !ok:
		case o.Exposed && kinds[a.name].shows:
			hidden = true
		default:
			return choice, nil
		}
	}
	switch {
	case hidden && c.Token:
		return Choice{}, unusable(Auto, o, "without TLS the token would be sent in the clear")
	case hidden:
		return Choice{}, unusable(Auto, o, "without TLS the password would be sent in the clear")
	case c.Token:
		return Choice{}, unusable(Auto, o, "the server takes no OAuth2 token")
	}
	return Choice{}, unusable(Auto, o, "the server does not offer EXTERNAL, and no password is given")
}

// make is the log-in, if the server offers it and the credentials can be used with it.
func (a attempt) make(o Offer, c Credentials) (Choice, bool) {
	kind := kinds[a.name]
	choice := Choice{Name: a.name, SASL: kind.sasl}
	switch a.name {
	case User:
		return choice, o.User || o.Stamp == "" // tried also where it is not announced, unless there is APOP
	case APOP:
		return choice, o.Stamp != ""
	case SCRAMSHA1, SCRAMSHA256:
		return a.scram(o, c)
	}
	if !slices.Contains(o.SASL, kind.sasl) {
		return Choice{}, false
	}
	choice.client = kind.client(c)
	return choice, true
}

// scram is make for the SCRAM mechanisms.
func (a attempt) scram(o Offer, c Credentials) (Choice, bool) {
	choice := Choice{Name: a.name, SASL: kinds[a.name].sasl}
	bound, bindable := o.binding()
	if a.plus {
		choice.SASL += plus
	}
	if !slices.Contains(o.SASL, choice.SASL) || a.plus && !bindable || unprepared(c) != "" {
		return Choice{}, false
	}
	client := newSCRAM(a.name, c)
	switch {
	case a.plus:
		client.binding = bound
		client.unbound = slices.Contains(o.SASL, kinds[a.name].sasl)
	case bindable:
		client.couldBind = !slices.ContainsFunc(o.SASL, isPlus)
	}
	choice.client = client
	return choice, true
}
