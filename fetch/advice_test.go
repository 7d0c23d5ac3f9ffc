package fetch

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
)

func TestAdvice(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	days := func(n int) time.Time { return now.AddDate(0, 0, n) }
	cert := func(begin, end int) *x509.Certificate {
		return &x509.Certificate{NotBefore: days(begin), NotAfter: days(end)}
	}
	secured := func(chain ...*x509.Certificate) Probe {
		return Probe{
			At: now, Address: "192.0.2.1:995", TLSVersion: "TLS 1.3", Certificate: chain[0], Chain: chain, Verified: true,
			Mechanism: "USER", LoggedIn: true, Listed: true, Messages: 3, Survey: Survey{Counted: 3},
		}
	}
	good := func() Probe { return secured(cert(-30, 60), cert(-300, 600)) }
	clear := func() Probe {
		p := good()
		p.TLSVersion, p.Certificate, p.Chain, p.Verified = "", nil, nil, false
		return p
	}
	account := func() Account { return Account{User: "alice", Interval: 5 * time.Minute, Auth: mechanism.Auto} }

	for name, c := range map[string]struct {
		probe  Probe
		change func(*Probe, *Account)
		want   []string // a part of each
	}{
		"all is well":                      {good(), func(*Probe, *Account) {}, nil},
		"nothing was reached":              {Probe{}, func(*Probe, *Account) {}, nil},
		"clear on this machine":            {clear(), func(*Probe, *Account) {}, nil},
		"clear, and STLS on this machine":  {clear(), func(p *Probe, _ *Account) { p.STLS = true }, []string{"offers STLS"}},
		"clear on the line":                {clear(), func(p *Probe, _ *Account) { p.Exposed = true }, []string{"port 995", "the password that USER sends"}},
		"clear on the line, and STLS":      {clear(), func(p *Probe, _ *Account) { p.Exposed, p.STLS = true, true }, []string{"set tls: starttls", "USER sends"}},
		"CRAM-MD5 on the line":             {clear(), func(p *Probe, _ *Account) { p.Exposed, p.Mechanism = true, "CRAM-MD5" }, []string{"port 995", "can be guessed from what CRAM-MD5"}},
		"SCRAM on the line":                {clear(), func(p *Probe, _ *Account) { p.Exposed, p.Mechanism = true, "SCRAM-SHA-256" }, []string{"port 995"}},
		"pinned":                           {good(), func(p *Probe, _ *Account) { p.Verified = false }, []string{"tls_fingerprint alone"}},
		"ends in two weeks and a day":      {secured(cert(-30, 15)), func(*Probe, *Account) {}, nil},
		"ends in 13 days":                  {secured(cert(-30, 13)), func(*Probe, *Account) {}, []string{"the server's certificate ends on 2026-12-14"}},
		"its issuer's ends in 13 days":     {secured(cert(-30, 60), cert(-300, 13)), func(*Probe, *Account) {}, []string{"issuer's certificate ends on 2026-12-14"}},
		"over, and pinned":                 {secured(cert(-90, -1)), func(p *Probe, _ *Account) { p.Verified = false }, []string{"tls_fingerprint alone", "ended on 2026-11-30"}},
		"not yet valid, and pinned":        {secured(cert(2, 90)), func(p *Probe, _ *Account) { p.Verified = false }, []string{"tls_fingerprint alone", "not valid before 2026-12-03"}},
		"a weak way chosen, SCRAM offered": {good(), func(p *Probe, a *Account) { a.Auth, p.Mechanisms = mechanism.User, []string{"PLAIN", "SCRAM-SHA-256"} }, []string{"offers SCRAM-SHA-256, which is stronger than USER"}},
		"weak ways only, over TLS":         {good(), func(p *Probe, a *Account) { p.Mechanisms = []string{"PLAIN", "USER"} }, nil},
		"LOGIN-DELAY kept":                 {good(), func(p *Probe, _ *Account) { p.LoginDelay = 5 * time.Minute }, nil},
		"LOGIN-DELAY too long":             {good(), func(p *Probe, _ *Account) { p.LoginDelay = 10 * time.Minute }, []string{"interval: 5m is shorter than the 10m that the server wants (LOGIN-DELAY) between two log-ins, and popsync waits as long: set interval: 10m"}},
		"LOGIN-DELAY of an hour":           {good(), func(p *Probe, _ *Account) { p.LoginDelay = time.Hour }, []string{"set interval: 1h"}},
		"LOGIN-DELAY odd":                  {good(), func(p *Probe, _ *Account) { p.LoginDelay = 301 * time.Second }, []string{"set interval: 5m1s"}},
		"a provider's minimum":             {good(), func(p *Probe, a *Account) { p.LoginDelay, a.MinInterval = 6*time.Minute, 15*time.Minute }, []string{"15m that the provider is known to want"}},
		"LOGIN-DELAY and no log-in":        {good(), func(p *Probe, _ *Account) { p.LoggedIn, p.LoginDelay = false, time.Hour }, []string{"interval"}},
		"Gmail":                            {good(), func(p *Probe, _ *Account) { p.QuitCommits, p.Expire = true, "0" }, []string{"X-GOOGLE-RICO"}},
		"Gmail, recent":                    {good(), func(p *Probe, a *Account) { p.QuitCommits, p.Expire, a.User = true, "0", "recent:alice@gmail.com" }, nil},
		"EXPIRE 0":                         {good(), func(p *Probe, _ *Account) { p.Expire = "0" }, []string{"deletes what was retrieved"}},
		"EXPIRE 0 and keep: false":         {good(), func(p *Probe, a *Account) { p.Expire, a.Keep.Delete = "0", true }, nil},
		"EXPIRE 7":                         {good(), func(p *Probe, _ *Account) { p.Expire = "7" }, []string{"after 7 days (EXPIRE)"}},
		"EXPIRE NEVER":                     {good(), func(p *Probe, _ *Account) { p.Expire = "NEVER" }, nil},
		"no PIPELINING":                    {good(), func(p *Probe, _ *Account) { p.Pipelines = false }, nil},
		"PIPELINING, and never":            {good(), func(p *Probe, a *Account) { p.Pipelines, a.Pipelining = true, pop3.Never }, []string{"auto is faster"}},
		"no PIPELINING, and always":        {good(), func(p *Probe, a *Account) { a.Pipelining = pop3.Always }, []string{"pipelining: auto"}},
		"UIDs shared":                      {good(), func(p *Probe, _ *Account) { p.Shared = 2 }, []string{"2 messages with a UID that another one has too: all are fetched"}},
		"UIDs shared and keep: false":      {good(), func(p *Probe, a *Account) { p.Shared, a.Keep.Delete = 2, true }, []string{"deleted only in the session that fetched them"}},
		"UIDs long, or with 8 bits":        {good(), func(p *Probe, _ *Account) { p.LongUID, p.StrangeID = 3, 3 }, nil},
		"UIDs are numbers":                 {good(), func(p *Probe, _ *Account) { p.Numbers = true }, []string{"which change with every deletion"}},
		"UIDs of no use":                   {good(), func(p *Probe, _ *Account) { p.Unusable = 1 }, []string{"1 message with a UID that cannot be remembered"}},
		"UIDs missing, lines odd":          {good(), func(p *Probe, _ *Account) { p.NoUID, p.OddLines, p.Counted = 1, 2, 6 }, []string{"1 message without a UID", "2 lines of UIDL"}},
		"a window":                         {good(), func(p *Probe, _ *Account) { p.Counted = 300 }, []string{"STAT counts 300 messages, and UIDL lists 3"}},
		"STAT says nothing":                {good(), func(p *Probe, _ *Account) { p.Counted = -1 }, nil},
		"sizes, and no limit":              {good(), func(p *Probe, _ *Account) { p.TooLarge, p.Unsized = 1, 1 }, nil},
		"sizes, and a limit":               {good(), func(p *Probe, a *Account) { p.TooLarge, p.Unsized, a.MaxMessageSize = 1, 2, 1000 }, []string{"1 message larger than max_message_size", "2 messages without a size"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := account()
			c.change(&c.probe, &a)
			got := Advice(c.probe, a)
			if len(got) != len(c.want) {
				t.Fatalf("%d pieces, want %d: %q", len(got), len(c.want), got)
			}
			for i, word := range c.want {
				if !strings.Contains(got[i], word) {
					t.Errorf("%q does not say %q", got[i], word)
				}
			}
		})
	}
}

func TestSurvey(t *testing.T) {
	message := func(n int32, size int64, uid string) pop3.Message {
		return pop3.Message{Number: n, Size: size, UID: uid}
	}
	s, different := survey(pop3.Listing{
		Messages: []pop3.Message{
			message(1, 100, "a"), message(2, 1001, "b"), message(3, 1000, "a"), message(5, pop3.UnknownSize, ""),
			message(6, 0, strings.Repeat("x", 71)), message(7, 5, "ü"), message(8, 5, "a b"),
			message(9, 5, "n\x00"), message(10, 5, strings.Repeat("y", longestUID+1)), message(11, 1<<40, "a"),
		},
		Count: 12, Odd: 2, NoUID: 1,
	}, 1000)
	want := Survey{
		Counted: 12, Largest: 1 << 40, TooLarge: 2, Unsized: 1, OddLines: 2, NoUID: 1,
		EmptyUID: 1, LongUID: 1, StrangeID: 2, Unusable: 2, Shared: 3,
	}
	if s != want || different != 8 {
		t.Errorf("%d different, %+v\nwant %+v", different, s, want)
	}
	numbers := []pop3.Message{message(1, 1, "1"), message(2, 1, "2")}
	if s, _ := survey(pop3.Listing{Messages: numbers, Count: -1}, 0); !s.Numbers || s.TooLarge > 0 {
		t.Errorf("%+v", s)
	}
	if s, _ := survey(pop3.Listing{Messages: numbers[:1], Count: -1}, 0); s.Numbers {
		t.Error("one message proves nothing")
	}
	if s, different := survey(pop3.Listing{Count: -1}, 0); s != (Survey{Counted: -1}) || different != 0 {
		t.Errorf("an empty mailbox: %+v", s)
	}
}
