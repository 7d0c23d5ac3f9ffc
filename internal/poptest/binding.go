package poptest

import (
	"crypto"
	_ "crypto/sha256" // for server-end-point
	_ "crypto/sha512" // for server-end-point
	"crypto/tls"
	"crypto/x509"
)

// The kinds of channel binding that a SCRAM-…-PLUS may name.
const (
	TLSExporter       = "tls-exporter"         // RFC 9266
	TLSUnique         = "tls-unique"           // RFC 5929, section 3; not with TLS 1.3
	TLSServerEndPoint = "tls-server-end-point" // RFC 5929, section 4
)

// bindings is what kind of binding may hold on this connection: several where the server has several
// certificates, none where there is no such binding.
func (c *Conn) bindings(kind string) [][]byte {
	state := c.TLS()
	if state == nil {
		return nil
	}
	switch kind {
	case TLSExporter:
		material, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		if err != nil {
			return nil
		}
		return [][]byte{material}
	case TLSUnique:
		if len(state.TLSUnique) == 0 {
			return nil
		}
		return [][]byte{state.TLSUnique}
	case TLSServerEndPoint:
		return endPoints(c.server.opts.TLS.Certificates)
	}
	return nil
}

// endPoints is the hash of each certificate, by that of its signature, and by SHA-256 for older ones.
func endPoints(certs []tls.Certificate) [][]byte {
	var sums [][]byte
	for _, cert := range certs {
		parsed, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			continue
		}
		hash := endPointHash(parsed.SignatureAlgorithm).New()
		hash.Write(parsed.Raw)
		sums = append(sums, hash.Sum(nil))
	}
	return sums
}

func endPointHash(algorithm x509.SignatureAlgorithm) crypto.Hash {
	switch algorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return crypto.SHA512
	default:
		return crypto.SHA256
	}
}
