package fetch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
)

// renewal is how long before its end a certificate is worth a word: those that renew themselves
// do so earlier.
const renewal = 14 * 24 * time.Hour

// Advice is what a person may want to change, or to know, after seeing p: sentences in the order
// of a session. It is a pure function. What kept the probe from going on is the error's to say.
func Advice(p Probe, a Account) []string {
	var all []string
	for _, of := range []func(Probe, Account) []string{
		adviceOnTLS, adviceOnCertificate, adviceOnLogIn, adviceOnTimes, adviceOnServer, adviceOnUIDs, adviceOnSizes,
	} {
		all = append(all, of(p, a)...)
	}
	return all
}

func adviceOnTLS(p Probe, _ Account) []string {
	switch {
	case p.TLSVersion != "" || p.Address == "":
		return nil
	case p.STLS && p.Exposed:
		return []string{"password and mail go over the line in the clear, and the server offers STLS: set tls: starttls"}
	case p.STLS:
		return []string{"the server offers STLS: tls: starttls protects the line also behind this machine, as at a tunnel's other end"}
	case p.Exposed:
		return []string{"password and mail go over the line in the clear: try tls: implicit with port 995"}
	}
	return nil
}

func adviceOnCertificate(p Probe, _ Account) []string {
	if p.Certificate == nil {
		return nil
	}
	var all []string
	if !p.Verified {
		all = append(all, "the certificate is trusted because of tls_fingerprint alone: its issuer, name and dates are not looked at, and a new one is refused")
	}
	what := "certificate"
	if p.End().Before(p.Certificate.NotAfter) {
		what = "issuer's certificate"
	}
	switch end := p.End(); {
	case p.Certificate.NotBefore.After(p.At):
		all = append(all, "the server's certificate is not valid before "+day(p.Certificate.NotBefore))
	case end.Before(p.At):
		all = append(all, fmt.Sprintf("the server's %s ended on %s: its administrator has to renew it", what, day(end)))
	case end.Sub(p.At) < renewal:
		all = append(all, fmt.Sprintf("the server's %s ends on %s: its administrator has to renew it by then", what, day(end)))
	}
	return all
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func adviceOnLogIn(p Probe, a Account) []string {
	readable := []string{"USER", "PLAIN", "LOGIN"}
	scram := slices.IndexFunc(p.Mechanisms, func(name string) bool { return strings.HasPrefix(name, "SCRAM-") })
	chosen := a.Auth != "" && a.Auth != mechanism.Auto
	switch weak := append(readable, "APOP", "CRAM-MD5"); {
	case chosen && scram >= 0 && slices.Contains(weak, p.Mechanism):
		return []string{fmt.Sprintf("the server offers %s, which is stronger than %s: auth: auto takes it", p.Mechanisms[scram], p.Mechanism)}
	case p.TLSVersion == "" && p.Exposed && slices.Contains(readable, p.Mechanism):
		return []string{fmt.Sprintf("without TLS everybody on the line can read the password that %s sends", p.Mechanism)}
	case p.TLSVersion == "" && p.Exposed && slices.Contains(weak, p.Mechanism):
		return []string{fmt.Sprintf("without TLS a password can be guessed from what %s sends", p.Mechanism)}
	}
	return nil
}

func adviceOnTimes(p Probe, a Account) []string {
	wanted, who := a.MinInterval, "the provider is known to want"
	if p.LoginDelay > wanted {
		wanted, who = p.LoginDelay, "the server wants (LOGIN-DELAY)"
	}
	if a.Interval == 0 || a.Interval >= wanted {
		return nil
	}
	return []string{fmt.Sprintf("interval: %s is shorter than the %s that %s between two log-ins, and popsync waits as long: set interval: %[2]s",
		span(a.Interval), span(wanted), who)}
}

// span is a duration as the configuration has it: 5m, not 5m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func adviceOnServer(p Probe, a Account) []string {
	if !p.LoggedIn {
		return nil
	}
	var all []string
	if p.QuitCommits && !strings.HasPrefix(strings.ToLower(a.User), "recent:") {
		all = append(all, "what was fetched never shows again on this server, for no program and whatever keep says (X-GOOGLE-RICO): recent: before the username lists the mail of the last 30 days instead")
	}
	switch {
	case a.Keep.Delete || p.QuitCommits || p.Expire == "" || p.Expire == "NEVER":
	case p.Expire == "0":
		all = append(all, "the server deletes what was retrieved at the end of the session (EXPIRE 0): keep: true cannot hold here")
	default:
		all = append(all, "the server may delete mail after "+p.Expire+" days (EXPIRE): keep: true keeps it no longer")
	}
	switch {
	case a.Pipelining == pop3.Never && p.Pipelines:
		all = append(all, "the server announces PIPELINING, and pipelining: never makes popsync wait for each answer: auto is faster")
	case a.Pipelining == pop3.Always && !p.Pipelines:
		all = append(all, "the server does not announce PIPELINING: should a session hang, set pipelining: auto")
	}
	return all
}

func adviceOnUIDs(p Probe, a Account) []string {
	if !p.Listed {
		return nil
	}
	var all []string
	add := func(n int, format string) {
		if n > 0 {
			all = append(all, fmt.Sprintf(format, plural(n, "message")))
		}
	}
	if p.Numbers {
		all = append(all, "the UIDs are nothing but the messages' numbers, which change with every deletion: mail may come twice, or not at all")
	}
	if p.Shared > 0 && a.Keep.Delete {
		add(p.Shared, "%s with a UID that another one has too: such are deleted only in the session that fetched them")
	} else {
		add(p.Shared, "%s with a UID that another one has too: all are fetched, and told apart by their order")
	}
	add(p.Unusable, "%s with a UID that cannot be remembered (NUL, or more than 16 KiB): such stay on the server")
	add(p.NoUID, "%s without a UID in the listing: such stay on the server")
	if p.OddLines > 0 {
		all = append(all, plural(p.OddLines, "line")+" of UIDL that make no sense: those messages stay on the server")
	}
	if seen := p.Messages + p.NoUID + p.OddLines; p.Counted > seen {
		all = append(all, fmt.Sprintf("STAT counts %s, and UIDL lists %d: the others come with a later poll, or not at all", plural(p.Counted, "message"), p.Messages))
	}
	return all
}

func adviceOnSizes(p Probe, a Account) []string {
	if !p.Listed || a.MaxMessageSize == 0 {
		return nil
	}
	var all []string
	if p.TooLarge > 0 {
		all = append(all, plural(p.TooLarge, "message")+" larger than max_message_size: such stay on the server")
	}
	if p.Unsized > 0 {
		all = append(all, plural(p.Unsized, "message")+" without a size: max_message_size ends the session once more has come")
	}
	return all
}
