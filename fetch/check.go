package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"time"

	"popsync/fetch/pop3"
)

// A Probe is what a log-in to a server shows.
type Probe struct {
	Server       string
	Address      string // the one connected to
	TLSVersion   string // "TLS 1.3", or empty in the clear
	CipherSuite  string
	Certificate  *x509.Certificate // the server's own, or nil
	Capabilities []string          // as the server last listed them, raw
	Messages     int
	Bytes        int64 // of all messages; of those with a sane size
	UIDs         int   // different ones
	Took         time.Duration
}

// Check logs in to a's server, looks at what lies there without fetching anything, and leaves.
// Where it fails the Probe has what was seen until then. trace may be nil.
func Check(ctx context.Context, a Account, trace func(line string)) (Probe, *Error) {
	s := &session{account: a, now: time.Now, trace: trace, tell: func(Event) {}, begun: time.Now()}
	s.result = Result{Account: a.Name, Server: a.Server.String()}
	soft, release := interruptible(ctx)
	defer release()
	hard, release := s.lingering(soft)
	defer release()
	listing, err := s.visit(soft)
	s.leave(hard)
	s.note(err)
	return s.probe(listing), s.result.Err
}

// Check is [Check] for each of accounts, as many at a time as the limits allow. Probes and errors
// are in the order of accounts; an error is nil where all is well.
func (p *Poller) Check(ctx context.Context, accounts []Account) ([]Probe, []*Error) {
	probes, errs := make([]Probe, len(accounts)), make([]*Error, len(accounts))
	q := newQueue(p.MaxParallel, p.MaxPerHost)
	for i, a := range accounts {
		errs[i] = notBegun(a).Err
		q.add(job{index: i, host: a.Server.Host})
	}
	dispatch(ctx, q, func(j job) (time.Time, bool) {
		a := accounts[j.index]
		var trace func(string)
		if p.Trace != nil {
			trace = func(line string) { p.Trace(a.Name, line) }
		}
		probes[j.index], errs[j.index] = Check(ctx, a, trace)
		return time.Time{}, false
	})
	return probes, errs
}

// visit is a session that only looks.
func (s *session) visit(ctx context.Context) (listing pop3.Listing, err error) {
	if s.password, err = s.account.Password(ctx); err != nil {
		return listing, s.passwordFailed(ctx, err)
	}
	if err := s.logIn(ctx); err != nil {
		return listing, err
	}
	if listing, err = s.list(ctx); err != nil {
		return listing, err
	}
	if !listing.Sized {
		if err := s.client.AddSizes(ctx, &listing); err != nil {
			return listing, s.step("list", err)
		}
	}
	return listing, nil
}

func (s *session) probe(listing pop3.Listing) Probe {
	p := Probe{
		Server: s.result.Server, Address: s.address, Took: s.now().Sub(s.begun),
		Messages: len(listing.Messages),
	}
	if s.client != nil {
		p.Capabilities = s.client.Capabilities().Lines
	}
	if s.secured.Version != 0 {
		p.TLSVersion = tls.VersionName(s.secured.Version)
		p.CipherSuite = tls.CipherSuiteName(s.secured.CipherSuite)
		p.Certificate = s.secured.PeerCertificates[0]
	}
	uids := make(map[string]struct{}, len(listing.Messages))
	for _, m := range listing.Messages {
		uids[m.UID] = struct{}{}
		p.Bytes += max(0, m.Size)
	}
	p.UIDs = len(uids)
	return p
}
