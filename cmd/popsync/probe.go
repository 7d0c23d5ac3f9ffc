package main

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"popsync/fetch"
	"popsync/internal/term"
)

// A probe is what a server has shown, or what kept it from doing so.
type probe struct {
	fetch.Probe
	err *fetch.Error
}

// newProbe has the hint of a refused certificate name what tls_fingerprint would be.
func newProbe(p fetch.Probe, err *fetch.Error) probe {
	if pin := "tls_fingerprint: " + p.CertPin.String(); err != nil && p.Refused != "" && !strings.Contains(err.Hint, pin) {
		named := *err
		named.Hint = strings.TrimPrefix(err.Hint+"; of this one it is "+pin, "; ")
		err = &named
	}
	return probe{p, err}
}

// A fact is one line of a probe: harmless text.
type fact struct {
	name, text string
	style      term.Style
}

// factIndent is where the text of a fact begins, in cells.
const factIndent = 16

// print writes the probe of a, its facts lined up.
func (p probe) print(b *strings.Builder, s term.Screen, a fetch.Account, d detail) {
	fmt.Fprintf(b, "\n%s  %s", s.Paint(term.Heading, a.Name), a.Server)
	if by := strings.TrimPrefix(p.Address, a.Server.String()); by != "" {
		fmt.Fprintf(b, " (%s)", term.Escape(strings.TrimSpace(by)))
	}
	facts := slices.Concat(p.tls(), p.offer(d), p.session(a, d), p.listing(), p.result())
	for i, text := range fetch.Advice(p.Probe, a) {
		facts = append(facts, fact{map[bool]string{true: "advice"}[i == 0], term.Escape(text), term.Notice})
	}
	for _, f := range facts {
		fmt.Fprintf(b, "\n  %-12s  %s", f.name, s.Paint(f.style, term.Wrap(s, f.text, factIndent)))
	}
	b.WriteByte('\n')
}

func (p probe) tls() []fact {
	if p.TLSVersion == "" && p.Certificate == nil {
		if p.Address == "" || p.err != nil && !p.LoggedIn {
			return nil
		}
		return []fact{{"TLS", "none", term.Notice}}
	}
	var facts []fact
	if p.TLSVersion != "" {
		facts = append(facts, fact{"TLS", p.TLSVersion + ", " + p.CipherSuite, ""})
	}
	if p.Certificate == nil {
		return facts
	}
	facts = append(facts,
		fact{"certificate", term.Escape(p.Certificate.Subject.String()), ""},
		fact{"issuer", term.Escape(p.Certificate.Issuer.String()), ""},
		fact{"valid until", until(p.Certificate.NotAfter, p.At), ""})
	if ends := p.End(); ends.Before(p.Certificate.NotAfter) {
		facts = append(facts, fact{"issuer until", until(ends, p.At), ""})
	}
	trust := fact{"trusted by", "a CA", ""}
	switch {
	case p.Refused != "":
		trust = fact{"trusted by", "nobody: " + term.Escape(strings.TrimPrefix(p.Refused, "certificate refused: ")), term.Bad}
	case !p.Verified:
		trust = fact{"trusted by", "tls_fingerprint alone", term.Notice}
	}
	return append(facts, trust,
		fact{"fingerprint", p.CertPin.String(), ""},
		fact{"of its key", p.KeyPin.String(), ""})
}

// offer is what the server says before the log-in.
func (p probe) offer(d detail) []fact {
	var facts []fact
	if len(p.Mechanisms) > 0 {
		facts = append(facts, fact{"mechanisms", listed(p.Mechanisms), ""})
	}
	if p.Mechanism != "" {
		facts = append(facts, fact{"log-in", term.Escape(p.Mechanism), ""})
	}
	if len(p.Offered) > 0 && (d > normal || !p.LoggedIn) {
		facts = append(facts, fact{"offered", listed(p.Offered), ""})
	}
	return facts
}

// session is what the server says once it knows its user.
func (p probe) session(a fetch.Account, d detail) []fact {
	if !p.LoggedIn {
		return nil
	}
	var facts []fact
	if p.Implementation != "" {
		facts = append(facts, fact{"server", term.Escape(p.Implementation), ""})
	}
	facts = append(facts, fact{"capabilities", listed(p.Capabilities), ""})
	if p.LoginDelay > 0 {
		facts = append(facts, fact{"log-in delay", term.Duration(p.LoginDelay), ""})
	}
	if p.Expire != "" {
		facts = append(facts, fact{"mail expires", expires(p.Expire), ""})
	}
	return append(facts, fact{"pipelining", pipelining(p.Probe), ""})
}

// expires is the argument of EXPIRE (RFC 2449, section 6.7) in words.
func expires(arg string) string {
	switch arg {
	case "NEVER":
		return "never"
	case "0":
		return "once it is retrieved"
	}
	return "after " + term.Escape(arg) + " days"
}

func pipelining(p fetch.Probe) string {
	switch {
	case p.Pipelining && p.Pipelines:
		return "yes"
	case p.Pipelining:
		return "not announced, used all the same"
	case p.Pipelines:
		return "announced, not used"
	}
	return "not announced: one command at a time"
}

func (p probe) listing() []fact {
	if !p.Listed {
		return nil
	}
	size := fmt.Sprintf("%d of %s", p.Messages, term.Bytes(p.Bytes))
	if p.Messages > 1 && p.Largest > 0 {
		size += ", the largest of " + term.Bytes(p.Largest)
	}
	facts := []fact{{"messages", size, ""}}
	if p.Messages > 0 {
		facts = append(facts, p.uids())
	}
	return facts
}

func (p probe) uids() fact {
	f := fact{name: "UIDs", text: "all different"}
	if p.UIDs < p.Messages {
		f.text, f.style = fmt.Sprintf("%d different ones for %d messages", p.UIDs, p.Messages), term.Notice
	}
	for _, c := range []struct {
		n    int
		what string
		bad  bool
	}{
		{p.EmptyUID, "empty", true},
		{p.LongUID, "longer than 70 characters", false},
		{p.StrangeID, "with unusual characters", false},
		{p.Unusable, "unusable", true},
	} {
		if c.n > 0 {
			f.text += fmt.Sprintf(", %d %s", c.n, c.what)
		}
		if c.n > 0 && c.bad {
			f.style = term.Notice
		}
	}
	return f
}

func (p probe) result() []fact {
	if p.err != nil {
		return []fact{{"result", inWords(p.err), term.Bad}}
	}
	return []fact{{"took", term.Duration(p.Took), ""}, {"result", "log-in works", term.Good}}
}

// listed is what a server says in many words, in one line.
func listed(words []string) string { return term.Escape(strings.Join(words, ", ")) }

// until is a day and how far away it is.
func until(end, now time.Time) string {
	day := end.Format(time.DateOnly)
	if end.Before(now) {
		return day + " (over)"
	}
	return day + " (" + term.Count(int(end.Sub(now)/(24*time.Hour)), "day") + ")"
}

type probeJSON struct {
	Name    string `json:"name"`
	Server  string `json:"server"`
	Address string `json:"address,omitempty"`
	*tlsJSON
	Offered    []string `json:"capabilities_before,omitempty"`
	Mechanisms []string `json:"mechanisms,omitempty"`
	Mechanism  string   `json:"mechanism,omitempty"`
	*sessionJSON
	*listingJSON
	TookMS *int64     `json:"took_ms,omitempty"`
	Advice []string   `json:"advice,omitempty"`
	Error  *errorJSON `json:"error,omitempty"`
}

type tlsJSON struct {
	TLS      string    `json:"tls,omitempty"` // empty where the hand-shake was broken off
	Cipher   string    `json:"cipher,omitempty"`
	Subject  string    `json:"certificate_subject"`
	Issuer   string    `json:"certificate_issuer"`
	Names    []string  `json:"certificate_names"`
	Begins   time.Time `json:"certificate_begins"`
	Expires  time.Time `json:"certificate_expires"`
	Chain    time.Time `json:"chain_expires"` // the first of all that the server showed
	CertPin  string    `json:"certificate_fingerprint"`
	KeyPin   string    `json:"key_fingerprint"`
	Verified bool      `json:"certificate_verified"` // by chain, name and dates
	Refused  string    `json:"certificate_refused,omitempty"`
}

type sessionJSON struct {
	Capabilities   []string `json:"capabilities"`
	Implementation string   `json:"implementation,omitempty"`
	LoginDelay     int64    `json:"login_delay_seconds"`
	Expire         string   `json:"expire,omitempty"`
	Pipelines      bool     `json:"pipelining_announced"`
	Pipelining     bool     `json:"pipelining_used"`
	UTF8           bool     `json:"utf8_announced"`
	QuitCommits    bool     `json:"quit_commits"`
}

type listingJSON struct {
	Messages  int   `json:"messages"`
	Bytes     int64 `json:"bytes"`
	Largest   int64 `json:"largest"`
	Counted   *int  `json:"stat_messages,omitempty"`
	TooLarge  int   `json:"too_large"`
	Unsized   int   `json:"without_size"`
	UIDs      int   `json:"uids"` // different ones
	Shared    int   `json:"uids_shared"`
	EmptyUID  int   `json:"uids_empty"`
	LongUID   int   `json:"uids_long"`
	StrangeID int   `json:"uids_strange"`
	Unusable  int   `json:"uids_unusable"`
	NoUID     int   `json:"uids_missing"`
	OddLines  int   `json:"uidl_odd_lines"`
	Numbers   bool  `json:"uids_are_numbers"`
}

func (j *probeJSON) add(p probe, a fetch.Account) {
	j.Address = p.Address
	j.Offered, j.Mechanisms, j.Mechanism = harmless(p.Offered), harmless(p.Mechanisms), term.Escape(p.Mechanism)
	j.Advice = harmless(fetch.Advice(p.Probe, a))
	if p.Certificate != nil {
		j.tlsJSON = p.tlsJSON(p.Certificate)
	}
	if p.LoggedIn {
		j.sessionJSON = p.sessionJSON()
	}
	if p.Listed {
		j.listingJSON = p.listingJSON()
	}
	if p.err != nil {
		j.Error = explainPoll(p.err).json()
		return
	}
	took := p.Took.Milliseconds()
	j.TookMS = &took
}

func (p probe) tlsJSON(cert *x509.Certificate) *tlsJSON {
	names := harmless(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return &tlsJSON{
		TLS: p.TLSVersion, Cipher: p.CipherSuite,
		Subject: term.Escape(cert.Subject.String()), Issuer: term.Escape(cert.Issuer.String()), Names: names,
		Begins: cert.NotBefore.UTC(), Expires: cert.NotAfter.UTC(), Chain: p.End().UTC(),
		CertPin: p.CertPin.String(), KeyPin: p.KeyPin.String(), Verified: p.Verified, Refused: term.Escape(p.Refused),
	}
}

func (p probe) sessionJSON() *sessionJSON {
	return &sessionJSON{
		Capabilities: harmless(p.Capabilities), Implementation: term.Escape(p.Implementation),
		LoginDelay: int64(p.LoginDelay / time.Second), Expire: term.Escape(p.Expire),
		Pipelines: p.Pipelines, Pipelining: p.Pipelining, UTF8: p.UTF8, QuitCommits: p.QuitCommits,
	}
}

func (p probe) listingJSON() *listingJSON {
	j := &listingJSON{
		Messages: p.Messages, Bytes: p.Bytes, Largest: p.Largest, TooLarge: p.TooLarge, Unsized: p.Unsized,
		UIDs: p.UIDs, Shared: p.Shared, EmptyUID: p.EmptyUID, LongUID: p.LongUID, StrangeID: p.StrangeID,
		Unusable: p.Unusable, NoUID: p.NoUID, OddLines: p.OddLines, Numbers: p.Numbers,
	}
	if p.Counted >= 0 {
		j.Counted = &p.Counted
	}
	return j
}

// harmless are a stranger's words, each fit for a terminal.
func harmless(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = term.Escape(w)
	}
	return out
}
