package mechanism

import (
	"crypto/tls"
	"strings"

	"github.com/xdg-go/scram"
)

// plus ends the name of a mechanism that binds to the TLS session (RFC 5802, section 4).
const plus = "-PLUS"

func isPlus(name string) bool { return strings.HasSuffix(name, plus) }

// cyrus begins the name of a server that under TLS 1.3 announces -PLUS and binds to tls-unique,
// which TLS 1.3 does not have: it refuses, after three seconds, whatever else is tried (Cyrus
// 3.6.1, 2026-11; with TLS 1.2 it works).
const cyrus = "Cyrus POP3"

// binding is what a log-in can be bound to.
func (o Offer) binding() (bound scram.ChannelBinding, ok bool) {
	if o.TLS != nil && o.TLS.Version >= tls.VersionTLS13 && strings.HasPrefix(o.Implementation, cyrus) {
		return bound, false
	}
	return bindingOf(o.TLS)
}

// bindingOf is what a log-in over a TLS session can be bound to: tls-exporter (RFC 9266) since
// TLS 1.3, tls-unique (RFC 5929) before. tls-server-end-point, which could always be made, is not
// taken: neither Dovecot nor Cyrus knows it.
//
// tls-unique is safe in what is left of its cases: no renegotiation, which Go's client does not
// do, and no resumed session (RFC 7627).
func bindingOf(state *tls.ConnectionState) (bound scram.ChannelBinding, ok bool) {
	switch {
	case state == nil || !state.HandshakeComplete:
		return bound, false
	case state.Version >= tls.VersionTLS13:
		return exporter(state)
	case state.DidResume || len(state.TLSUnique) == 0:
		return bound, false
	}
	return scram.NewTLSUniqueBinding(state.TLSUnique), true
}

func exporter(state *tls.ConnectionState) (bound scram.ChannelBinding, ok bool) {
	// A state that was not made by package tls has no key to export, and panics.
	defer func() { ok = recover() == nil && ok }()
	bound, err := scram.NewTLSExporterBinding(state)
	return bound, err == nil
}
