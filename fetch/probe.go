package fetch

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strconv"
	"strings"
	"time"

	"popsync/fetch/pop3"
)

// A Probe is what a log-in to a server shows. What the server says in it is raw.
type Probe struct {
	Server  string
	Address string    // the one connected to
	At      time.Time // when it was begun
	Took    time.Duration

	TLSVersion  string // "TLS 1.3", or empty in the clear
	CipherSuite string
	Exposed     bool                // in the clear, and not on this machine only
	Certificate *x509.Certificate   // the server's own, or nil
	Chain       []*x509.Certificate // all that the server showed, its own first
	Verified    bool                // by chain, name and dates; otherwise by its pin alone
	Refused     string              // why it was not accepted; empty where it was
	CertPin     Pin                 // of Certificate
	KeyPin      Pin                 // of its key

	Offered    []string // capabilities before the log-in, and after STLS where that is used
	STLS       bool     // offered
	Mechanisms []string // ways to log in, as offered: SASL ones, APOP, USER
	Mechanism  string   // the one taken; empty where it did not come to that

	LoggedIn       bool
	Capabilities   []string // as the server last listed them
	Implementation string   // what the server says that it is, or empty
	LoginDelay     time.Duration
	Expire         string // the argument of EXPIRE: days, or NEVER; empty where it is not announced
	Pipelining     bool   // used
	Pipelines      bool   // announced
	UTF8           bool   // announced
	QuitCommits    bool   // QUIT takes note of what was retrieved, which then shows no more

	Listed   bool // what follows is known
	Messages int
	Bytes    int64 // of all messages; of those with a sane size
	UIDs     int   // different ones
	Survey
}

// A Survey is how sane a listing is: numbers of messages.
type Survey struct {
	Counted   int   // by STAT, or -1
	Largest   int64 // octets
	TooLarge  int   // of more than the account's max_message_size
	Unsized   int   // without a size
	OddLines  int   // of UIDL, that make no sense
	NoUID     int   // not named by UIDL
	EmptyUID  int
	LongUID   int  // longer than the 70 characters of RFC 1939, section 7, and usable
	StrangeID int  // with other characters than that allows, and usable
	Unusable  int  // whose UID cannot be remembered
	Shared    int  // whose UID another one has as well
	Numbers   bool // each UID is the message's number of this session, and so of no use
}

// mostUID is the length of a UID that RFC 1939, section 7, allows.
const mostUID = 70

// survey is a pure function. most is the account's max_message_size, 0 for none.
func survey(l pop3.Listing, most int64) (s Survey, different int) {
	s = Survey{Counted: l.Count, OddLines: l.Odd, NoUID: l.NoUID, Numbers: len(l.Messages) > 1}
	seen := make(map[string]int, len(l.Messages))
	for _, m := range l.Messages {
		seen[m.UID]++
		s.Largest = max(s.Largest, m.Size)
		s.Numbers = s.Numbers && m.UID == strconv.Itoa(int(m.Number))
		count(&s.Unsized, m.Size < 0)
		count(&s.TooLarge, most > 0 && m.Size > most)
		unusable := !rememberable(m.UID)
		count(&s.Unusable, unusable)
		count(&s.EmptyUID, m.UID == "")
		count(&s.LongUID, len(m.UID) > mostUID && !unusable)
		count(&s.StrangeID, strings.ContainsFunc(m.UID, strangeInUID) && !unusable)
	}
	for _, n := range seen {
		if n > 1 {
			s.Shared += n
		}
	}
	return s, len(seen)
}

func count(n *int, is bool) {
	if is {
		*n++
	}
}

func rememberable(uid string) bool { return len(uid) <= longestUID && !strings.ContainsRune(uid, 0) }

func strangeInUID(r rune) bool { return r < 0x21 || r > 0x7e }

// probe is what the session has seen; listed says whether it came to a listing.
func (s *session) probe(listing pop3.Listing, listed bool) Probe {
	p := Probe{
		Server: s.result.Server, Address: s.address, At: s.begun, Took: s.now().Sub(s.begun),
		Exposed: s.exposed, Mechanism: s.mechanism, LoggedIn: !s.loggedIn.IsZero(),
		Survey: Survey{Counted: -1},
	}
	p.addTLS(s.secured)
	if s.client != nil {
		offered := s.offered
		if offered.Lines == nil { // it did not come to the log-in
			offered = s.client.Capabilities()
		}
		p.Offered, p.STLS = offered.Lines, offered.STLS
		p.Mechanisms = mechanisms(offered, s.client.Stamp() != "")
		p.addCapabilities(s.client.Capabilities())
		p.Pipelining = s.client.Pipelining()
		p.QuitCommits = s.quitCommits()
	}
	p.addRefusal(s.result.Err)
	if listed {
		p.Listed, p.Messages = true, len(listing.Messages)
		p.Survey, p.UIDs = survey(listing, s.account.MaxMessageSize)
		for _, m := range listing.Messages {
			p.Bytes += max(0, m.Size)
		}
	}
	return p
}

func (p *Probe) addTLS(state tls.ConnectionState) {
	if state.Version == 0 || len(state.PeerCertificates) == 0 {
		return
	}
	p.TLSVersion = tls.VersionName(state.Version)
	p.CipherSuite = tls.CipherSuiteName(state.CipherSuite)
	p.Verified = len(state.VerifiedChains) > 0
	p.addChain(state.PeerCertificates)
}

func (p *Probe) addChain(chain []*x509.Certificate) {
	p.Chain, p.Certificate = chain, chain[0]
	p.CertPin = sha256.Sum256(p.Certificate.Raw)
	p.KeyPin = sha256.Sum256(p.Certificate.RawSubjectPublicKeyInfo)
}

// addRefusal shows a certificate that was refused: that is when it is wanted most.
func (p *Probe) addRefusal(e *Error) {
	if e == nil || e.Certificates == nil {
		return
	}
	p.Refused = e.Err.Error()
	p.addChain(e.Certificates)
}

func (p *Probe) addCapabilities(c pop3.Capabilities) {
	p.Capabilities = c.Lines
	p.LoginDelay = c.LoginDelay
	p.Pipelines = c.Pipelining
	p.Implementation, _ = announced(c.Lines, "IMPLEMENTATION")
	p.Expire = expiry(c.Lines)
	_, p.UTF8 = announced(c.Lines, "UTF8")
}

// announced is the rest of the first line that announces the capability name, in any case.
func announced(lines []string, name string) (args string, ok bool) {
	for _, l := range lines {
		word, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		if strings.EqualFold(word, name) {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// expiry is the argument of EXPIRE (RFC 2449, section 6.7); what makes no sense is none.
func expiry(lines []string) string {
	args, _ := announced(lines, "EXPIRE")
	arg, _, _ := strings.Cut(strings.ToUpper(args), " ") // "USER" may follow
	if _, err := strconv.ParseUint(arg, 10, 31); err != nil && arg != "NEVER" {
		return ""
	}
	return arg
}

// mechanisms are the ways to log in that a server says it has. Nearly all know USER, announced or not.
func mechanisms(offered pop3.Capabilities, stamp bool) []string {
	names := slices.Clone(offered.SASL)
	if stamp {
		names = append(names, "APOP")
	}
	if _, ok := announced(offered.Lines, "USER"); ok {
		names = append(names, "USER")
	}
	return names
}

// End is the day on which the first certificate of what the server showed ends; zero in the clear.
func (p Probe) End() time.Time {
	var end time.Time
	for _, c := range p.Chain {
		if end.IsZero() || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}
