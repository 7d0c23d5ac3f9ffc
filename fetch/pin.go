package fetch

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
)

// A Pin is the SHA-256 of a certificate in DER, or of its public key (SPKI).
type Pin [sha256.Size]byte

func (p Pin) String() string { return "sha256:" + hex.EncodeToString(p[:]) }

// A PinError says that a server showed another certificate than those that were pinned.
type PinError struct {
	Certificate, Key Pin // what it showed
	Wanted           []Pin
	Chain            []*x509.Certificate
}

func (e *PinError) Error() string {
	var wanted []string
	for _, p := range e.Wanted {
		wanted = append(wanted, p.String())
	}
	return "certificate refused: it is " + e.Certificate.String() + " (its key " + e.Key.String() +
		"), and tls_fingerprint is " + strings.Join(wanted, ", ")
}

// Pinned makes config accept exactly the certificates, or keys, that are pinned. The pins replace
// the checks of chain, name and dates: the certificate may be signed by itself.
func Pinned(config *tls.Config, pins []Pin) {
	config.InsecureSkipVerify = true
	config.VerifyConnection = func(state tls.ConnectionState) error {
		cert := state.PeerCertificates[0]
		e := &PinError{sha256.Sum256(cert.Raw), sha256.Sum256(cert.RawSubjectPublicKeyInfo), pins, state.PeerCertificates}
		if slices.Contains(pins, e.Certificate) || slices.Contains(pins, e.Key) {
			return nil
		}
		return e
	}
}
