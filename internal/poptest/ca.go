package poptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A Kind is what is right or wrong with a certificate.
type Kind string

// The kinds that [CA.Issue] knows.
const (
	Good        Kind = "good"          // for localhost, 127.0.0.1 and ::1
	Expired     Kind = "expired"       // since 1996
	NotYetValid Kind = "not yet valid" // until 2090
	WrongName   Kind = "wrong name"    // other.example
	Suffix      Kind = "suffix"        // localhost.evil.example
	NameInCN    Kind = "name in CN"    // localhost, but in the subject alone
	NULInName   Kind = "NUL in name"   // localhost\0.evil.example
	Wildcard    Kind = "wildcard"      // "*"
	Partial     Kind = "partial"       // "local*"
	SelfSigned  Kind = "self-signed"   // otherwise good
	OddSubject  Kind = "odd subject"   // control characters, for another name
	Client      Kind = "client"        // for a client named localhost
)

// Dates are fixed and far away, since the clock of a testing/synctest bubble begins in the year 2000.
var (
	longAgo   = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	ago       = time.Date(1996, 1, 1, 0, 0, 0, 0, time.UTC)
	farOff    = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
	veryFar   = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	loopbacks = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
)

// kinds says how a certificate differs from a good one.
var kinds = map[Kind]func(*x509.Certificate){
	Good:        func(*x509.Certificate) {},
	SelfSigned:  func(*x509.Certificate) {},
	Expired:     func(c *x509.Certificate) { c.NotAfter = ago },
	NotYetValid: func(c *x509.Certificate) { c.NotBefore = farOff },
	WrongName:   named("other.example"),
	Suffix:      named("localhost.evil.example"),
	NULInName:   named("localhost\x00.evil.example"),
	Wildcard:    named("*"),
	Partial:     named("local*"),
	NameInCN: func(c *x509.Certificate) {
		c.Subject.CommonName = "localhost"
		c.DNSNames, c.IPAddresses = nil, nil
	},
	OddSubject: func(c *x509.Certificate) {
		named("other.example")(c)
		c.Subject.CommonName = "\x1b[2Jowned\x07"
	},
	Client: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} },
}

func named(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.CommonName = name
		c.DNSNames, c.IPAddresses = []string{name}, nil
	}
}

// A CA is a certificate authority of one test's own.
type CA struct {
	File string // its certificate in PEM, for tls_ca_file

	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes a CA whose file ends with the test.
func NewCA(t TB) *CA {
	t.Helper()
	ca, err := MakeCA(t.TempDir())
	if err != nil {
		t.Fatalf("poptest: %v", err)
	}
	return ca
}

// MakeCA makes a CA and writes its certificate to ca.pem in dir. The key is kept in memory.
func MakeCA(dir string) (*CA, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "poptest CA"},
		NotBefore:             longAgo,
		NotAfter:              veryFar,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, key, err := sign(template, template, nil)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	ca := &CA{File: filepath.Join(dir, "ca.pem"), dir: dir, cert: cert, key: key}
	return ca, writePEM(ca.File, "CERTIFICATE", der)
}

// Issue makes a certificate of kind with a key of its own; change, if any, has the last word on it before
// it is signed. It panics for an unknown kind, and for a template that cannot be encoded.
func (ca *CA) Issue(kind Kind, change ...func(*x509.Certificate)) tls.Certificate {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "localhost"},
		DNSNames:              []string{"localhost"},
		IPAddresses:           loopbacks,
		NotBefore:             longAgo,
		NotAfter:              veryFar,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	alter, ok := kinds[kind]
	if !ok {
		panic("poptest: no kind of certificate " + string(kind))
	}
	alter(template)
	for _, f := range change {
		f(template)
	}
	parent, signer := ca.cert, ca.key
	if kind == SelfSigned {
		parent, signer = template, nil
	}
	der, key, err := sign(template, parent, signer)
	if err != nil {
		panic("poptest: " + err.Error())
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Config is what a server needs that shows a certificate of kind.
func (ca *CA) Config(kind Kind) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ca.Issue(kind)}}
}

// Files writes cert and its key in PEM beside the CA's file.
func (ca *CA) Files(cert tls.Certificate) (certFile, keyFile string, err error) {
	base := filepath.Join(ca.dir, hex.EncodeToString(fingerprint(cert)[:8]))
	certFile, keyFile = base+".pem", base+".key"
	if err := writePEM(certFile, "CERTIFICATE", cert.Certificate[0]); err != nil {
		return "", "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return "", "", err
	}
	return certFile, keyFile, writePEM(keyFile, "PRIVATE KEY", der)
}

// Pool trusts this CA and no other.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Fingerprint is the SHA-256 of cert as tls_fingerprint takes it: "sha256:" and 64 hex digits.
func Fingerprint(cert tls.Certificate) string {
	return "sha256:" + hex.EncodeToString(fingerprint(cert))
}

// KeyFingerprint is the same of the certificate's public key (SPKI).
func KeyFingerprint(cert tls.Certificate) string {
	key, ok := cert.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		panic("poptest: not a certificate of Issue")
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic("poptest: " + err.Error())
	}
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func fingerprint(cert tls.Certificate) []byte {
	sum := sha256.Sum256(cert.Certificate[0])
	return sum[:]
}

// sign makes a key and a certificate for it, signed by signer, or by itself if that is nil.
func sign(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if signer == nil {
		signer = key
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	return der, key, err
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
