package fetch

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"popsync/fetch/pop3"
)

// config is the server's TLS configuration, which leaves the state of the connection in state.
func (s Server) config(state *tls.ConnectionState) *tls.Config {
	c := s.TLS.Clone()
	before := c.VerifyConnection
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		*state = cs
		if before == nil {
			return nil
		}
		return before(cs)
	}
	return c
}

// tlsError says what was wrong with a hand-shake and how to mend it properly.
func tlsError(step string, err error) *Error {
	e := &Error{Step: step, Kind: Unreachable, Err: err}
	var verification *tls.CertificateVerificationError
	var pin *PinError
	switch {
	case errors.As(err, &pin):
		e.Certificates = pin.Chain
		e.Hint = "if the server's administrator confirms the new certificate, put it into tls_fingerprint; otherwise somebody is in between"
	case errors.As(err, &verification):
		e.Hint, e.Err = certificateError(verification)
		e.Certificates = verification.UnverifiedCertificates
	case errors.Is(err, pop3.ErrNoTLS):
		e.Hint = "the server may want tls: starttls (port 110) here, or speak no TLS at all"
	case strings.Contains(err.Error(), "protocol version"):
		e.Err = fmt.Errorf("the server's TLS is too old: %w", err)
		e.Hint = "TLS 1.2 is the least that is safe; ask the server's administrator"
	}
	return e
}

// certificateError is the reason why a certificate was refused, with its SHA-256 to compare.
func certificateError(v *tls.CertificateVerificationError) (hint string, err error) {
	cert := v.UnverifiedCertificates[0]
	sum := sha256.Sum256(cert.Raw)
	return trustAdvice(v.Err, Pin(sum)), fmt.Errorf("certificate refused: %s (SHA-256 %s)", reason(cert, v.Err), hex.EncodeToString(sum[:]))
}

func reason(cert *x509.Certificate, err error) string {
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("it is for %s, not for %s", namesOf(cert), name.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(cert.NotBefore):
		return "it is not valid before " + cert.NotBefore.UTC().Format(time.RFC3339)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it expired at " + cert.NotAfter.UTC().Format(time.RFC3339)
	case errors.As(err, &unknown) && cert.CheckSignatureFrom(cert) == nil, errors.As(err, &unknown) && string(cert.RawIssuer) == string(cert.RawSubject):
		return "it is signed by itself"
	case errors.As(err, &unknown):
		return fmt.Sprintf("its issuer %q is not trusted", cert.Issuer.CommonName)
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}

func namesOf(cert *x509.Certificate) string {
	names := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) > 3:
		return strings.Join(names[:3], ", ") + ", …"
	case len(names) > 0:
		return strings.Join(names, ", ")
	case cert.Subject.CommonName != "":
		return fmt.Sprintf("no host at all (%q stands in the common name alone, which does not count)", cert.Subject.CommonName)
	}
	return "no host at all"
}

func trustAdvice(err error, pin Pin) string {
	var name x509.HostnameError
	if errors.As(err, &name) {
		return "set host (or tls_server_name) to a name in the certificate, or, once its SHA-256 is known to be right, tls_fingerprint: " + pin.String()
	}
	return "if the SHA-256 is that of the server's real certificate, trust its CA with tls_ca_file: ca.pem, or this one with tls_fingerprint: " + pin.String()
}
